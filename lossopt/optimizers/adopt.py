"""ADOPT: Adam that divides before it averages, by the second moment of a step ago."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq"),
    conventions={"torch": {}, "optax": {}},
    spellings={"decouple": "decoupled"},
    elsewhere={
        "torch": "adopt.ADOPT; of github.com/iShohei220/adopt, clip_lambda is step**clip_exponent",
        "optax": "optax.contrib.adopt; no default lr, no weight_decay; use_clipping=False is clip_exponent=None, a clip_value_fn "
                 "that is no power of the step is not expressed here",
    },
)  # fmt: skip
def adopt(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.9999),
          eps: NonNegative = 1e-6, weight_decay: NonNegative = 0.0, decoupled: bool = False, clip_exponent: NonNegative | None = 0.25,
          nesterov: bool = False) -> Update:  # fmt: skip
    """ADOPT: a mean of gradients, each over the root of the mean squared gradient of the steps before it.

    Formula; the first step sets ``v = g**2`` and moves nothing; at step t = 2, 3, ...::

        g = grad + weight_decay * param                      (decoupled=False: L2 regularization)
        u = clamp(g / max(sqrt(v), eps), -c, c)              c = (t - 1)**clip_exponent
        m = betas[0] * m + (1 - betas[0]) * u
        v = betas[1] * v + (1 - betas[1]) * g**2
        update = -lr * m                                     (nesterov: -lr * (betas[0] * m + (1 - betas[0]) * u))

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; the least that is divided by.
        weight_decay: at least 0.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        clip_exponent: at least 0; how fast the bound on u grows.  None sets no bound, the paper's first algorithm.
        nesterov: look ahead along the mean.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Shohei Taniguchi, Keno Harada, Gouki Minegishi, Yuta Oshima, Seong Cheol Jeong, Go Nagahara, Tomoshi Iiyama, Masahiro
        Suzuki, Yusuke Iwasawa, Yutaka Matsuo. ADOPT: Modified Adam Can Converge with Any beta2 with the Optimal Rate. 2024.
        arXiv:2411.02853

    Example:
        >>> import lossopt, numpy as np
        >>> adopt = lossopt.get_optimizer("adopt", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = adopt.update(params, adopt.init(params), params)
        >>> bool(updates.any())
        False
        >>> adopt.update(params, state, params)[0].round(6)
        array([-0.01,  0.01])
    """
    if not decoupled:
        grad = grad + weight_decay * param
    normed = grad / ops.maximum(ops.sqrt(state.exp_avg_sq), eps)
    if clip_exponent is not None:
        bound = (step - 1) ** clip_exponent
        normed = ops.maximum(ops.minimum(normed, bound), -bound)
    later = step > 1
    exp_avg = ops.where(later, ops.lerp(state.exp_avg, normed, 1 - betas[0]), state.exp_avg)
    direction = ops.where(later, ops.lerp(exp_avg, normed, 1 - betas[0]), exp_avg) if nesterov else exp_avg
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, ops.where(later, 1 - betas[1], 1.0))
    update = -lr * direction
    if decoupled:
        update = update - ops.where(later, lr, 0.0) * weight_decay * param
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
