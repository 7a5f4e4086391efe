"""SparseAdam: Adam that leaves alone the rows whose gradient is zero."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq"),
    conventions={"torch": {}, "optax": {}},
    elsewhere={
        "torch": "torch.optim.SparseAdam; it takes sparse gradients only, and updates a row that one holds as zeros",
        "also": "LazyAdam, SparseAdam",
    },
    by_rows=True,
)
def sparse_adam(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3,
                betas: Betas = (0.9, 0.999), eps: NonNegative = 1e-8, maximize: bool = False) -> Update:  # fmt: skip
    """SparseAdam, or lazy Adam: a row (an embedding's vector) and its moments change only when it has a gradient.

    Formula, at step t = 1, 2, ..., for each row whose gradient is not wholly zero::

        m = betas[0] * m + (1 - betas[0]) * grad             c1 = 1 - betas[0]**t
        v = betas[1] * v + (1 - betas[1]) * grad**2          c2 = 1 - betas[1]**t
        update = -lr * sqrt(c2) / c1 * m / (sqrt(v) + eps)

    Every other row keeps its m and v, and its update is 0.  The step t is the parameter's, not the row's.

    Args:
        lr: the learning rate, at least 0.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; added to the root of the uncorrected v.
        maximize: ascend.

    Shapes: any; rows are along the first axis, of a vector each element is one.  State: ``exp_avg`` and ``exp_avg_sq``, as the
    parameter.  In PyTorch a gradient may be sparse, as ``torch.nn.Embedding(sparse=True)`` makes it: then only its rows are
    read and written.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Diederik P. Kingma, Jimmy Ba. Adam: A Method for Stochastic Optimization. 2015. arXiv:1412.6980

    Example:
        >>> import lossopt, numpy as np
        >>> sparse_adam = lossopt.get_optimizer("sparse_adam", backend="numpy", lr=0.1)
        >>> params = np.array([[1.0, -2.0], [3.0, 4.0]])
        >>> grads = np.array([[1.0, -2.0], [0.0, 0.0]])
        >>> updates, state = sparse_adam.update(grads, sparse_adam.init(params), params)
        >>> updates.round(5)
        array([[-0.1,  0.1],
               [ 0. ,  0. ]])
    """
    if maximize:
        grad = -grad
    held = ops.abs(ops.sign(grad))  # 1, also for a gradient whose square would vanish; NaN for NaN, which is a gradient too
    for axis in range(1, len(param.shape)):
        held = ops.mean(held, axis)
    untouched = held <= 0
    exp_avg = ops.where(untouched, state.exp_avg, ops.lerp(state.exp_avg, grad, 1 - betas[0]))
    exp_avg_sq = ops.where(untouched, state.exp_avg_sq, ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1]))
    rate = lr * ops.sqrt(ops.bias_correction(betas[1], step)) / ops.bias_correction(betas[0], step)
    update = ops.where(untouched, 0.0, -rate * exp_avg / (ops.sqrt(exp_avg_sq) + eps))
    return update, state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
