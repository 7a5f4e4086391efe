"""What a real run adds, in PyTorch: python examples/torch_transformer_advanced.py

The language model of torch_transformer.py with no weight decay on biases and norms, a clipped gradient, gradient
accumulation, a warm-up joined to a cosine, and a moving average of the parameters that the model is evaluated with.
flax_transformer_advanced.py is its twin.
"""

from __future__ import annotations

import math

import torch
from torch_transformer import Transformer

import lossopt
from lossopt.optimizers import adamw
from lossopt.schedules import cosine, linear, sequential
from lossopt.tasks import get_task
from lossopt.transforms import chain, clip_by_global_norm, ema

PARTS = 2
"""A batch is taken in so many parts, one after the other: half the memory."""


def main(steps: int = 150) -> float:
    """Train, and return the held-out bits per character of the averaged model."""
    torch.manual_seed(0)
    data = get_task("characters").data()
    x, y = map(torch.from_numpy, data.train)
    x_test, y_test = map(torch.from_numpy, data.test)

    model = Transformer()
    loss_fn = lossopt.get_loss("cross_entropy", backend="torch", axis=-1)

    spec = ema(chain(clip_by_global_norm(max_norm=1.0), adamw(lr=5e-3, weight_decay=0.1)), decay=0.95)
    no_decay = {"*bias": {"weight_decay": 0.0}, "*norm*": {"weight_decay": 0.0}}
    optimizer = lossopt.get_optimizer(spec, backend="torch", params=model.named_parameters(), groups=no_decay)

    warm_up = steps // 10
    schedule = sequential(schedules=(linear(start_factor=0.1, total_iters=warm_up), cosine(T_max=steps - warm_up)), milestones=(warm_up,))
    scheduler = lossopt.get_schedule(schedule, backend="torch", optimizer=optimizer)

    for step in range(steps):
        optimizer.zero_grad()
        for _ in range(PARTS):  # the gradients of the parts add up; each counts for its share
            batch = torch.randint(len(x), (32,))
            loss = loss_fn(model(x[batch]), y[batch]) / PARTS
            loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 30 == 0:
            print(f"step {step:3d}  loss {PARTS * loss.item():.4f}  lr {scheduler.get_last_lr()[0]:.1e}")

    model.eval()
    optimizer.eval()  # the parameters are the average now; optimizer.train() puts them back
    with torch.no_grad():
        bits = loss_fn(model(x_test), y_test).item() / math.log(2)
    optimizer.train()
    print(f"held-out bits per character {bits:.2f}")
    return bits


if __name__ == "__main__":
    main()
