"""What to type for a spec in a framework: its own class or function where that does the same, else lossopt's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lossopt.definition import Optimizer, Spec
from lossopt.errors import UnknownNameError
from lossopt.identify.natives import ARGUMENTS, FIXED_LR

NATIVE = {"torch": "torch.optim.", "jax": "optax."}
CONVENTION = {"torch": "torch", "jax": "optax"}


def code(spec: Spec, framework: str, before: Spec | None = None) -> str:
    """One expression, and a remark after ``#`` where the framework has no such thing.

    Args:
        spec: what was found.
        framework: ``"torch"`` or ``"jax"``.
        before: the clipping that goes before it.

    Raises:
        UnknownNameError: another framework.

    Example:
        >>> from lossopt.optimizers import adamw
        >>> code(adamw(lr=1e-3, weight_decay=0.05), "torch")
        'torch.optim.AdamW(params, lr=0.001, weight_decay=0.05)'
        >>> code(adamw(lr=1e-3, weight_decay=0.05), "jax")
        'optax.adamw(0.001, weight_decay=0.05)'
    """
    if framework not in NATIVE:
        raise UnknownNameError(f"code is for one of {', '.join(NATIVE)}, got {framework!r}")
    native = (_native(d, spec, framework) for d in _owners(spec))
    found = next((c for c in native if c is not None), None) or _ours(spec, framework)
    return found if before is None else _after(before, found, framework)


def _after(before: Spec, found: str, framework: str) -> str:
    """The expression with clipping before it; in PyTorch that is a line of the training loop."""
    by_norm = before.definition.name == "clip_by_global_norm"
    bound = next(iter(before.hyperparameters.values()))
    if framework == "torch":
        return f"torch.nn.utils.clip_grad_{'norm' if by_norm else 'value'}_(params, {bound!r}) before each step of {found}"
    return f"optax.chain(optax.clip{'_by_global_norm' if by_norm else ''}({bound!r}), {found})"


def _owners(spec: Spec) -> Iterator[Optimizer]:
    """The definitions that say the same: its own, then others of the same text."""
    yield spec.definition
    yield from (d for d in _bases(spec.definition) if d is not spec.definition)


def _bases(d: Optimizer) -> Sequence[Optimizer]:
    """The definitions of one text, the base first."""
    from lossopt.identify.candidates import texts

    return texts().get(d.text, ())


def _name(d: Optimizer, convention: str) -> str:
    """Of what a framework has for it."""
    return d.elsewhere.get(convention, "").partition(";")[0].split(",")[0].strip()


def _native(d: Optimizer, spec: Spec, framework: str) -> str | None:
    """The framework's own call; None where it has none, or none that does the same."""
    convention = CONVENTION[framework]
    name = _name(d, convention)
    if name not in ARGUMENTS or convention not in d.conventions:
        return None
    taken = {own: theirs or own for own, _, theirs in (argument.partition("=") for argument in ARGUMENTS[name].split())}
    first = next(o for o in (*_bases(d), d) if _name(o, convention) == name)  # Adam's defaults for amsgrad, which is an Adam there
    defaults = first.defaults_of(convention)
    given = dict(_differing(spec, defaults, taken))
    lost = {n for n, v in given.items() if (n not in taken or v is None) and not _idle(spec, n, defaults)}
    coupled = {n for n in lost if n == "weight_decay" and not spec.hyperparameters.get("decoupled", False)}
    if lost - coupled or (coupled and (framework == "torch" or "decoupled" not in spec.hyperparameters)):
        return None
    keywords = [f"{taken[n]}={v!r}" for n, v in given.items() if n in taken and v is not None]
    lr = spec.hyperparameters.get("lr", 1.0)
    if framework == "torch":
        return f"{name}({', '.join(['params', f'lr={lr!r}', *keywords])})"
    if name in FIXED_LR and lr != 1:
        return None
    found = f"{name}({', '.join([*([] if name in FIXED_LR else [repr(lr)]), *keywords])})"
    return f"optax.chain(optax.add_decayed_weights({given['weight_decay']!r}), {found})" if coupled else found


def _differing(spec: Spec, defaults: Mapping[str, Any], taken: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """The hyperparameters that are not as the framework has them, lr aside; a tuple that it does not take entry by entry."""
    for name, value in spec.hyperparameters.items():
        default = defaults[name]
        if name == "lr" or value == default or (not value and not default):
            continue
        if name not in taken and isinstance(value, tuple) and isinstance(default, tuple) and len(value) == len(default):
            yield from ((f"{name}[{i}]", v) for i, (v, own) in enumerate(zip(value, default, strict=True)) if v != own)
        else:
            yield name, value


def _idle(spec: Spec, name: str, defaults: Mapping[str, Any]) -> bool:
    """Whether a hyperparameter does nothing beside the others, and need not be said."""
    from lossopt.identify.candidates import same_updates

    own = name.partition("[")[0]
    return same_updates(spec, replace(spec, hyperparameters={**spec.hyperparameters, own: defaults[own]}))


def _ours(spec: Spec, framework: str) -> str:
    values = {n: v for n, v in spec.hyperparameters.items() if v != spec.definition.defaults_of(spec.convention)[n] or n == "lr"}
    options = [f"{k}={v!r}" for k, v in values.items()]
    if spec.convention != "torch":
        options.append(f"convention={spec.convention!r}")
    params, own = ("params=model, ", "torch.optim") if framework == "torch" else ("", "optax")
    return (f"lossopt.get_optimizer({spec.definition.name!r}, {framework!r}, {params}{', '.join(options)})"
            f"  # {own} has no {spec.definition.name} of this kind")  # fmt: skip
