"""An optimizer of your own: ten lines of mathematics, native objects in both frameworks.

    python examples/my_optimizer.py

trains one small regression with it in JAX and in PyTorch and prints both losses beside each other.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from lossopt import get_optimizer, optimizer


@optimizer(slots=("exp_avg", "exp_avg_abs"))
def softsign_descent(ops, grad, state, param, step, *, lr=1e-2, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.0):
    """The average gradient over the average size of the gradient: bounded steps, without a square in sight."""
    average = ops.lerp(state.exp_avg, grad, 1 - betas[0])
    size = ops.lerp(state.exp_avg_abs, ops.abs(grad), 1 - betas[1])
    correction = ops.bias_correction(betas[1], step) / ops.bias_correction(betas[0], step)
    update = -lr * (correction * average / (size + eps) + weight_decay * param)
    return update, state.replace(exp_avg=average, exp_avg_abs=size)


RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 5)).astype(np.float32)
Y = X @ np.array([1.0, -2.0, 0.5, 0.0, 3.0], np.float32)


def train_in_jax(steps: int = 200) -> list[float]:
    """The losses of a linear regression, an optax transformation under jit."""
    tx = get_optimizer("softsign_descent", backend="jax", lr=0.05)
    params = jnp.zeros(5)
    state = tx.init(params)

    @jax.jit
    def step(params, state):
        loss, grads = jax.value_and_grad(lambda w: jnp.mean((X @ w - Y) ** 2))(params)
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    losses = []
    for _ in range(steps):
        params, state, loss = step(params, state)
        losses.append(float(loss))
    return losses


def train_in_torch(steps: int = 200) -> list[float]:
    """The same with a torch.optim.Optimizer."""
    weights = torch.nn.Parameter(torch.zeros(5))
    opt = get_optimizer("softsign_descent", backend="torch", params=[weights], lr=0.05)
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = torch.mean((torch.from_numpy(X) @ weights - torch.from_numpy(Y)) ** 2)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


if __name__ == "__main__":
    print("step       jax     torch")
    for t, (a, b) in enumerate(zip(train_in_jax(), train_in_torch(), strict=True)):
        if t % 40 == 0 or t == 199:
            print(f"{t:4d}  {a:8.5f}  {b:8.5f}")
