"""What JAX must know of lossopt's own containers: Vector and State are trees."""

from __future__ import annotations

import jax

from lossopt.vector import State, Vector

jax.tree_util.register_pytree_node(Vector, lambda v: (v.leaves, None), lambda _, leaves: Vector(leaves))
jax.tree_util.register_pytree_node(
    State,
    lambda s: (tuple(v for _, v in s.items()), tuple(n for n, _ in s.items())),
    lambda names, slots: State(**dict(zip(names, slots, strict=True))),
)
