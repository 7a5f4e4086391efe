"""Whether a history of losses has come to rest, and if not, what it does instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypedDict

import numpy as np

from lossopt.errors import HyperparameterError, InputError

State = Literal["too short", "improving", "flat", "stalled", "rising", "not finite"]
RISING = 0.5
"""Kendall's tau of losses with time from which they rise; of ten that only scatter, one window in fifty exceeds it."""


class Convergence(TypedDict):
    """What `check_optimization_convergence` found."""

    converged: bool
    state: State
    why: str
    best: float | None
    best_at: int | None
    since: int


def check_optimization_convergence(losses: Iterable[Any], patience: int = 10, tolerance: float = 1e-6) -> Convergence:
    """Whether the last losses have brought nothing any more.

    The history has converged when none of its last `patience` losses improved on the best one before by more than
    `tolerance`: they are flat, or scatter about a level (stalled).  A history that has become NaN or infinite, or that
    climbs, has not converged.

    Args:
        losses: numbers, or arrays of one number, oldest first: one per step or epoch.
        patience: how many losses without an improvement, a whole number, at least 1.
        tolerance: what counts as an improvement, in the units of the loss, positive or zero.

    Returns:
        A dict: ``converged``; ``state``, one of "too short", "improving", "flat", "stalled", "rising", "not finite";
        ``why``, the state as a sentence; ``best`` and ``best_at``, the lowest loss and its index (None if there is none);
        ``since``, how many losses have passed since the last improvement.

    Raises:
        InputError: losses that are not numbers.
        HyperparameterError: patience or tolerance is outside its range.

    Example:
        >>> from lossopt.analysis import check_optimization_convergence
        >>> found = check_optimization_convergence([2.0, 1.0, 0.5] + [0.4] * 11, patience=10)
        >>> found["converged"], found["why"]
        (True, 'the last 10 losses stay within 1e-06 of each other')
        >>> check_optimization_convergence([2.0, 1.0, 0.5], patience=10)["why"]
        '3 losses are too few: 10 must pass after the best one'
    """
    history = _numbers(losses)
    _check(patience, tolerance)
    finite = np.flatnonzero(np.isfinite(history))
    best_at = int(finite[history[finite].argmin()]) if len(finite) else None
    best = None if best_at is None else float(history[best_at])
    since = _since_improvement(history, tolerance)
    state = _state(history, since, patience, tolerance)
    why = {
        "too short": f"{len(history)} {'losses are' if len(history) != 1 else 'loss is'} too few: {patience} must pass after the best one",
        "improving": f"the loss improved by more than {tolerance:g} within the last {patience}",
        "flat": f"the last {patience} losses stay within {tolerance:g} of each other",
        "stalled": f"none of the last {patience} losses is a new best by more than {tolerance:g}",
        "rising": f"the last {patience} losses climb",
        "not finite": f"the last loss is {history[-1] if len(history) else None}",
    }[state]
    return Convergence(converged=state in ("flat", "stalled"), state=state, why=why, best=best, best_at=best_at, since=since)


def _state(history: np.ndarray, since: int, patience: int, tolerance: float) -> State:
    recent = history[-patience:]
    if len(history) and not np.isfinite(recent[-1]):
        return "not finite"
    if len(history) <= patience:
        return "too short"
    if since < patience:
        return "improving"
    if not np.isfinite(recent).all():
        return "stalled"
    if recent.max() - recent.min() <= tolerance:
        return "flat"
    return "rising" if _tau(recent) > RISING else "stalled"


def _since_improvement(history: np.ndarray, tolerance: float) -> int:
    """How many losses have passed since one beat the mark by more than `tolerance`, and so became the mark."""
    mark, at = np.inf, -1
    for i, loss in enumerate(history):
        if loss < mark - tolerance:
            mark, at = loss, i
    return len(history) - 1 - at if at >= 0 else len(history)


def _tau(losses: np.ndarray) -> float:
    """Kendall's tau with time: 1 where every loss is above all before it, -1 where it is below."""
    later, earlier = np.tril_indices(len(losses), -1)
    return float(np.sign(losses[later] - losses[earlier]).mean()) if len(later) else 0.0


def _numbers(losses: Iterable[Any]) -> np.ndarray:
    try:
        return np.array([float(loss) for loss in losses])
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"losses must be a list of numbers, oldest first: append loss.item() after every step ({error})") from None


def _check(patience: int, tolerance: float) -> None:
    if isinstance(patience, bool) or not isinstance(patience, int) or patience < 1:
        raise HyperparameterError(f"check_optimization_convergence: patience must be a whole number, at least 1, got {patience!r}")
    if not (isinstance(tolerance, int | float) and 0 <= tolerance < float("inf")):
        raise HyperparameterError(f"check_optimization_convergence: tolerance must be positive or zero, and finite, got {tolerance!r}")
