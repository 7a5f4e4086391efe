"""Step decay: a factor every so many steps."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NonNegative, Number
from lossopt.ops import ScheduleOps


@schedule(
    spellings={"initial_learning_rate": "lr", "init_value": "lr", "transition_steps": "step_size", "decay_steps": "step_size",
               "decay_rate": "gamma"},
    elsewhere={
        "torch": "torch.optim.lr_scheduler.StepLR; step_size counts calls of step(), epochs by custom",
        "optax": "optax.exponential_decay; with staircase=True: transition_steps is step_size, decay_rate is gamma",
        "keras": "keras.optimizers.schedules.ExponentialDecay; with staircase=True: decay_steps is step_size, decay_rate is gamma",
        "also": "step_lr",
    },
)  # fmt: skip
def step(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, step_size: Count = REQUIRED, gamma: NonNegative = 0.1) -> Number:
    """Step decay: the value is multiplied by gamma after every step_size steps.

    Formula, at step t = 0, 1, ...::

        value = lr * gamma ** floor(t / step_size)

    Past the end: there is none; it goes on.

    Args:
        lr: the base value, at least 0; with a torch optimizer each group's own lr.
        step_size: steps between two drops, a whole number, at least 1; the step number step_size has the new value.
        gamma: the factor, at least 0.

    Raises:
        ArgumentError: step_size is missing.
        HyperparameterError: a hyperparameter is outside its range.

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("step", lr=0.8, step_size=30, gamma=0.5)
        >>> schedule(29), schedule(30), schedule(90)
        (0.8, 0.4, 0.1)
    """
    return lr * ops.power(gamma, step // step_size)
