"""Lion: the sign of an interpolated momentum."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg",),
    conventions={"torch": {}, "optax": {"weight_decay": 1e-3}, "keras": {"lr": 1e-3}},
    elsewhere={
        "torch": "lion_pytorch.Lion; its decoupled_weight_decay divides weight_decay by the initial lr",
        "optax": "optax.lion; weight_decay 1e-3 by default, no default lr",
        "keras": "keras.optimizers.Lion; lr 1e-3 by default",
    },
)
def lion(ops: Ops, grad: Array, state: State, param: Array, *, lr: NonNegative = 1e-4, betas: Betas = (0.9, 0.99),
         weight_decay: NonNegative = 0.0) -> Update:  # fmt: skip
    """Lion: every coordinate moves by lr, in the direction that gradient and momentum agree on.

    Formula::

        direction = sign(betas[0] * m + (1 - betas[0]) * grad)
        update = -lr * (direction + weight_decay * param)
        m = betas[1] * m + (1 - betas[1]) * grad

    Args:
        lr: the learning rate, at least 0: how far each coordinate moves.  A third to a tenth of AdamW's serves well.
        betas: each in [0, 1): the first weighs momentum against gradient in a step, the second is its decay rate.
        weight_decay: at least 0, decoupled and scaled by lr; three to ten times AdamW's goes with the smaller lr.

    Shapes: any, elementwise.  State: ``exp_avg``, as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Xiangning Chen, Chen Liang, Da Huang, Esteban Real, Kaiyuan Wang, Yao Liu, Hieu Pham, Xuanyi Dong, Thang Luong,
        Cho-Jui Hsieh, Yifeng Lu, Quoc V. Le. Symbolic Discovery of Optimization Algorithms. 2023. arXiv:2302.06675

    Example:
        >>> import lossopt, numpy as np
        >>> lion = lossopt.get_optimizer("lion", backend="numpy", lr=0.01)
        >>> params = np.array([1.0, -20.0])
        >>> updates, state = lion.update(params, lion.init(params), params)
        >>> updates
        array([-0.01,  0.01])
    """
    direction = ops.sign(ops.lerp(state.exp_avg, grad, 1 - betas[0]))
    return -lr * (direction + weight_decay * param), state.replace(exp_avg=ops.lerp(state.exp_avg, grad, 1 - betas[1]))
