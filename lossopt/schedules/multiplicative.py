"""Factors that any function of the step gives, multiplied together."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NonNegative, Number, StepFunction
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.functions import product_of, tabulated


@schedule(
    spellings={"fn": "lr_lambda"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.MultiplicativeLR; a list of functions, one for each group, is not taken; "
                 "state_dict keeps no function",
        "optax": "none; a table of jax.numpy.cumprod",
        "also": "multiplicative_lr",
    },
)  # fmt: skip
def multiplicative(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, lr_lambda: StepFunction = REQUIRED,
                   total_iters: Count | None = None) -> Number:  # fmt: skip
    """lr times the product of a function's values at the steps 1, 2, ..., t.

    Formula, at step t = 0, 1, ...::

        value = lr * lr_lambda(1) * lr_lambda(2) * ... * lr_lambda(t)

    ``lr_lambda(0)`` is never called.  Past the end: there is none; with total_iters no factor comes after that one.

    The function is called with Python's whole numbers and must be pure: products are kept, and each factor is computed
    once.  JAX cannot call it with a traced step, and takes a table of the products up to total_iters, made in float64 when
    the update is compiled: there total_iters must be given.  The function is code, and has no place in a recipe's file.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        lr_lambda: a function of the step, whose value is a factor.
        total_iters: the last step that multiplies, a whole number, at least 1; None is no last.

    Raises:
        ArgumentError: lr_lambda is missing; in JAX, total_iters is.
        HyperparameterError: lr_lambda is no function; a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("multiplicative", lr=0.8, lr_lambda=lambda step: 1 / step)
        >>> schedule(0), schedule(1), schedule(2), round(schedule(3), 6)
        (0.8, 0.8, 0.4, 0.133333)
    """
    return lr * tabulated(ops, product_of(lr_lambda), step, total_iters)
