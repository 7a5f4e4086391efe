"""Does JAX work here?  What ``lossopt doctor`` asks of a backend."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from lossopt import get_optimizer


def one_step(start: float, gradient: float, lr: float) -> float:
    """One parameter after one AdamW update at its defaults, compiled."""
    optimizer = get_optimizer("adamw", backend="jax", lr=lr)
    params = jnp.array([start], jnp.float32)
    updates, _ = jax.jit(optimizer.update)(jnp.array([gradient], jnp.float32), optimizer.init(params), params)
    return float((params + updates)[0])


def facts() -> dict[str, str]:
    """What decides about numbers here."""
    x64 = jax.config.jax_enable_x64  # type: ignore[attr-defined]
    return {
        "devices": ", ".join(str(d) for d in jax.devices()),
        "float64": "enabled" if x64 else "off: arrays are float32; jax.config.update('jax_enable_x64', True) enables it",
    }
