"""Flax modules in float64: two of them compute in float32 whatever their parameters are."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import nnx


def compute_in(model: nnx.Module, dtype: np.dtype) -> None:
    """Have a model compute in float64, where that is what its parameters will have; in float32 nothing changes.

    nnx.Embed casts to the precision that it was made in.  nnx.dot_product_attention goes through
    jax.nn.dot_product_attention, whose softmax is in float32; with weights to sow it goes through its own, which is not.
    """
    if dtype != np.float64:
        return
    for _, module in nnx.iter_graph(model):
        if isinstance(module, nnx.Embed):
            module.dtype = dtype
        if isinstance(module, nnx.MultiHeadAttention) and module.attention_fn is nnx.dot_product_attention:
            module.attention_fn = _attention


class _Nowhere:
    """Takes sown weights and keeps none."""

    def sow(self, *_: Any) -> None:
        pass


def _attention(*arrays: jax.Array, module: Any = None, **options: Any) -> jax.Array:
    return nnx.dot_product_attention(*arrays, module=module or _Nowhere(), **options)
