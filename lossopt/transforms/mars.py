"""MARS: gradients whose variance is reduced by the gradient before."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Fraction, NonNegative, Positive
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@transform(
    slots=("last_grad",),
    conventions={"torch": {}, "optax": {}},
    spellings={"beta1": "beta", "b1": "beta"},
    elsewhere={
        "torch": "mars.MARS; of github.com/AGI-Arena/MARS, is_approx=True: the correction inside its AdamW, Lion and Shampoo; "
                 "optimize_1d=False, its default, leaves vectors uncorrected",
    },
)  # fmt: skip
def mars(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, beta: Fraction = 0.95, gamma: NonNegative = 0.025,
         max_norm: Positive | None = 1.0, first_corrected: bool = True) -> Update:  # fmt: skip
    """Correct the gradient by how it changed since the step before, and shrink what is then too long.

        c_t = g_t + gamma * beta / (1 - beta) * (g_t - g_{t-1})                         g_0 = 0
        g  <-  c_t * max_norm / max(||c_t||, max_norm)           ||.||: over the elements of one parameter

    This is the paper's approximate form.  The exact form takes g_{t-1} anew on the batch at hand, at the parameters of
    the step before, and so needs two gradients for a step.  It stands before the rule that averages what it is given,
    ``chain(mars(beta=0.95), adamw(betas=(0.95, 0.99)))``; the paper leaves vectors and embeddings to a plain AdamW, for
    which there is `route`.

    Args:
        beta: the first decay rate of the rule behind, in [0, 1).
        gamma: how strong the correction is, at least 0; 0.025 in the paper.
        max_norm: the largest norm of a corrected gradient, positive; None lets every length pass.
        first_corrected: correct the first gradient against zero, as the authors' code does; False begins with
            ``c_1 = g_1``, as the paper does, where the first two points are one.

    Paper:
        Yuan, Liu, Wu, Zhou, Gu: MARS: Unleashing the Power of Variance Reduction for Training Large Models, 2024,
        arXiv:2411.10438

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> mars = get_optimizer("mars", backend="numpy", beta=0.5, gamma=1.0, max_norm=None)
        >>> params = np.zeros(2)
        >>> _, state = mars.update(np.array([1.0, 1.0]), mars.init(params), params)
        >>> mars.update(np.array([2.0, 0.5]), state, params)[0]
        array([3., 0.])
    """
    strength = gamma * beta / (1 - beta)
    if not first_corrected:
        strength = ops.where(step > 1, strength, 0.0)
    corrected = grad + strength * (grad - state.last_grad)
    if max_norm is not None:
        corrected = corrected * (max_norm / ops.maximum(ops.norm(corrected), max_norm))
    return corrected, state.replace(last_grad=grad)
