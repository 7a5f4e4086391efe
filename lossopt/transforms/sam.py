"""Sharpness-aware minimisation."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NonNegative, Positive
from lossopt.ops import Array, Evaluate, Inner, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {"eps": 0.0}},
    elsewhere={
        "torch": "sam.SAM; of github.com/davda54/sam, first_step and second_step",
        "optax": "optax.contrib.sam; opaque_mode=True, adversary chain(normalize(), sgd(rho))",
    },
)
def sam(ops: Ops, grads: Array, state: State, params: Array, inner: Inner, evaluate: Evaluate, *, rho: Positive = 0.05,
        eps: NonNegative = 1e-12, adaptive: bool = False) -> Update:  # fmt: skip
    """Give the wrapped rule the gradient of the worst point near by.

        g' = gradient at  p + rho * g / (||g|| + eps)                          ||.||: over all parameters
        adaptive (ASAM):  p + rho * p^2 * g / (|| |p| * g || + eps)
        update = rule(g')

    It asks for the loss function: ``step(closure)`` in PyTorch, ``update(..., value_fn=f)`` in JAX, ``evaluate=f`` in
    NumPy.  The model runs twice per update, so dropout draws anew and batch statistics move twice.

    Args:
        inner: the rule that takes the step.
        rho: the radius of the neighbourhood, in the parameters' units; positive.
        eps: added to the norm; optax adds nothing and is NaN at a zero gradient.
        adaptive: measure the neighbourhood relative to each parameter's size.

    Raises:
        ArgumentError: at an update that was given no loss function.

    Paper:
        Foret, Kleiner, Mobahi, Neyshabur: Sharpness-Aware Minimization for Efficiently Improving Generalization, 2021,
        arXiv:2010.01412;  Kwon, Kim, Park, Choi: ASAM, 2021, arXiv:2102.11600

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> from lossopt.transforms import sam
        >>> optimizer = get_optimizer(sam(sgd(lr=0.1), rho=1.0), backend="numpy")
        >>> params = np.array([2.0])
        >>> updates, _ = optimizer.update(params, optimizer.init(params), params, evaluate=lambda p: (0.5 * (p * p).sum(), p))
        >>> updates
        array([-0.3])
    """
    if adaptive:
        direction, size = params * params * grads, ops.norm(params * grads)
    else:
        direction, size = grads, ops.norm(grads)
    _, sharp = evaluate(params + direction * (rho / (size + eps)))
    delta, own = inner(sharp, state.inner, params)
    return delta, state.replace(inner=own)
