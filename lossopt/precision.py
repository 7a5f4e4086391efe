"""In which numbers to compute: one value for both frameworks, and what each makes of it.

``Precision(compute, params, loss_scale)`` is plain data.  ``precision.part("torch")`` and ``precision.part("jax")`` are
objects of the same methods, so that a training step reads the same in both frameworks::

    policy = Precision.of("bfloat16").part(backend)
    model = policy.cast_model(model)                             # parameters in `params`, in place
    optimizer = ...                                              # of policy.rule(spec): with the loss scale, where it is a rule

    def loss_of(model, x, y):
        return loss_fn(policy.forward(model, x), y)              # computed in `compute`; predictions and loss in float32

    loss = policy.step(model, optimizer, loss_of, x, y)          # one update; parts=4: of four micro-batches

``forward(function, *inputs)`` also takes a function of arrays, such as ``forward(apply, params, x)``.  Its pieces, for a
loop of one's own:

=====================================  ==========================================  =====================================
what                                   torch                                       jax
=====================================  ==========================================  =====================================
gradients, times the scale             ``gradients(loss_of, model, *batch)``       ``gradients(loss_of, model, optimizer,
                                       into ``p.grad``; returns the loss           *batch)``; returns loss and gradients
a loss times the scale                 ``backward(loss)``                          ``scale(loss, optimizer)``
the gradients themselves               ``unscale(optimizer)``, in place            ``unscale(gradients, optimizer)``
the update, unless one is not finite   ``update(optimizer)``                       ``optimizer.update(model, gradients)``
the scale now                          ``loss_scale(optimizer)``                   ``loss_scale(optimizer)``
to be saved                            ``state_dict()``, ``load_state_dict()``     it is in the optimizer's state
=====================================  ==========================================  =====================================

In JAX `optimizer` is an ``nnx.Optimizer``, or the state of a transformation, where parameters are a tree.

Both backends' ``precision`` modules also have ``checkpoint(function)`` and ``checkpoint_modules(model, *patterns)``,
which keep less for the backward pass and compute it again there.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lossopt import hyper
from lossopt.errors import ArgumentError, HyperparameterError, InputError, suggest

Params = Literal["float32", "float64", "bfloat16"]
Compute = Literal["float32", "float64", "bfloat16", "float16"]
LossScale = Literal["dynamic"] | hyper.Positive | None

FIELDS: Mapping[str, Any] = {"compute": Compute, "params": Params, "loss_scale": LossScale}
"""The type and range of each field.  Parameters are never float16: an update below 6e-8 would be lost, and
torch.amp.GradScaler refuses their gradients."""

WORDS: Mapping[str, tuple[str, str]] = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "bfloat16": ("bfloat16", "float32"),
    "float16": ("float16", "float32"),
}
"""What one word stands for: (compute, params).  The half precisions are mixed: parameters and their updates stay float32."""

DYNAMIC: Mapping[str, float | int] = {"init_scale": 2.0**16, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000}
"""The dynamic loss scale: torch.amp.GradScaler's numbers, and the defaults of `lossopt.transforms.loss_scale`."""


