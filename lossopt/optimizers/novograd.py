"""NovoGrad: one second moment for each parameter, of its gradient's norm."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


def novograd_start(ops: Ops, param: Array) -> State:
    return State(moments=ops.zeros_like(param), grads_ema=ops.sum(ops.zeros_like(param)))


@optimizer(
    start=novograd_start,
    conventions={"torch": {}, "optax": {"betas": (0.9, 0.25), "eps": 1e-6}},
    elsewhere={
        "torch": "pytorch_optimizer.NovoGrad; its decoupled decay is not expressed here",
        "optax": "optax.novograd; betas (0.9, 0.25) and eps 1e-6 by default, no default lr",
    },
)
def novograd(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
             betas: Betas = (0.95, 0.98), eps: NonNegative = 1e-8, eps_root: NonNegative = 0.0, weight_decay: NonNegative = 0.0,
             grad_averaging: bool = False) -> Update:  # fmt: skip
    """NovoGrad: gradients of norm about 1 for each parameter, then momentum; half the memory of Adam.

    Formula, with v = norm(grad)**2 and m = u at the first step::

        v = betas[1] * v + (1 - betas[1]) * norm(grad)**2
        u = grad / (sqrt(v + eps_root) + eps) + weight_decay * param
        m = betas[0] * m + u                             (grad_averaging: + (1 - betas[0]) * u)
        update = -lr * m

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; bounds the direction where gradients are tiny.
        eps_root: at least 0; the same, inside the root.
        weight_decay: at least 0; part of u, so the momentum sums it.
        grad_averaging: average u rather than sum it; the steps are about ``1 - betas[0]`` times as long.

    Shapes: any; the norm is over one whole parameter.  State: ``moments`` as the parameter, ``grads_ema`` one number.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Boris Ginsburg, Patrice Castonguay, Oleksii Hrinchuk, Oleksii Kuchaiev, Vitaly Lavrukhin, Ryan Leary, Jason Li, Huyen
        Nguyen, Yang Zhang, Jonathan M. Cohen. Stochastic Gradient Methods with Layer-wise Adaptive Moments for Training of Deep
        Networks. 2019. arXiv:1905.11286

    Example:
        >>> import lossopt, numpy as np
        >>> novograd = lossopt.get_optimizer("novograd", backend="numpy", lr=0.1, eps=0.0)
        >>> params = np.array([3.0, -4.0])
        >>> novograd.update(params, novograd.init(params), params)[0]
        array([-0.06,  0.08])
    """
    square = ops.dot(grad, grad)
    grads_ema = ops.where(step > 1, ops.lerp(state.grads_ema, square, 1 - betas[1]), square)
    direction = grad / (ops.sqrt(grads_ema + eps_root) + eps) + weight_decay * param
    share = ops.where(step > 1, 1 - betas[0], 1.0) if grad_averaging else 1.0
    moments = betas[0] * state.moments + share * direction
    return -lr * moments, state.replace(moments=moments, grads_ema=grads_ema)
