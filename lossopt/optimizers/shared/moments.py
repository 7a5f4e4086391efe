"""The corrected mean gradient, with a look ahead: what several relatives of Adam step along."""

from __future__ import annotations

from lossopt.ops import Array, Number, Ops


def corrected_mean(ops: Ops, exp_avg: Array, grad: Array, beta: Number, step: Number, nesterov: bool) -> Array:
    """``exp_avg / (1 - beta**t)``; with `nesterov` what it would be after this gradient once more, Dozat's estimate."""
    if not nesterov:
        return exp_avg / ops.bias_correction(beta, step)
    return beta / ops.bias_correction(beta, step + 1) * exp_avg + (1 - beta) / ops.bias_correction(beta, step) * grad
