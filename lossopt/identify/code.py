"""What to type for a spec in a framework: its own class or function where it has one, else lossopt's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lossopt.definition import Optimizer, Spec
from lossopt.errors import UnknownNameError

OPTAX_NAMES: Mapping[str, str] = {"lr": "learning_rate", "betas[0]": "b1", "betas[1]": "b2", "betas[2]": "b3", "alpha": "decay",
                                  "etas[0]": "eta_minus", "etas[1]": "eta_plus", "rho": "rho"}  # fmt: skip
"""How optax spells hyperparameters, where its function has one of that name."""

NATIVE = {"torch": "torch.optim.", "jax": "optax.", "keras": "keras.optimizers."}
CONVENTION = {"torch": "torch", "jax": "optax", "keras": "keras"}


def code(spec: Spec, framework: str, before: Spec | None = None) -> str:
    """One expression, and a remark after ``#`` where the framework has no such thing.

    Args:
        spec: what was found.
        framework: ``"torch"``, ``"jax"`` or ``"keras"``.
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
    native = (_native(own, given, framework) for own, given in _spellings(spec, framework))
    found = next((c for c in native if c is not None), None) or _ours(spec, framework)
    return found if before is None else _after(before, found, framework)


def _after(before: Spec, found: str, framework: str) -> str:
    """The expression with clipping before it; in PyTorch that is a line of the training loop."""
    by_norm = before.definition.name == "clip_by_global_norm"
    bound = next(iter(before.hyperparameters.values()))
    if framework == "torch":
        return f"torch.nn.utils.clip_grad_{'norm' if by_norm else 'value'}_(params, {bound!r}) before each step of {found}"
    if framework == "keras":
        return f"{found[:-1]}, {'global_clipnorm' if by_norm else 'clipvalue'}={bound!r})"
    return f"optax.chain(optax.clip{'_by_global_norm' if by_norm else ''}({bound!r}), {found})"


def _spellings(spec: Spec, framework: str) -> Iterator[tuple[Optimizer, dict[str, Any]]]:
    """The definitions that say the same: its own, then others of the same text."""
    from lossopt.identify.candidates import same_updates, texts

    values = dict(spec.hyperparameters)
    owners = [spec.definition, *(d for d in texts().get(spec.definition.text, ()) if d is not spec.definition)]
    convention = CONVENTION[framework]
    for d in owners:
        if convention in d.conventions:
            defaults = d.defaults_of(convention)
            given = {n: v for n, v in values.items() if v != defaults[n] or n == "lr"}
            for n in SWITCHES_OF_OTHERS & set(given):  # one that does nothing here need not be said
                if same_updates(spec, replace(spec, hyperparameters={**values, n: defaults[n]})):
                    del given[n]
            yield d, given


def _native(d: Optimizer, given: Mapping[str, Any], framework: str) -> str | None:
    """The framework's own call; None where it has none, or not with these switches."""
    name, _, difference = d.elsewhere.get(CONVENTION[framework], "").partition(";")
    name = name.split(",")[0].strip()
    if not name.startswith(NATIVE[framework]) or " " in name:
        return None
    if framework == "torch":
        if d.name == "nadamw" or any(n in SWITCHES_OF_OTHERS for n in given):
            return None
        return f"{name}(params, {_arguments(given)})"
    lacking = {n for n in given if n != "lr" and f"no {n}" in difference}
    if framework == "jax" and lacking == {"weight_decay"} and not d.defaults.get("decoupled", False) and "decoupled" in d.defaults:
        rest = _native(d, {n: v for n, v in given.items() if n != "weight_decay"}, framework)
        return rest and f"optax.chain(optax.add_decayed_weights({given['weight_decay']!r}), {rest})"
    if lacking or any(n in SWITCHES_OF_OTHERS | {"decoupled", "maximize"} for n in given):
        return None
    if framework == "jax":
        lr = given.get("lr", "learning_rate")
        rest = {k: v for k, v in _unfolded(given, d).items() if k != "lr"}
        return f"{name}({lr!r}{''.join(f', {OPTAX_NAMES.get(k, k)}={v!r}' for k, v in rest.items())})"
    rest = {{"lr": "learning_rate", "eps": "epsilon", "betas[0]": "beta_1", "betas[1]": "beta_2", "alpha": "rho"}.get(k, k): v
            for k, v in _unfolded(given, d).items()}  # fmt: skip
    return f"{name}({_arguments(rest)})"


SWITCHES_OF_OTHERS = frozenset({
    "eps_hat", "amsgrad_max", "eps_inside_root", "lr_before_momentum", "eps_inside_max", "eps_added", "lr_capped", "decay_times_lr",
    "factored_dims", "min_dim_size_to_factor", "bound_always", "at_threshold", "bias_corrected", "input_axis", "decay_first",
})  # fmt: skip
"""Switches that say in which framework's way a rule works: no framework takes them as arguments."""


def _unfolded(given: Mapping[str, Any], d: Optimizer) -> dict[str, Any]:
    """Tuples entry by entry, those that are at their default left out."""
    found: dict[str, Any] = {}
    defaults = d.defaults
    for name, value in given.items():
        if isinstance(value, tuple):
            usual = defaults[name]
            found |= {f"{name}[{i}]": v for i, v in enumerate(value) if not isinstance(usual, tuple) or v != usual[i]}
        else:
            found[name] = value
    return found


def _arguments(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in given.items())


def _ours(spec: Spec, framework: str) -> str:
    backend = "jax" if framework != "torch" else "torch"
    values = {n: v for n, v in spec.hyperparameters.items() if v != spec.definition.defaults_of(spec.convention)[n] or n == "lr"}
    options = [f"{k}={v!r}" for k, v in values.items()]
    if spec.convention != "torch":
        options.append(f"convention={spec.convention!r}")
    params = "params=model, " if framework == "torch" else ""
    own = {"torch": "torch.optim", "jax": "optax", "keras": "keras"}[framework]
    return (f"lossopt.get_optimizer({spec.definition.name!r}, {backend!r}, {params}{', '.join(options)})"
            f"  # {own} has no {spec.definition.name} of this kind")  # fmt: skip
