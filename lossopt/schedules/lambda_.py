"""A factor that any function of the step gives."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NonNegative, Number, StepFunction
from lossopt.ops import ScheduleOps
from lossopt.schedules.shared.functions import call, tabulated


@schedule(
    spellings={"fn": "lr_lambda"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.LambdaLR; a list of functions, one for each group, is not taken: give the groups schedules, "
                 "groups={...: {'lr': schedule}}; state_dict keeps no function",
        "optax": "none; any function of the count is a schedule there",
        "keras": "keras.callbacks.LearningRateScheduler; its function gives the value from the epoch and the last value",
        "also": "lambda, lambda_lr, custom",
    },
)  # fmt: skip
def lambda_(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, lr_lambda: StepFunction = REQUIRED,
            total_iters: Count | None = None) -> Number:  # fmt: skip
    """A function of the step, as a factor of lr.

    Formula, at step t = 0, 1, ...::

        value = lr * lr_lambda(t)                      without total_iters
        value = lr * lr_lambda(min(t, total_iters))    with it

    Past the end: the function says; with total_iters it stays at the value there.

    In JAX the function is called once, with the traced count: JAX's functions and arithmetic work, Python's ``if``, ``min``
    and ``math`` do not, and float32 rounds as JAX's does (``0.9999**step`` is off by 1.7e-3 at step 100,000).  With
    total_iters any function works, and exactly: it is called with the whole numbers up to total_iters when the update is
    compiled, and its values are a table made in float64.

    It should be pure: what else it reads is not saved with the scheduler.  It is code, and has no place in a recipe's file.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        lr_lambda: a function of the step, or a schedule.
        total_iters: the last step at which the value changes, a whole number, at least 1; None is no last.

    Raises:
        ArgumentError: lr_lambda is missing.
        HyperparameterError: lr_lambda is no function; a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("lambda", lr=0.8, lr_lambda=lambda step: 0.5**step)
        >>> schedule(0), schedule(3)
        (0.8, 0.1)
    """
    return lr * (call(ops, lr_lambda, step) if total_iters is None else tabulated(ops, lr_lambda, step, total_iters))
