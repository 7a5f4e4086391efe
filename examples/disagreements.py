"""Five disagreements that ports run into, diagnosed: python examples/disagreements.py examples/DISAGREEMENTS.md

Each is a plain PyTorch loop and its port to Flax, from the same weights on the same batches, recorded with one line on either
side.  `lossopt diff` is then asked what is wrong.  Without an argument the page is printed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import torch
from flax import nnx
from rich.console import Console
from torch import nn

import lossopt
from lossopt.diff import diff, report
from lossopt.tasks import get_task

STEPS = 40


@dataclass(frozen=True)
class Disagreement:
    """A loop and its port.

    Attributes:
        title, told: what the person who ported it sees.
        torch: an optimizer of the parameters, and a scheduler of it or None.
        jax: a transformation, and the learning rate to be recorded.
        batches: how many make one update: PyTorch adds their gradients up, optax.MultiSteps takes their mean.
        eps: of PyTorch's LayerNorm; Flax keeps its own default.
    """

    title: str
    told: str
    torch: Callable[[Any], tuple[torch.optim.Optimizer, Any]]
    jax: Callable[[], tuple[optax.GradientTransformation, Any]]
    batches: int = 1
    eps: float = 1e-6


def cosine(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
    """A warm-up and a cosine, as they are usually chained."""
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=10)
    then = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, then], milestones=[10])


def scheduled(p: Any) -> tuple[torch.optim.Optimizer, Any]:
    optimizer = torch.optim.Adam(p, lr=3e-3)
    return optimizer, cosine(optimizer)


def warmed() -> tuple[optax.GradientTransformation, Any]:
    schedule = optax.warmup_cosine_decay_schedule(0.0, 3e-3, 10, 40)
    return optax.adam(schedule), schedule


PAIRS = (
    Disagreement("AdamW with everything left at its default", "Both loops name nothing but the learning rate.",
                 lambda p: (torch.optim.AdamW(p, lr=3e-3), None), lambda: (optax.adamw(3e-3), 3e-3)),
    Disagreement("RMSprop, same learning rate", "Same name, same learning rate, and the losses part at the second step.",
                 lambda p: (torch.optim.RMSprop(p, lr=1e-3), None), lambda: (optax.rmsprop(1e-3), 1e-3)),
    Disagreement("A warm-up and a cosine", "The curves look the same on a plot.", scheduled, warmed),
    Disagreement("Four small batches for one update", "Both gather four batches before they update.",
                 lambda p: (torch.optim.SGD(p, lr=0.05, momentum=0.9), None), lambda: (optax.sgd(0.05, momentum=0.9), 0.05), batches=4),
    Disagreement("LayerNorm", "Not one argument differs, and yet the first loss does.",
                 lambda p: (torch.optim.Adam(p, lr=3e-3), None), lambda: (optax.adam(3e-3), 3e-3), eps=1e-5),
)  # fmt: skip


def batches(count: int) -> Iterator[tuple[Any, Any]]:
    """Handwritten digits, drawn outside both frameworks; the inputs are small, as activations within a network may be."""
    (x, y), random = get_task("digits").data().train, np.random.default_rng(0)
    for _ in range(count):
        chosen = random.integers(len(x), size=64)
        yield np.float32(0.05 * x[chosen]), y[chosen]


def weights() -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [np.float32(random.normal(size=shape) / 8) for shape in ((32, 64), (10, 32))]


def run_torch(folder: Path, pair: Disagreement) -> None:
    model: Any = nn.Sequential(nn.Linear(64, 32), nn.LayerNorm(32, eps=pair.eps), nn.ReLU(), nn.Linear(32, 10))
    with torch.no_grad():
        for layer, weight in zip((model[0], model[3]), weights(), strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.zero_()
    criterion = nn.CrossEntropyLoss()
    optimizer, scheduler = pair.torch(model.parameters())
    run = lossopt.record(folder, model, optimizer, loss_fn=criterion, logits=True)
    for i, (x, y) in enumerate(batches(STEPS * pair.batches)):
        criterion(model(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        if (i + 1) % pair.batches == 0:
            optimizer.step()
            optimizer.zero_grad()
            if scheduler is not None:
                scheduler.step()
    run.close()


def run_flax(folder: Path, pair: Disagreement) -> None:
    model: Any = nnx.Sequential(nnx.Linear(64, 32, rngs=nnx.Rngs(0)), nnx.LayerNorm(32, rngs=nnx.Rngs(0)), nnx.relu,
                           nnx.Linear(32, 10, rngs=nnx.Rngs(0)))  # fmt: skip
    for layer, weight in zip((model.layers[0], model.layers[3]), weights(), strict=True):
        layer.kernel[...] = weight.T
    tx, lr = pair.jax()
    recorded = lossopt.record(folder, tx, lr=lr, accumulate=pair.batches)
    outer: Any = recorded if pair.batches == 1 else optax.MultiSteps(recorded, pair.batches)
    optimizer = nnx.Optimizer(model, outer, wrt=nnx.Param)

    @nnx.jit
    def train_step(model: Any, optimizer: nnx.Optimizer, x: Any, y: Any) -> jax.Array:
        def loss_fn(m: Any) -> tuple[jax.Array, jax.Array]:
            logits = m(x)
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), logits

        (loss, logits), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
        optimizer.update(model, grads, value=loss)
        return logits

    for x, y in batches(STEPS * pair.batches):
        recorded.run.batch(x, y)
        recorded.run.logits(train_step(model, optimizer, x, y), y)
    recorded.run.close()


def diagnosed(pair: Disagreement) -> str:
    """What `lossopt diff` prints of a pair."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / name for name in ("torch_run", "flax_run")]
        run_torch(folders[0], pair)
        run_flax(folders[1], pair)
        out = Console(width=100, highlight=False, color_system=None)
        with out.capture() as captured:
            out.print(report.render(diff(*folders)))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def page() -> str:
    """All of them, as Markdown."""
    wrote = "What `python examples/disagreements.py examples/DISAGREEMENTS.md` wrote: five PyTorch loops and their ports to Flax, and"
    parts = ["# Five disagreements, diagnosed", f"{wrote}\nwhat `lossopt diff torch_run flax_run` says of each."]
    for pair in PAIRS:
        parts += [f"## {pair.title}", pair.told, f"```\n{diagnosed(pair)}\n```"]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        print(page())
