"""The diagonal of a Hessian, estimated from gradients: what sophia is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lossopt import noise
from lossopt_numpy.optimizers import flatten, unflatten
from lossopt_numpy.words import words


def hutchinson(gradient: Callable[[Any], Any], params: Any, *, step: int = 0, samples: int = 1, seed: int = 0,
               distance: float = 1e-4) -> Any:  # fmt: skip
    """Hutchinson's estimate of the Hessian's diagonal: the mean of ``s * (H s)`` over vectors s of random signs.

    NumPy differentiates nothing, so H s is a difference of gradients.  The signs are those of the other backends.

    Args:
        gradient: ``point -> gradient``, both as `params`.
        params: a dict, list, tuple (nested at will) or an array.
        step: which signs are drawn: another one for each estimate.
        samples: how many vectors are averaged.
        seed: of the signs.
        distance: how far to each side the gradient is taken.

    Example:
        >>> import numpy as np
        >>> estimate = hutchinson(lambda p: p**3, np.array([1.0, -2.0]))
        >>> estimate.round(6)
        array([ 3., 12.])
    """
    names, leaves = flatten(params)
    total = [np.zeros_like(x) for x in leaves]
    for sample in range(samples):
        drawn = [words.normal(x, noise.key_of(seed, n), step * samples + sample) for n, x in zip(names, leaves, strict=True)]
        signs = [np.where(x < 0, -1.0, 1.0) for x in drawn]
        ahead, behind = (
            flatten(gradient(unflatten(params, iter([x + side * distance * s for x, s in zip(leaves, signs, strict=True)]))))[1]
            for side in (1.0, -1.0)
        )
        for i, s in enumerate(signs):
            total[i] += s * (ahead[i] - behind[i]) / (2 * distance * samples)
    return unflatten(params, iter(total))
