"""What a simulated run was made with, in the words of an identification: it stands in for `lossopt.identify` in tests of what
`diff` makes of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lossopt.definition import Spec
from lossopt.losses import cross_entropy, mse_loss
from lossopt.registry import definition
from planted.simulate import Options

NAMES = {"eps_inside": "eps_inside_root", "start": "initial_accumulator_value"}


@dataclass(frozen=True)
class Told:
    """A fit that is certain."""

    spec: Any
    residual: float = 0.0

    def code(self, framework: str) -> str:
        return f"{self.spec}" if framework == "torch" else f"{self.spec} in JAX"


@dataclass(frozen=True)
class Telling:
    best: Told | None


def optimizer(o: Options) -> Spec | None:
    """The spec of a run's optimizer; None where lossopt has no such thing."""
    given = {NAMES.get(k, k): v for k, v in o.hyper.items()}
    if not given.pop("correct", True) or (o.optimizer in ("adam", "adamw") and given.pop("eps_inside_root", False)):
        return None
    if kind := given.pop("amsgrad", None):
        given |= {"amsgrad": True, "amsgrad_max": kind}
    return definition(o.optimizer, "optimizer")(lr=o.lr, **given)


def loss(o: Options) -> Any:
    """The spec of a run's loss."""
    if o.loss != "cross_entropy":
        return mse_loss.configure(reduction=o.reduction)
    weight = (0.5, 1.0, 2.0, 1.5, 0.25) if o.weights else None
    return cross_entropy.configure(reduction=o.reduction, label_smoothing=o.smoothing, weight=weight, ignore_index=o.ignore)


def teller(by_label: dict[str, Options]) -> Any:
    """An `identify` that knows."""
    def identify(recording: Any, what: str) -> Telling:
        o = by_label[recording.label]
        if what == "optimizer" and o.moments != "float32":
            return Telling(None)
        spec = optimizer(o) if what == "optimizer" else loss(o)
        return Telling(None if spec is None else Told(spec))

    return identify
