"""Schedules walked: by a scheduler of PyTorch, as plain functions of the step, and two walks held together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from lossopt import get_schedule
from lossopt.parity.case import ScheduleCase
from lossopt.schedules.spec import ScheduleSpec

RTOL = 1e-12
FLOOR = 1e-16  # of the largest value: what float64 leaves of `1 + cos(x)` near pi, in torch and optax


def ids(case: ScheduleCase) -> str:
    """The name of a case among the tests."""
    return re.sub(r" at 0x\w+", "", repr(get_schedule(case.name, **case.options)))[:90]  # the same in every worker


def sgd(lr: float = 0.1, **more: Any) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, **more)


def walk(scheduler: Any, steps: int) -> list[float]:
    """The lr before each step, as the first group sees it."""
    found = []
    for _ in range(steps):
        found.append(float(scheduler.optimizer.param_groups[0]["lr"]))
        scheduler.optimizer.step()
        scheduler.step()
    return found


def same(found: Sequence[float], wanted: Sequence[float], rtol: float = RTOL) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=FLOOR * max(map(abs, wanted), default=1.0))


def plain(spec: ScheduleSpec, steps: int) -> list[float]:
    return [spec(t) for t in range(steps)]
