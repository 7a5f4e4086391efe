"""The Transformer's schedule."""

from __future__ import annotations

from lossopt.definition import schedule
from lossopt.hyper import REQUIRED, Count, NonNegative, Number
from lossopt.ops import ScheduleOps


@schedule(
    spellings={"factor": "lr", "model_size": "d_model", "warmup": "warmup_steps"},
    elsewhere={
        "torch": "none; LambdaLR on an optimizer with lr=1",
        "optax": "none; a function of the count",
        "also": "transformer",
    },
)
def noam(ops: ScheduleOps, step: Number, *, lr: NonNegative = 1.0, d_model: Count = REQUIRED, warmup_steps: Count = 4000) -> Number:
    """The Transformer's schedule: a line up for warmup_steps steps, then the inverse square root of the step.

    Formula, for the update number n = t + 1 = 1, 2, ...::

        value = lr * d_model ** -0.5 * min(n ** -0.5, n * warmup_steps ** -1.5)

    Past the end: there is none; it goes on.

    Args:
        lr: a factor, at least 0; with a torch optimizer each group's own lr.  The peak, at update warmup_steps, is
            ``lr / sqrt(d_model * warmup_steps)``.
        d_model: the width of the model, a whole number, at least 1.
        warmup_steps: the length of the warm-up, a whole number, at least 1.

    Raises:
        ArgumentError: d_model is missing.
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Ashish Vaswani and others. Attention Is All You Need. 2017. arXiv:1706.03762

    Example:
        >>> import lossopt
        >>> schedule = lossopt.get_schedule("noam", d_model=64, warmup_steps=4)
        >>> [round(schedule(t), 12) for t in (0, 1, 3, 15)]
        [0.015625, 0.03125, 0.0625, 0.03125]
    """
    number = step + 1
    return lr * d_model**-0.5 * ops.where(number < warmup_steps, number * warmup_steps**-1.5, 1 / ops.sqrt(number))
