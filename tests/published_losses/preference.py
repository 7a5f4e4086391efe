"""The family of direct preference optimization."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _sppo(c: float, r: float, b: float, e: float) -> float:
    """Wu et al. 2024, equation 4.7 with hard labels, in units of 1 / eta = beta."""
    return (c - 1 / (2 * b)) ** 2 + (r + 1 / (2 * b)) ** 2


def _exo(c: float, r: float, b: float, e: float) -> float:
    """Ji et al. 2024, equation 16: the reverse divergence of the model's pair from (1 - e, e)."""
    p = _s(b * (c - r))
    return p * math.log(p / (1 - e)) + (1 - p) * math.log((1 - p) / e)


PAIRS: Mapping[str, Callable[[float, float, float, float], float]] = {
    # Rafailov et al. 2023, equation 7; Mitchell 2023, equation 3
    "sigmoid": lambda c, r, b, e: -(1 - e) * math.log(_s(b * (c - r))) - e * math.log(1 - _s(b * (c - r))),
    "hinge": lambda c, r, b, e: max(0.0, 1 - b * (c - r)),  # Zhao et al. 2023, with the reference of DPO
    "ipo": lambda c, r, b, e: (c - r - 1 / (2 * b)) ** 2,  # Azar et al. 2023, equation 17
    "robust": lambda c, r, b, e: (-(1 - e) * math.log(_s(b * (c - r))) + e * math.log(1 - _s(b * (c - r)))) / (1 - 2 * e),
    "exo_pair": _exo,
    # Chen et al. 2024, equation 12
    "nca_pair": lambda c, r, b, e: -math.log(_s(b * c)) - (math.log(1 - _s(b * c)) + math.log(1 - _s(b * r))) / 2,
    "apo_zero": lambda c, r, b, e: (1 - _s(b * c)) + _s(b * r),  # D'Oosterlinck et al. 2024, equation 3
    "apo_down": lambda c, r, b, e: _s(b * c) + (1 - _s(b * (c - r))),  # equation 4
    "sppo_hard": _sppo,
}


def dpo_loss(pc: Any, pr: Any, rc: Any, rr: Any, *, beta: float, loss_type: str, label_smoothing: float, reference_free: bool) -> Values:
    chosen, rejected = (pc, pr) if reference_free else (pc - rc, pr - rr)
    values = [PAIRS[loss_type](c, r, beta, label_smoothing) for c, r in zip(chosen.tolist(), rejected.tolist(), strict=True)]
    return np.array(values), len(values)


PUBLISHED: Mapping[str, Callable[..., Values]] = {"dpo_loss": dpo_loss}
