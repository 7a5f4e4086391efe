"""Loss scaling: half-precision gradients that neither vanish nor overflow."""

from __future__ import annotations

from typing import Annotated, Any

from lossopt.definition import Spec, transform
from lossopt.errors import ArgumentError
from lossopt.hyper import Count, Positive, Range
from lossopt.ops import Array, Inner, Number, Ops, Update
from lossopt.vector import State

GrowthFactor = Annotated[float, Range(low=1)]
BackoffFactor = Annotated[float, Range(0, 1, open_low=True)]

LARGEST = (2 - 2**-23) * 2.0**127
"""The largest float32: a scale does not grow beyond it, in whatever precision it is kept."""


def start(ops: Ops, params: Array, *, init_scale: float) -> State:
    """The first scale, and no finite step yet."""
    return State(scale=ops.number(init_scale, params), growth_tracker=ops.number(0.0, params))


def check(inner: Spec, **_: Any) -> None:
    """Only the gradient that is handed in carries the scale."""
    if "evaluate" in inner.asks:
        raise ArgumentError(f"loss_scale() cannot wrap {inner!r}, which takes further gradients, of the loss without its scale: "
                            "leave the loss scale out, as with bfloat16")  # fmt: skip


@transform(
    start=start,
    check=check,
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.amp.GradScaler; beside the optimizer, in a loop of scale(loss).backward(), step(optimizer), update()",
        "optax": "none; flax.training.dynamic_scale.DynamicScale has these numbers, and never goes below float32's smallest",
        "keras": "keras.optimizers.LossScaleOptimizer; initial_scale is 32768, dynamic_growth_steps is growth_interval",
    },
)
def loss_scale(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, *, init_scale: Positive = 2.0**16,
               growth_factor: GrowthFactor = 2.0, backoff_factor: BackoffFactor = 0.5,
               growth_interval: Count = 2000) -> Update:  # fmt: skip
    """Take the gradients of ``scale * loss``, undo the scale, skip what is not finite, and adapt the scale.

        g finite:  update = rule(g / scale);  n <- n + 1;  where n = growth_interval: scale <- scale * growth_factor, n <- 0
        else:      update = 0, the rule's state stays;     scale <- scale * backoff_factor,  n <- 0

    A float16 gradient below 6e-8 is 0 and one above 65504 infinite; a scale, a power of two, moves them to where the
    numbers are.  The caller multiplies the loss with the slot ``scale``: in JAX ``opt_state.slots.scale``.  It belongs
    outside of everything: clipping sees the true gradient in ``loss_scale(chain(clip_by_global_norm(), adamw()))``.  A
    growth that float32 does not hold is not made.  Factors of 1 keep the scale as it is.

    Args:
        inner: the rule to be given true and finite gradients.
        init_scale: the first scale; positive.
        growth_factor: what the scale is multiplied with after `growth_interval` finite steps in a row, at least 1.
        backoff_factor: what it is multiplied with after a step that is not finite, in (0, 1].
        growth_interval: a whole number of steps, at least 1.

    State: ``scale``, ``growth_tracker`` (the n above).

    Raises:
        ArgumentError: the rule evaluates the loss at other points, as sam does.

    Paper:
        Micikevicius et al.: Mixed Precision Training, 2018, arXiv:1710.03740

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import loss_scale
        >>> optimizer = get_optimizer(loss_scale(sgd(lr=0.5), init_scale=8.0), backend="numpy")
        >>> params = np.array([1.0])
        >>> updates, state = optimizer.update(np.array([16.0]), optimizer.init(params), params)
        >>> skipped, (count, slots) = optimizer.update(np.array([np.inf]), state, params)
        >>> updates, skipped, float(slots.scale)
        (array([-1.]), array([0.]), 4.0)
    """
    finite = ops.is_finite(grads)
    scale, tracker = adapted(ops, state.scale, state.growth_tracker, finite, growth_factor, backoff_factor, growth_interval)

    def apply() -> Update:
        delta, own = inner(grads * (1.0 / state.scale), state.inner, params)
        return delta, State(scale=scale, growth_tracker=tracker, inner=own)

    def skip() -> Update:
        return ops.zeros_like(params), State(scale=scale, growth_tracker=tracker, inner=state.inner)

    return ops.cond(finite, apply, skip)


def adapted(ops: Ops, scale: Number, tracker: Number, finite: Any, growth_factor: Number, backoff_factor: Number,
            growth_interval: Number) -> tuple[Any, Any]:  # fmt: skip
    """The next scale, and how many finite steps in a row there have been since it grew."""
    full = tracker + 1 >= growth_interval
    grown = ops.where(full & (scale * growth_factor <= LARGEST), scale * growth_factor, scale)
    counted = ops.where(full, 0.0, tracker + 1)
    return ops.where(finite, grown, scale * backoff_factor), ops.where(finite, counted, 0.0)
