"""In which floating-point types a recipe trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lossopt import hyper
from lossopt.errors import ArgumentError, HyperparameterError, suggest

Params = Literal["float32", "float64", "bfloat16"]
Compute = Literal["float32", "float64", "bfloat16", "float16"]
LossScale = Literal["dynamic"] | hyper.Positive | None

FIELDS: Mapping[str, Any] = {"compute": Compute, "params": Params, "loss_scale": LossScale}
WORDS: Mapping[str, tuple[str, str]] = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "bfloat16": ("bfloat16", "float32"),
    "float16": ("float16", "float32"),
}
"""What one word stands for: (compute, params).  The half precisions are mixed: parameters and their updates stay float32."""


@dataclass(frozen=True)
class Precision:
    """The floating-point types of the forward and backward pass, and of the parameters.

    Attributes:
        compute: of the model's arithmetic: "float32", "float64", "bfloat16" or "float16".
        params: of the parameters: "float32", "float64" or "bfloat16".  Where `compute` is narrower the parameters are
            cast for each pass; the optimizer sees gradients in the parameters' own type.
        loss_scale: the loss is multiplied by it, and the gradients are divided by it, so that small float16 gradients do
            not become zero: "dynamic" (grows while all is finite; an update that is not finite is left out), a positive
            number, or None.  For float16 it is "dynamic" unless another is given; other types need none.

    Raises:
        HyperparameterError: a type that there is not, or two that do not go together.

    Example:
        >>> Precision.of("float16")
        Precision(compute='float16', params='float32', loss_scale='dynamic')
        >>> Precision.of({"compute": "bfloat16"}).word
        'bfloat16'
    """

    compute: Compute
    params: Params
    loss_scale: Any = None

    def __post_init__(self) -> None:
        for name, annotation in FIELDS.items():
            hyper.check("precision", name, getattr(self, name), annotation)
        if self.compute != self.params and not (self.params == "float32" and self.compute in ("bfloat16", "float16")):
            raise HyperparameterError(f"precision: params {self.params!r} do not go with compute {self.compute!r}: write the same for both, "
                                      "or params: float32 with compute: bfloat16 or float16")  # fmt: skip
        if self.loss_scale is not None and self.compute != "float16":
            raise HyperparameterError(f"precision: loss_scale is for compute: float16; {self.compute} has the range that it needs: leave it out")

    @classmethod
    def of(cls, given: Any) -> Precision:
        """From a word, ``{"compute": ..., "params": ..., "loss_scale": ...}`` or a Precision."""
        if isinstance(given, Precision):
            return given
        if isinstance(given, str):
            if given not in WORDS:
                raise HyperparameterError(f"precision must be {hyper.describe(Literal[tuple(WORDS)])}, got {given!r}{suggest(given, WORDS)}")
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
    def mixed(self) -> bool:
        """Whether parameters are cast for each pass."""
        return self.compute != self.params

    @property
    def word(self) -> str | dict[str, Any]:
        """The shortest that means this: one word, or the keys."""
        for word in WORDS:
            if Precision.of(word) == self:
                return word
        full = {"compute": self.compute, "params": self.params}
        return full if self.compute != "float16" else {**full, "loss_scale": self.loss_scale}
