"""DP-SGD: what one example can change is bounded and covered with noise."""

from __future__ import annotations

import math

from lossopt.definition import optimizer
from lossopt.errors import InputError
from lossopt.hyper import Count, Fraction, NonNegative, Positive, Seed
from lossopt.ops import Array, Noise, Number, Ops, Update
from lossopt.vector import State


def squares(ops: Ops, examples: Array, param: Array) -> Array:
    """The squared norm of each example's gradient of one parameter, as a column."""
    if tuple(examples.shape[1:]) != tuple(param.shape) or len(examples.shape) == 0:
        raise InputError(
            f"dpsgd takes the gradient of each example, on a leading axis: for a parameter of shape {tuple(param.shape)} one of shape "
            f"{('examples', *param.shape)}, got {tuple(examples.shape)}".replace("'", "")
        )
    flat = ops.reshape(examples, (examples.shape[0], math.prod(param.shape)))
    return ops.sum(flat * flat, 1)


def weighted_sum(ops: Ops, factors: Array, examples: Array, param: Array) -> Array:
    """The sum of the gradients of all examples, each with its factor."""
    flat = ops.reshape(examples, (examples.shape[0], math.prod(param.shape)))
    return ops.reshape(ops.sum(factors * flat, 0), tuple(param.shape))


@optimizer(
    slots=("momentum_buffer if momentum",),
    conventions={"torch": {}, "optax": {"eps": 0.0}},
    spellings={"l2_norm_clip": "max_grad_norm", "key": "seed"},
    elsewhere={
        "torch": "opacus.optimizers.DPOptimizer; around torch.optim.SGD, with noise of torch's generator",
        "optax": "optax.contrib.dpsgd, optax.per_example_global_norm_clip; max_grad_norm is l2_norm_clip, nothing is added to the norm; "
                 "draws other numbers from the same seed; no defaults",
    },
)  # fmt: skip
def dpsgd(ops: Ops, example_grads: Array, state: State, params: Array, step: Number, noise: Noise, *, lr: NonNegative = 1e-3,
          max_grad_norm: Positive = 1.0, noise_multiplier: NonNegative = 1.0, momentum: Fraction = 0.0, nesterov: bool = False,
          eps: NonNegative = 1e-6, expected_batch_size: Count | None = None, seed: Seed = 0) -> Update:  # fmt: skip
    """Differentially private SGD: the gradient of each example is clipped, their sum gets noise as large as one of them.

    Formula, with g_i the gradient of example i of B, its norm over all parameters together, n standard normals::

        s = sum over i of g_i * min(1, max_grad_norm / (norm(g_i) + eps))
        g = (s + noise_multiplier * max_grad_norm * n) / B
        b = momentum * b + g
        update = -lr * b                                 (nesterov: -lr * (g + momentum * b))

    Args:
        lr: the learning rate, at least 0.
        max_grad_norm: positive; the largest norm that one example's gradient keeps.
        noise_multiplier: at least 0; the standard deviation of the noise in units of max_grad_norm.
        momentum: decay rate of the sum of noisy gradients, in [0, 1); 0 keeps no sum.
        nesterov: look ahead along the sum.
        eps: at least 0; added to a norm (Opacus 1e-6, optax 0).
        expected_batch_size: B where batches are drawn at random and their size tells something (Opacus); None is the size of
            the batch.
        seed: of the noise; a whole number, at least 0 and below 2**32.  Who knows it can take the noise off again: keep it secret.

    Takes the gradient of each example on a leading axis.  In JAX: ``jax.vmap(jax.grad(loss), in_axes=(None, 0))(params, batch)``,
    handed to ``update`` in place of the gradient.  In PyTorch: in ``p.grad_sample``, where ``opacus.GradSampleModule`` puts it, or
    ``torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))``.  It stands alone or first in a chain.  The privacy that a run
    spends is for an accountant to count (Opacus, dp-accounting); uniform numbers of 24 bits are no cryptographic noise.

    Shapes: any; norms are over all parameters together.  State: ``momentum_buffer`` where there is momentum, as the parameters.

    Raises:
        HyperparameterError: a hyperparameter is outside its range; seed is a schedule.
        InputError: a gradient has no leading axis; two parameters have one name.
        ArgumentError: another rule would change the gradients before it.

    References:
        Martin Abadi, Andy Chu, Ian Goodfellow, H. Brendan McMahan, Ilya Mironov, Kunal Talwar, Li Zhang. Deep Learning with
        Differential Privacy. 2016. arXiv:1607.00133

    Example:
        >>> import lossopt, numpy as np
        >>> dpsgd = lossopt.get_optimizer("dpsgd", backend="numpy", lr=1.0, noise_multiplier=0.0, convention="optax")
        >>> params = np.zeros(2)
        >>> grads = np.array([[30.0, 40.0], [0.0, 0.2]])     # two examples: the first is clipped to norm 1
        >>> dpsgd.update(grads, dpsgd.init(params), params)[0].round(6)
        array([-0.3, -0.5])
    """
    norm = ops.sqrt(sum(ops.each(squares, example_grads, params).leaves))
    factors = max_grad_norm / ops.maximum(norm + eps, max_grad_norm)
    total = ops.each(weighted_sum, factors, example_grads, params)
    count = example_grads.leaves[0].shape[0] if expected_batch_size is None else expected_batch_size
    grads = (total + noise_multiplier * max_grad_norm * noise(seed, step)) / count
    direction = grads
    if "momentum_buffer" in state:
        buffer = momentum * state.momentum_buffer + grads
        state, direction = state.replace(momentum_buffer=buffer), (grads + momentum * buffer if nesterov else buffer)
    return -lr * direction, state
