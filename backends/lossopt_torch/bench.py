"""Variants to race in PyTorch: torch.optim's own forms, packages beside it, and every executor."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from lossopt import registry
from lossopt.bench import Variant
from lossopt.errors import ArgumentError
from lossopt.recording.record import record

Make = Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]

HYPER: dict[str, dict[str, Any]] = {"sgd": {"momentum": 0.9}, "lion": {"weight_decay": 0.1}, "lamb": {"weight_decay": 0.01}}
OWN: dict[str, Any] = {"adamw": torch.optim.AdamW, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}
FUSED = ("adamw", "sgd", "adagrad")


def variants(name: str, shapes: Sequence[tuple[int, ...]]) -> list[Variant]:
    """Everything in PyTorch that steps this optimizer."""
    return [Variant(label, _stepper(make, shapes), baseline) for label, make, baseline in _makers(name)]


def _makers(name: str) -> Iterator[tuple[str, Make, bool]]:
    hyper = HYPER.get(name, {})
    if own := OWN.get(name):
        label = f"torch.optim.{own.__name__}"
        yield f"{label} for-loop", lambda ps: own(ps, lr=1e-3, foreach=False, **hyper), True
        yield f"{label} foreach", lambda ps: own(ps, lr=1e-3, foreach=True, **hyper), False
        if name in FUSED:
            yield f"{label} fused", lambda ps: own(ps, lr=1e-3, fused=True, **hyper), False
    if name == "lion":
        from lion_pytorch import Lion

        yield "lion_pytorch.Lion", lambda ps: Lion(ps, lr=1e-3, **hyper), True
    for executor in ("native", "replay", "single"):
        if _available(name, executor):
            only = name not in OWN and name != "lion" and executor == "single"  # nobody else ships it: single is the baseline
            yield f"lossopt {executor}", _ours(name, executor, hyper), only


def _ours(name: str, executor: str, hyper: dict[str, Any]) -> Make:
    return lambda ps: registry.get_optimizer(name, "torch", params=ps, executor=executor, lr=1e-3, **hyper)


def _available(name: str, executor: str) -> bool:
    try:
        _ours(name, executor, {})([torch.nn.Parameter(torch.zeros(2))])
    except ArgumentError:
        return False
    return True


def _stepper(make: Make, shapes: Sequence[tuple[int, ...]]) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(0)
    params = [torch.nn.Parameter(0.02 * torch.randn(s, generator=generator)) for s in shapes]
    for p in params:
        p.grad = 0.01 * torch.randn(p.shape, generator=generator)
    optimizer = make(params)

    def step() -> None:
        optimizer.step()

    return step


# ------------------------------------------------------------------------------------------------- losses
def loss_variants(name: str, tokens: int, features: int, classes: int) -> list[Variant]:
    """Everything in PyTorch that takes linear_cross_entropy's value and gradient."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(tokens, features, generator=generator, requires_grad=True)
    matrix = (0.02 * torch.randn(classes, features, generator=generator)).requires_grad_()
    labels = torch.randint(0, classes, (tokens,), generator=generator)

    def variant(label: str, loss: Callable[..., Any], *, baseline: bool = False) -> Variant:
        def step() -> None:
            loss(x, matrix, labels).backward()
            x.grad = matrix.grad = None

        return Variant(label, step, baseline)

    own = getattr(torch.nn.functional, name)
    chunks = torch.nn.LinearCrossEntropyOptions(allow_retain_graph=True)
    return [
        variant(f"torch.nn.functional.{name}", own, baseline=True),
        variant("with LinearCrossEntropyOptions", functools.partial(own, options=chunks)),
        variant("lossopt", registry.get_loss(name, "torch")),
        variant("lossopt, label_smoothing=0.1", registry.get_loss(name, "torch", label_smoothing=0.1)),
    ]


# ------------------------------------------------------------------------------------------------- recordings
def recorded_stepper(inputs: int, width: int, layers: int, rows: int,
                     options: dict[str, Any] | None) -> tuple[Callable[[], None], Callable[[], None]]:  # fmt: skip
    """A training step of a chain of layers, recorded if there are options for that, and what ends it."""
    generator = torch.Generator().manual_seed(0)
    sizes = [inputs] + [width] * (layers - 1)
    model = torch.nn.Sequential(*[m for size in sizes for m in (torch.nn.Linear(size, width), torch.nn.Tanh())])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    x, y = torch.randn(rows, inputs, generator=generator), torch.randint(0, width, (rows,), generator=generator)
    criterion = torch.nn.CrossEntropyLoss()
    run = None if options is None else record(options.pop("folder"), model, optimizer, loss_fn=criterion, **options)

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    return step, (lambda: None) if run is None else run.close
