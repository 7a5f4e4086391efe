"""Clipping by the global norm."""

from __future__ import annotations

from lossopt.definition import transform
from lossopt.hyper import NonNegative
from lossopt.ops import Array, Ops, Update
from lossopt.vector import State


@transform(
    conventions={"torch": {}, "optax": {"eps": 0.0}},
    elsewhere={
        "torch": "torch.nn.utils.clip_grad_norm_; Euclidean norm, foreach or not",
        "optax": "optax.clip_by_global_norm; nothing is added to the norm",
        "keras": "keras.optimizers.Optimizer(global_clipnorm)",
    },
)
def clip_by_global_norm(ops: Ops, grads: Array, state: State, params: Array, *, max_norm: NonNegative = 1.0,
                        eps: NonNegative = 1e-6) -> Update:  # fmt: skip
    """Shrink all gradients together so that their common Euclidean norm is at most `max_norm`.

        g  <-  g * max_norm / max(||g|| + eps, max_norm)          ||g||: over every element of every parameter

    A gradient with a smaller norm is unchanged.  PyTorch adds 1e-6 to the norm, which is a relative difference of
    1e-6 / ||g|| from optax; the optax convention adds nothing.  An infinite or NaN gradient makes NaN in both: put
    `apply_if_finite` outside.

    Args:
        max_norm: the largest norm that passes unchanged, in the gradient's units; zero or more.
        eps: added to the norm; torch 1e-6, optax 0.

    Paper:
        Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks, 2013, arXiv:1211.5063

    Example:
        >>> import numpy as np
        >>> from lossopt import get_optimizer
        >>> clip = get_optimizer("clip_by_global_norm", backend="numpy", max_norm=1.0, convention="optax")
        >>> grads = {"a": np.array([3.0]), "b": np.array([4.0])}
        >>> clip.update(grads, clip.init(grads), grads)[0]
        {'a': array([0.6]), 'b': array([0.8])}
    """
    return grads * (max_norm / ops.maximum(ops.norm(grads) + eps, max_norm)), state
