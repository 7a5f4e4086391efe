"""What a real run adds, in Flax: python examples/flax_transformer_advanced.py

The language model of flax_transformer.py with no weight decay on biases and norms, a clipped gradient, gradient
accumulation, a warm-up joined to a cosine, and a moving average of the parameters that the model is evaluated with.
torch_transformer_advanced.py is its twin.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from flax_transformer import Transformer

import lossopt
from lossopt.optimizers import adamw
from lossopt.schedules import cosine, linear, sequential
from lossopt.tasks import get_task
from lossopt.transforms import chain, clip_by_global_norm, ema

PARTS = 2
"""A batch is taken in so many parts, one after the other: half the memory."""


def main(steps: int = 150) -> float:
    """Train, and return the held-out bits per character of the averaged model."""
    data = get_task("characters").data()
    (x, y), (x_test, y_test) = data.train, data.test
    random = np.random.default_rng(0)

    model = Transformer(nnx.Rngs(0))
    loss_fn = lossopt.get_loss("cross_entropy", backend="jax", axis=-1)

    warm_up = steps // 10
    schedule = sequential(lr=5e-3, schedules=(linear(start_factor=0.1, total_iters=warm_up), cosine(T_max=steps - warm_up)),
                          milestones=(warm_up,))  # fmt: skip
    spec = ema(chain(clip_by_global_norm(max_norm=1.0), adamw(lr=schedule, weight_decay=0.1)), decay=0.95)
    no_decay = {"*bias": {"weight_decay": 0.0}, "*norm*": {"weight_decay": 0.0}}
    tx = lossopt.get_optimizer(spec, backend="jax", groups=no_decay)
    optimizer = nnx.Optimizer(model, optax.MultiSteps(tx, PARTS).gradient_transformation(), wrt=nnx.Param)

    @nnx.jit
    def train_step(model: nnx.Module, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
        loss, grads = nnx.value_and_grad(lambda model: loss_fn(model(x), y))(model)
        optimizer.update(model, grads)  # gathers the gradient; every PARTS calls the parameters move
        return loss

    for step in range(steps):
        for _ in range(PARTS):
            batch = random.integers(len(x), size=32)
            loss = train_step(model, optimizer, jnp.asarray(x[batch]), jnp.asarray(y[batch]))
        if step % 30 == 0:
            print(f"step {step:3d}  loss {loss:.4f}  lr {schedule(step + 1):.1e}")

    params, state = nnx.as_pure(nnx.state(model, nnx.Param)), nnx.as_pure(optimizer.opt_state)
    averaged = nnx.clone(model)
    nnx.update(averaged, tx.eval_params(state.inner_opt_state, params))
    bits = float(loss_fn(averaged(jnp.asarray(x_test)), jnp.asarray(y_test)) / np.log(2))
    print(f"held-out bits per character {bits:.2f}")
    return bits


if __name__ == "__main__":
    main()
