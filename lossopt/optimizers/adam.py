"""Adam, AdamW and AMSGrad: one text; decoupling the weight decay and keeping the largest second moment are switches."""

from __future__ import annotations

from typing import Literal

from lossopt.definition import optimizer
from lossopt.hyper import Betas, NonNegative
from lossopt.ops import Array, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    slots=("exp_avg", "exp_avg_sq", "max_exp_avg_sq if amsgrad"),
    conventions={
        "torch": {},
        "optax": {"amsgrad_max": "corrected"},
        "keras": {"eps": 1e-7, "eps_hat": True, "decoupled": True},
    },
    spellings={"decoupled_weight_decay": "decoupled"},
    elsewhere={
        "torch": "torch.optim.Adam",
        "optax": "optax.adam; no weight_decay, no default lr; amsgrad is optax.amsgrad, with the maximum of the corrected moment",
        "keras": "keras.optimizers.Adam; eps 1e-7, added to the root of the uncorrected moment; weight_decay decoupled",
    },
)
def adam(ops: Ops, grad: Array, state: State, param: Array, step: Number, *, lr: NonNegative = 1e-3, betas: Betas = (0.9, 0.999),
         eps: NonNegative = 1e-8, weight_decay: NonNegative = 0.0, decoupled: bool = False, amsgrad: bool = False,
         amsgrad_max: Literal["raw", "corrected"] = "raw", eps_hat: bool = False, maximize: bool = False) -> Update:  # fmt: skip
    """Adam: the step is the mean gradient over the root of the mean squared gradient, both corrected for starting at zero.

    Formula, at step t = 1, 2, ...::

        g = grad + weight_decay * param                      (decoupled=False: L2 regularization)
        m = betas[0] * m + (1 - betas[0]) * g                c1 = 1 - betas[0]**t
        v = betas[1] * v + (1 - betas[1]) * g**2             c2 = 1 - betas[1]**t
        update = -lr * (m / c1) / (sqrt(v / c2) + eps)

    Args:
        lr: the learning rate, at least 0: nearly the largest change of a coordinate in one step.
        betas: decay rates of m and v, each in [0, 1).
        eps: at least 0; bounds the step where gradients are tiny.
        weight_decay: at least 0.
        decoupled: decay the parameter, ``update - lr * weight_decay * param``, rather than adding to the gradient.
        amsgrad: divide by the largest second moment so far.
        amsgrad_max: the maximum is taken of the ``"raw"`` moment and corrected by today's c2 (torch, keras), or of the
            ``"corrected"`` one (optax).
        eps_hat: add eps to ``sqrt(v)`` rather than to ``sqrt(v / c2)``, the epsilon hat of the paper (keras).
        maximize: ascend; the gradient is negated before the decay joins it.

    Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq`` (with amsgrad ``max_exp_avg_sq``), as the parameter.

    Raises:
        HyperparameterError: a hyperparameter is outside its range.

    References:
        Diederik P. Kingma, Jimmy Ba. Adam: A Method for Stochastic Optimization. 2015. arXiv:1412.6980
        Sashank J. Reddi, Satyen Kale, Sanjiv Kumar. On the Convergence of Adam and Beyond (amsgrad). 2018. arXiv:1904.09237

    Example:
        >>> import lossopt, numpy as np
        >>> adam = lossopt.get_optimizer("adam", backend="numpy", lr=0.1)
        >>> params = np.array([1.0, -2.0])
        >>> updates, state = adam.update(params, adam.init(params), params)
        >>> updates.round(6)
        array([-0.1,  0.1])
    """
    if maximize:
        grad = -grad
    if not decoupled:
        grad = grad + weight_decay * param
    exp_avg = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    exp_avg_sq = ops.lerp(state.exp_avg_sq, grad * grad, 1 - betas[1])
    state = state.replace(exp_avg=exp_avg, exp_avg_sq=exp_avg_sq)
    first, second = ops.bias_correction(betas[0], step), ops.bias_correction(betas[1], step)
    corrected = exp_avg_sq / second
    if amsgrad and amsgrad_max == "raw":
        highest = ops.maximum(state.max_exp_avg_sq, exp_avg_sq)
        state, corrected = state.replace(max_exp_avg_sq=highest), highest / second
    elif amsgrad:
        corrected = ops.maximum(state.max_exp_avg_sq, corrected)
        state = state.replace(max_exp_avg_sq=corrected)
    if eps_hat:
        eps = eps / ops.sqrt(second)
    update = -(lr / first) * exp_avg / (ops.sqrt(corrected) + eps)
    return (update - lr * weight_decay * param if decoupled else update), state


