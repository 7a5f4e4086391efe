"""Small training loops that the tests of recordings record."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch import nn


def torch_run(**hyper):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    return model, torch.optim.AdamW(model.parameters(), **{"lr": 1e-2, **hyper})


def batches(steps):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(4, 6)).astype(np.float32), rng.integers(3, size=4)) for _ in range(steps)]


def train(model, optimizer, steps, after_backward=lambda: None, criterion=nn.functional.cross_entropy):
    losses = []
    for x, y in batches(steps):
        optimizer.zero_grad()
        loss = criterion(model(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        after_backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def arrays_of(model):
    return {name: p.detach().numpy().copy() for name, p in model.named_parameters()}


def jax_loss(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(jnp.tanh(x @ params["w"]["kernel"]) @ params["out"] + params["b"], y).mean()


def jax_params():
    rng = np.random.default_rng(1)
    return {"w": {"kernel": jnp.asarray(rng.normal(size=(6, 5)), jnp.float32)}, "out": jnp.asarray(rng.normal(size=(5, 3)), jnp.float32),
            "b": jnp.zeros(3)}  # fmt: skip


def train_in_jax(tx, steps=6, *, value=True, tell=lambda *_: None, jit=True, params=None, state=None):
    """Parameters and gradients before each step, losses, and what is left at the end."""

    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(jax_loss)(params, x, y)
        extras = {"value": loss} if value else {}
        updates, state = tx.update(grads, state, params, **extras)
        return optax.apply_updates(params, updates), state, loss, grads, updates

    step = jax.jit(step) if jit else step
    params = jax_params() if params is None else params
    state = tx.init(params) if state is None else state
    seen, losses = [], []
    for x, y in batches(steps):
        before = params
        params, state, loss, grads, updates = step(params, state, x, y)
        tell(x, y, loss)
        seen.append((before, grads, updates))
        losses.append(float(loss))
    return seen, losses, params, state


def flat(tree):
    return {name: np.asarray(x) for name, x in zip(("b", "out", "w.kernel"), jax.tree.leaves(tree), strict=True)}