@dataclass(frozen=True)
class Precision:
    """The floating-point types of the forward and backward pass, and of the parameters.

    Attributes:
        compute: of the model's arithmetic: "float32", "float64", "bfloat16" or "float16".
        params: of the parameters: "float32", "float64" or "bfloat16".  Where `compute` is narrower the parameters are
            cast for each pass; the optimizer sees gradients in the parameters' own type.
        loss_scale: the loss is multiplied by it, and the gradients are divided by it, so that small float16 gradients do
            not become zero: "dynamic" (torch.amp.GradScaler's: it grows while all is finite), a positive number that
            stays, or None for the other types, which need none.  An update that is not finite is left out.

    Raises:
        HyperparameterError: a type that there is not, two that do not go together, or float16 without a loss scale.

    Example:
        >>> Precision.of("float16")
        Precision(compute='float16', params='float32', loss_scale='dynamic')
        >>> Precision.of({"compute": "bfloat16"}).word
        'bfloat16'
    """

    compute: Compute = "float32"
    params: Params = "float32"
    loss_scale: Any = None

    def __post_init__(self) -> None:
        for name in ("compute", "params"):
            hyper.check("precision", name, getattr(self, name), FIELDS[name])
        if hyper.is_live(self.loss_scale) or not _allowed(self.loss_scale, LossScale):
            raise HyperparameterError("precision: loss_scale must be 'dynamic', a positive and finite number, or None, "
                                      f"got {self.loss_scale!r}")  # fmt: skip
        if self.compute != self.params and not (self.params == "float32" and self.compute in ("bfloat16", "float16")):
            raise HyperparameterError(f"precision: params {self.params!r} do not go with compute {self.compute!r}: write the same for "
                                      "both, or params: float32 with compute: bfloat16 or float16")  # fmt: skip
        if self.loss_scale is not None and self.compute != "float16":
            raise HyperparameterError(f"precision: loss_scale is for compute: float16; {self.compute} has the range that it needs: "
                                      "leave it out")  # fmt: skip
        if self.loss_scale is None and self.compute == "float16":
            raise HyperparameterError("precision: float16 makes gradients below 6e-8 zero: write loss_scale: dynamic, "
                                      "or compute: bfloat16, which needs no loss scale")  # fmt: skip

    @classmethod
    def of(cls, given: Any) -> Precision:
        """From a word, ``{"compute": ..., "params": ..., "loss_scale": ...}`` or a Precision.

        What the mapping leaves out is the usual: parameters in float32 with half precision, else as `compute`; a dynamic
        loss scale for float16.

        Raises:
            HyperparameterError: as Precision itself.
            ArgumentError: a key that there is not.
        """
        if isinstance(given, Precision):
            return given
        if isinstance(given, str):
            if given not in WORDS:
                allowed = hyper.describe(Literal[tuple(WORDS)])
                raise HyperparameterError(f"precision must be {allowed}, got {given!r}{suggest(given, WORDS)}")
            compute, params = WORDS[given]
            return cls(compute, params, "dynamic" if compute == "float16" else None)  # type: ignore[arg-type]
        if not isinstance(given, Mapping):
            raise HyperparameterError(f"precision must be {hyper.describe(Literal[tuple(WORDS)])}, or keys and values such as "
                                      f"{{compute: bfloat16, params: float32}}, got {given!r}")  # fmt: skip
        if unknown := [k for k in given if k not in FIELDS]:
            raise ArgumentError(f"precision has no {unknown[0]!r}{suggest(str(unknown[0]), FIELDS) or '.'} It has: {', '.join(FIELDS)}")
        compute = given.get("compute", given.get("params", "float32"))
        params = given.get("params", WORDS[compute][1] if compute in WORDS else "float32")
        return cls(compute, params, given.get("loss_scale", "dynamic" if compute == "float16" else None))

    @property
    def word(self) -> str | dict[str, Any]:
        """The shortest that means this: one word, or the keys."""
        for word in WORDS:
            if Precision.of(word) == self:
                return word
        full = {"compute": self.compute, "params": self.params}
        return full if self.compute != "float16" else {**full, "loss_scale": self.loss_scale}

    @property
    def mixed(self) -> bool:
        """Whether parameters are cast for each pass."""
        return self.compute != self.params

    @property
    def scale(self) -> Mapping[str, float | int] | None:
        """The loss scale in the words of `lossopt.transforms.loss_scale`: one that stays neither grows nor backs off."""
        if self.loss_scale is None or self.loss_scale == "dynamic":
            return None if self.loss_scale is None else DYNAMIC
        return {"init_scale": float(self.loss_scale), "growth_factor": 1.0, "backoff_factor": 1.0}

    def part(self, backend: str) -> Any:
        """What a backend makes of it: ``lossopt_torch.precision.Policy`` or ``lossopt_jax.precision.Policy``.

        Raises:
            MissingBackendError: the framework is not installed.
            ArgumentError: numpy, which is the float64 referee and trains no models.
        """
        from lossopt import registry

        if backend == "numpy":
            raise ArgumentError("numpy is the float64 referee and has no precision to choose; the backends that have are jax and torch")
        return registry.backend(backend).part("precision").Policy(self)


def parts_of(batch: tuple[Any, ...], parts: int) -> Iterator[tuple[Any, ...]]:
    """The micro-batches of a batch, along the first axis of each of its arrays.

    Raises:
        ArgumentError: `parts` is no whole number of 1 or more.
        InputError: the micro-batches would not be of equal size.

    Example:
        >>> list(parts_of(([1, 2, 3, 4],), 2))
        [([1, 2],), ([3, 4],)]
    """
    size = part_size(batch, parts)
    for i in range(parts):
        yield tuple(x[i * size : (i + 1) * size] for x in batch)


def part_size(batch: tuple[Any, ...], parts: int) -> int:
    """How many samples each of `parts` micro-batches has; the errors are those of `parts_of`."""
    if isinstance(parts, bool) or not isinstance(parts, numbers.Integral) or parts < 1:
        raise ArgumentError(f"parts must be a whole number, 1 or more, got {parts!r}")
    if not batch:
        raise InputError("there is no batch to part: give its arrays after the loss function, step(model, optimizer, loss_of, x, y)")
    sizes = [len(x) for x in batch]
    if len(set(sizes)) > 1:
        raise InputError(f"the arrays of a batch have one first axis; got lengths {', '.join(map(str, sizes))}")
    if sizes[0] % parts:
        near = max(n for n in range(1, parts + 1) if sizes[0] % n == 0)
        raise InputError(f"a batch of {sizes[0]} has no {parts} equal parts, and the mean of unequal ones is another: write parts={near}")
    return sizes[0] // parts


def check_reduction(reduction: str) -> None:
    """``"mean"`` or ``"sum"``, what the loss function itself does with its samples."""
    if reduction not in ("mean", "sum"):
        raise ArgumentError(f"reduction must be 'mean' or 'sum', as the loss function's own, got {reduction!r}")


def chosen(names: list[str], patterns: tuple[str, ...]) -> list[str]:
    """The names of modules that match a pattern (shell wildcards), without those inside another one that does.

    Raises:
        ArgumentError: a pattern that matches nothing.

    Example:
        >>> chosen(["blocks", "blocks.0", "blocks.0.up", "output"], ("blocks.*",))
        ['blocks.0']
    """
    from lossopt.carry import matches

    if not patterns:
        raise ArgumentError("which modules? Name them, such as checkpoint_modules(model, 'blocks.*')")
    for pattern in patterns:
        if not any(matches(name, pattern) for name in names):
            raise ArgumentError(f"{pattern!r} matches none of the model's modules{suggest(pattern.strip('*.'), names) or '.'} "
                                f"They are: {', '.join(names)}")  # fmt: skip
    found = [name for name in names if any(matches(name, pattern) for pattern in patterns)]
    return [name for name in found if not any(name.startswith(other + ".") for other in found)]


def _allowed(value: Any, annotation: Any) -> bool:
    try:
        hyper.check("", "", value, annotation)
    except HyperparameterError:
        return False
    return True