adamw = adam.variant(
    "adamw",
    decoupled=True,
    weight_decay=1e-2,
    conventions={
        "torch": {},
        "optax": {"weight_decay": 1e-4, "amsgrad_max": "corrected"},
        "keras": {"weight_decay": 4e-3, "eps": 1e-7, "eps_hat": True},
    },
    elsewhere={
        "torch": "torch.optim.AdamW",
        "optax": "optax.adamw; weight_decay 1e-4 by default, no default lr, no amsgrad",
        "keras": "keras.optimizers.AdamW; weight_decay 4e-3 by default; eps 1e-7, added to the root of the uncorrected moment",
    },
    doc="""AdamW: Adam whose weight decay acts on the parameter and does not pass through the moments.

Formula, with m, v, c1 and c2 as in adam, of the bare gradient::

    update = -lr * ((m / c1) / (sqrt(v / c2) + eps) + weight_decay * param)

Args:
    lr: the learning rate, at least 0; it scales the decay too.
    betas: decay rates of the two moments, each in [0, 1).
    eps: at least 0; bounds the step where gradients are tiny.
    weight_decay: at least 0; each step takes away ``lr * weight_decay`` of the parameter.
    decoupled, amsgrad, amsgrad_max, eps_hat, maximize: as in adam.

Shapes: any, elementwise.  State: ``exp_avg`` and ``exp_avg_sq`` (with amsgrad ``max_exp_avg_sq``), as the parameter.

Raises:
    HyperparameterError: a hyperparameter is outside its range.

References:
    Ilya Loshchilov, Frank Hutter. Decoupled Weight Decay Regularization. 2019. arXiv:1711.05101

Example:
    >>> import lossopt, numpy as np
    >>> adamw = lossopt.get_optimizer("adamw", backend="numpy", lr=0.1, weight_decay=0.5)
    >>> params = np.array([1.0, -2.0])
    >>> updates, state = adamw.update(params, adamw.init(params), params)
    >>> updates.round(6)
    array([-0.15,  0.2 ])""",
)


amsgrad = adam.variant(
    "amsgrad",
    amsgrad=True,
    conventions={
        "torch": {},
        "optax": {"amsgrad_max": "corrected"},
        "keras": {"eps": 1e-7, "eps_hat": True, "decoupled": True},
    },
    elsewhere={
        "torch": "torch.optim.Adam; with amsgrad=True: the maximum of the raw moment",
        "optax": "optax.amsgrad; the maximum of the corrected moment; no weight_decay, no default lr; eps_root and moments without "
                 "bias correction are not expressed here",
        "keras": "keras.optimizers.Adam; with amsgrad=True; eps 1e-7, added to the root of the uncorrected moment",
    },
    doc="""AMSGrad: Adam that divides by the largest second moment so far, so that its rate never grows.

Formula, with m, v, c1 and c2 as in adam::

    V = max(V, v)
    update = -lr * (m / c1) / (sqrt(V / c2) + eps)           (amsgrad_max="corrected": V = max(V, v / c2), sqrt(V) + eps)

Args:
    lr: the learning rate, at least 0.
    betas: decay rates of the two moments, each in [0, 1).
    eps: at least 0; bounds the step where gradients are tiny.
    weight_decay: at least 0; L2 regularization unless decoupled.
    amsgrad: False is plain Adam.
    decoupled, amsgrad_max, eps_hat, maximize: as in adam.

Shapes: any, elementwise.  State: ``exp_avg``, ``exp_avg_sq`` and ``max_exp_avg_sq``, as the parameter.

Raises:
    HyperparameterError: a hyperparameter is outside its range.

References:
    Sashank J. Reddi, Satyen Kale, Sanjiv Kumar. On the Convergence of Adam and Beyond. 2018. arXiv:1904.09237

Example:
    >>> import lossopt, numpy as np
    >>> amsgrad = lossopt.get_optimizer("amsgrad", backend="numpy", lr=0.1, betas=(0.0, 0.5))
    >>> params = np.array([1.0])
    >>> state = amsgrad.init(params)
    >>> for gradient in (4.0, 1.0):
    ...     updates, state = amsgrad.update(np.array([gradient]), state, params)
    >>> updates.round(6)  # adam takes -0.042008 here: v is 4.5, and 8 before
    array([-0.030619])""",
)
