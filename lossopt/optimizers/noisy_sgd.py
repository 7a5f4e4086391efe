"""Gradient descent with noise that fades."""

from __future__ import annotations

from lossopt.definition import optimizer
from lossopt.hyper import Finite, NonNegative, Seed
from lossopt.noise import annealed
from lossopt.ops import Array, Noise, Number, Ops, Update
from lossopt.vector import State


@optimizer(
    conventions={"torch": {}, "optax": {}},
    spellings={"key": "seed"},
    elsewhere={"optax": "optax.noisy_sgd; no default lr; draws other numbers from the same seed, and its key may be a jax.random.key"},
)
def noisy_sgd(ops: Ops, grad: Array, state: State, param: Array, step: Number, noise: Noise, *, lr: NonNegative = 1e-3,
              eta: NonNegative = 0.01, gamma: Finite = 0.55, seed: Seed = 0) -> Update:  # fmt: skip
    """Gradient descent on a gradient with normal noise of a variance that falls as training goes.

    Formula, at step t = 1, 2, ..., with n standard normals, new ones at every step::

        update = -lr * (grad + sqrt(eta / t**gamma) * n)

    Args:
        lr: the learning rate, at least 0.
        eta: the variance at the first step, at least 0, in squared units of the gradient.
        gamma: how fast the variance falls.
        seed: of the noise; a whole number, at least 0 and below 2**32.

    The noise of an element is a function of the seed, the parameter's name, the element's place in the parameter and the step:
    the same numbers in NumPy, PyTorch and JAX, for ``named_parameters()`` and a tree with the same names (Flax's ``kernel`` is
    PyTorch's ``weight``), on any device and for any sharding.  A parameter that lies transposed gets other numbers.

    Shapes: any, elementwise.  State: none beside the step.

    Raises:
        HyperparameterError: a hyperparameter is outside its range; seed is a schedule.
        InputError: two parameters have one name.

    References:
        Arvind Neelakantan, Luke Vilnis, Quoc V. Le, Ilya Sutskever, Lukasz Kaiser, Karol Kurach, James Martens. Adding Gradient
        Noise Improves Learning for Very Deep Networks. 2015. arXiv:1511.06807

    Example:
        >>> import lossopt, numpy as np
        >>> params = {"weight": np.zeros(3)}
        >>> for seed in (0, 0, 1):
        ...     noisy_sgd = lossopt.get_optimizer("noisy_sgd", backend="numpy", lr=1.0, eta=1.0, seed=seed)
        ...     print(noisy_sgd.update(params, noisy_sgd.init(params), params)[0]["weight"].round(4))
        [-0.4136  0.8318  1.8032]
        [-0.4136  0.8318  1.8032]
        [-1.0039 -1.2058  1.3987]
    """
    return -lr * (grad + annealed(ops, step, eta, gamma) * noise(seed, step)), state
