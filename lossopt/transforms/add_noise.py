"""Noise on the gradient, as a link of a chain."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import Finite, NonNegative, Seed
from lossopt.noise import annealed
from lossopt.ops import Array, Noise, Number, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {}},
    spellings={"key": "seed"},
    elsewhere={"optax": "optax.add_noise; no defaults; draws other numbers from the same seed, and its key may be a jax.random.key"},
)
def add_noise(ops: Ops, grad: Array, state: State, param: Array, step: Number, noise: Noise, *, eta: NonNegative = 0.01,
              gamma: Finite = 0.55, seed: Seed = 0) -> Update:  # fmt: skip
    """Add normal noise of a variance that falls as training goes.

        g  <-  g + sqrt(eta / t**gamma) * n          n: standard normals, new ones at every step t = 1, 2, ...

    The noise is the same in every backend, see `noisy_sgd`, which is ``chain(add_noise(), sgd())``.  Two links with one seed add
    the same numbers: give each a seed of its own.

    Args:
        eta: the variance at the first step, at least 0, in squared units of what passes through.
        gamma: how fast the variance falls.
        seed: of the noise; a whole number, at least 0 and below 2**32.

    Raises:
        HyperparameterError: a hyperparameter is outside its range; seed is a schedule.
        InputError: two parameters have one name.

    Paper:
        Neelakantan, Vilnis, Le, Sutskever, Kaiser, Kurach, Martens: Adding Gradient Noise Improves Learning for Very Deep
        Networks, 2015, arXiv:1511.06807

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> noisy = get_optimizer("add_noise", backend="numpy", eta=0.01, seed=7)
        >>> params = np.zeros(100_000)
        >>> updates, state = noisy.update(params, noisy.init(params), params)
        >>> round(float(updates.std()), 3)
        0.1
    """
    return grad + annealed(ops, step, eta, gamma) * noise(seed, step), state
