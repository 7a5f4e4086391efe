"""``python -m planted.rounding [N]``: pairs of real loops, PyTorch and JAX, that differ by rounding alone, and how far they part.

The constants of `lossopt.diff` bound what this prints.  The pairs are drawn at random: model, width, normalisation, activation,
optimizer, learning rate, batch, seeds.  Each trains for 60 steps in float32, and is recorded as a user records it.
"""

from __future__ import annotations

import collections
import sys
import tempfile
import time
from dataclasses import dataclass, replace

import numpy as np

from lossopt.diff import Diff, diff
from lossopt.diff.align import Aligned
from lossopt.diff.finding import apart, relative
from planted.loops import Loop, run

OPTIMIZERS = {
    "sgd": (0.05, {"momentum": 0.9}),
    "adam": (3e-3, {}),
    "adamw": (3e-3, {"weight_decay": 1e-2}),
    "rmsprop": (1e-3, {}),
    "adagrad": (2e-2, {}),
    "adamax": (3e-3, {}),
    "nadam": (3e-3, {}),
}
STEPS = 60


@dataclass(frozen=True)
class Parted:
    """How far two runs part.

    Attributes:
        pair: what they have in common.
        found: what `diff` says of them.
        first_loss, first_outputs, first_gradient, first_alone: of the first step: loss, outputs, all gradients' norms together, and
            one parameter's.
        loss, gradient: the largest of any step.
        jump: the largest from one step to the next, of the loss or the gradient, where it ends above 1e-6.
        update: the middle element of an update, the largest of any step.
    """

    pair: Loop
    found: Diff
    first_loss: float
    first_outputs: float
    first_gradient: float
    first_alone: float
    loss: float
    gradient: float
    jump: float
    update: float


def drawn(n: int, seed: int = 0) -> list[Loop]:
    """The PyTorch sides of n pairs."""
    random, found = np.random.default_rng(seed), []
    for i in range(n):
        name = [*OPTIMIZERS][i % len(OPTIMIZERS)]
        lr, hyper = OPTIMIZERS[name]
        model = str(random.choice(["mlp", "cnn"]))
        found.append(Loop(
            model=model, width=int(random.choice([8, 24, 64, 128] if model == "mlp" else [8, 16])),
            norm=str(random.choice(["", "layer", "batch"])), activation=str(random.choice(["relu", "gelu", "tanh"])), optimizer=name,
            hyper=hyper, lr=lr * float(random.choice([0.3, 1.0, 3.0])), schedule=str(random.choice(["", "cosine"])),
            seed=int(random.integers(1000)), order=int(random.integers(1000)), steps=STEPS, batch=int(random.choice([16, 64])),
        ))  # fmt: skip
    return found


def measured(pair: Loop, framework: str) -> Parted:
    """Both runs, and how far they part."""
    with tempfile.TemporaryDirectory() as room:
        a, b = run(f"{room}/torch", pair), run(f"{room}/{framework}", replace(pair, framework=framework))
        found = diff(a, b, identify=lambda *_: None)
        al = found.aligned
        whole = al.whole(0)
        losses = [relative(s.loss or 0.0, t.loss or 0.0) for s, t in al.steps]
        gradients = [_together(al, steps) for steps in al.steps]
        norms = al.norms("grad_norms", al.steps[0])
        top = max(max(v) for v in norms.values())
        alone = max(abs(x - y) / max(x, y, 1e-3 * top) for x, y in norms.values())
        update = next(o for o in found.outcomes if o.link == "update")
        return Parted(pair, found, losses[0], apart(whole[0]["logits/0"], whole[1]["logits/0"]), gradients[0], alone, max(losses),
                      max(gradients), max(_jump(losses), _jump(gradients)), update.worst[0] if update.worst else float("nan"))  # fmt: skip


def _together(al: Aligned, steps: tuple) -> float:
    x, y = (np.array([v[k] for v in al.norms("grad_norms", steps).values()]) for k in (0, 1))
    return apart(x, y)


def _jump(sizes: list[float]) -> float:
    """The largest factor by which a step exceeds all before it, where it is more than the last bits of a number."""
    top = np.maximum.accumulate(np.maximum(sizes, 1e-7))
    return max((float(y / x) for x, y in zip(top, sizes[1:], strict=False) if y > 1e-6), default=0.0)


def main(words: list[str]) -> int:
    """Print the figures of every optimizer, the largest of all, and each false alarm."""
    began, n = time.perf_counter(), int(words[0]) if words else 84
    seed = int(words[1]) if len(words) > 1 else 0
    rows = [measured(pair, ("nnx", "linen")[i // len(OPTIMIZERS) % 2]) for i, pair in enumerate(drawn(n, seed))]
    names = ("first_loss", "first_outputs", "first_gradient", "first_alone", "loss", "gradient", "jump", "update")
    print(f"{'':12}" + "".join(f"{name:>16}" for name in names))
    groups = collections.defaultdict(list)
    for row in rows:
        for key in (row.pair.optimizer, row.pair.activation, f"{row.pair.model} {row.pair.norm}", "all"):
            groups[key].append(row)
    for key, some in groups.items():
        print(f"{key:12}" + "".join(f"{max(getattr(row, name) for row in some):16.1e}" for name in names))
    alarms = [row for row in rows if not row.found.equal]
    for row in alarms:
        print(f"false alarm: {row.pair}\n   {row.found.verdict.sentence}")
    print(f"{n} pairs, {len(alarms)} false alarms; {time.perf_counter() - began:.0f} s")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
