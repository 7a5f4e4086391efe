"""Small real trainings, in each framework that is installed: they print what they do and return what they measured."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lossopt import analysis, loop, registry, schemes
from lossopt.tasks import get_task
from lossopt.tasks.task import Data, Task

Case = tuple[Any, np.ndarray, np.ndarray, int]
"""A model, its inputs, its labels, and how many classes there are."""

STEPS, BATCH = 300, 64


def available() -> tuple[str, ...]:
    """The frameworks that can train a model here."""
    wanted = {"torch": ("torch",), "jax": ("jax", "optax", "flax")}
    return tuple(name for name, needs in wanted.items() if all(importlib.util.find_spec(n) for n in needs))


def demonstrate_losses(backends: Sequence[str] | None = None, steps: int | None = None) -> dict[str, Any]:
    """Every kind of loss on small arrays, the same in each framework, and three losses trained with."""
    backends, steps = available() if backends is None else backends, STEPS if steps is None else steps
    print("Losses of the same arrays")
    values = {name: {b: _loss_of(b, name, arrays) for b in backends} for name, arrays in _examples().items()}
    for name, found in values.items():
        print(f"  {name:24} " + "   ".join(f"{b} {value:.6f}" for b, value in found.items()))
    chosen = {"cross_entropy": {}, "cross_entropy, smoothed": {"label_smoothing": 0.1}, "focal_loss": {"gamma": 2.0}}
    training = _each("Losses", backends, steps, "loss", chosen)
    return {"values": values, "training": training}


def demonstrate_schemes(backends: Sequence[str], steps: int = STEPS) -> dict[str, Any]:
    """Each scheme on its task: digits, diabetes, digits to be outlined, digits to be recognised by nearness."""
    print(f"Schemes by task, {steps} steps")
    digits = get_task("digits")
    found = {}
    for backend in backends:
        found[f"classification, {backend}"] = _train(backend, digits, "classification", steps=steps)
        found[f"regression, {backend}"] = _train(backend, get_task("diabetes"), "regression", make=_regression, steps=steps)
        found[f"segmentation, {backend}"] = _train(backend, get_task("digits_segmentation"), "segmentation", make=_segmentation,
                                                   steps=steps, batch=16)  # fmt: skip
        found[f"metric learning, {backend}"] = _train(backend, get_task("digits_triplets"), "metric learning", make=_metric,
                                                      data=digits.data(), steps=steps, batch=32)  # fmt: skip
    return found


def demonstrate_optimizers(backends: Sequence[str], steps: int = STEPS) -> dict[str, Any]:
    """The same model with one optimizer after another."""
    chosen = {"sgd": {"lr": 0.1, "momentum": 0.9}, "adam": {"lr": 3e-3}, "adamw": {"lr": 3e-3}, "rmsprop": {"lr": 3e-3},
              "lion": {"lr": 1e-3}}  # fmt: skip
    return _each("Optimizers", backends, steps, "optimizer", chosen)


def demonstrate_schedulers(backends: Sequence[str], steps: int = STEPS) -> dict[str, Any]:
    """The same model and optimizer with one schedule after another."""
    chosen = {"constant": {}, "step": {"step_size": max(steps // 3, 1), "gamma": 0.1}, "exponential": {"gamma": 0.99},
              "cosine": {"T_max": steps}, "cosine_warm_restarts": {"T_0": 20, "T_mult": 2},
              "one_cycle": {"total_steps": max(steps, 2), "cycle_momentum": False}}  # fmt: skip
    return _each("Schedules", backends, steps, "scheduler", chosen)


def _each(title: str, backends: Sequence[str], steps: int, part: str, chosen: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    print(f"\n{title} on handwritten digits, {steps} steps")
    task = get_task("digits")
    found = {}
    for told, hyperparameters in chosen.items():
        given: dict[str, Any] = {part: {"name": told.partition(",")[0], **hyperparameters}}
        found |= {f"{told}, {b}": _train(b, task, told, steps=steps, **given) for b in backends}
    return found


def demonstrate_models(models: Mapping[str, Case] | None, backends: Sequence[str], steps: int = STEPS) -> dict[str, Any]:
    """A classification scheme on each model, and what the analyses say of it before and after."""
    chosen = _built_in(backends) if models is None else models
    return {name: _study(name, *case, steps) for name, case in chosen.items()}


def _study(name: str, model: Any, inputs: np.ndarray, labels: np.ndarray, num_classes: int, steps: int) -> dict[str, Any]:
    part = registry.backend(loop.framework_of(model)).part("loop")
    scheme = schemes.classification_scheme(model, num_classes)
    batch = part.array(inputs[:BATCH]), part.array(labels[:BATCH])
    flow = analysis.analyze_gradient_flow(model, scheme.loss_fn, *batch)
    begin = time.perf_counter()
    losses = part.fit(model, scheme, inputs, labels, batches(len(inputs), BATCH, steps))
    speed = steps * BATCH / (time.perf_counter() - begin)
    landscape = analysis.analyze_loss_landscape(model, *batch, scheme.loss_fn, num_points=25)
    convergence = analysis.check_optimization_convergence(losses)
    print(f"\n{name}: {type(model).__name__}")
    print(f"  gradient at first   norm {flow['total_gradient_norm']:.4g} over {len(flow['gradient_stats'])} parameters")
    print(f"  loss                {losses[0]:.4f} to {losses[-1]:.4f} in {steps} steps, {speed:,.0f} samples a second")
    print(f"  loss around it      {landscape['loss_range'][0]:.4f} to {landscape['loss_range'][1]:.4f}")
    print(f"  converged           {convergence['converged']}: {convergence['why']}")
    return {"losses": losses, "gradient_flow": flow, "landscape": landscape, "convergence": convergence, "throughput": speed}


def batches(count: int, size: int, steps: int, seed: int = 0) -> Iterator[np.ndarray]:
    """So many batches of indices: every sample once, in an order of its own, before any comes again."""
    generator = np.random.default_rng(seed)
    order = np.empty(0, np.int64)
    for _ in range(steps):
        while len(order) < size:
            order = np.concatenate([order, generator.permutation(count)])
        yield order[:size]
        order = order[size:]


# ------------------------------------------------------------------------------------------------- one training
def _train(backend: str, task: Task, told: str, *, make: Any = None, data: Data | None = None, steps: int = STEPS, batch: int = BATCH,
           **parts: Any) -> dict[str, Any]:  # fmt: skip
    part = registry.backend(backend).part("loop")
    assert isinstance(task.models, str)
    model = part.build(task.models, task.sizes, 0)
    scheme = (make or _classification)(model, **({"steps": steps} if "scheduler" not in parts else {}), **parts)
    data = data or task.data()
    losses = part.fit(model, scheme, *data.train, batches(len(data.train[0]), batch, steps))
    score = float(task.score(part.predict(model, data.test[0]), data.test[1]))
    print(f"  {told:24} {backend:6} loss {losses[0]:.4f} to {losses[-1]:.4f}, held-out {task.score_name} {score:.3f}")
    return {"losses": losses, "score": score, "score_name": task.score_name}


def _classification(model: Any, **parts: Any) -> schemes.Scheme:
    return schemes.classification_scheme(model, 10, **parts)


def _regression(model: Any, **parts: Any) -> schemes.Scheme:
    return schemes.regression_scheme(model, **parts)


def _segmentation(model: Any, **parts: Any) -> schemes.Scheme:
    return schemes.segmentation_scheme(model, 11, **parts)


def _metric(model: Any, **parts: Any) -> schemes.Scheme:
    return schemes.metric_learning_scheme(model, **parts)


def _built_in(backends: Sequence[str]) -> dict[str, Case]:
    inputs, labels = get_task("digits").data().train
    return {f"{name}, {b}": (registry.backend(b).part("loop").build(name, (64, 10), 0), inputs, labels, 10)
            for b in backends for name in ("mlp", "cnn")}  # fmt: skip


# ------------------------------------------------------------------------------------------------- arrays for each loss
def _examples() -> dict[str, tuple[np.ndarray, ...]]:
    generator = np.random.default_rng(0)
    logits, other = generator.standard_normal((2, 6, 4))
    labels, third = generator.integers(0, 4, 6), generator.standard_normal((6, 4))
    shares = np.exp(other) / np.exp(other).sum(1, keepdims=True)
    log_shares = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    same = np.arange(6) % 2
    return {
        "cross_entropy": (logits, labels),
        "focal_loss": (logits, labels),
        "mse_loss": (logits, other),
        "l1_loss": (logits, other),
        "huber_loss": (logits, other),
        "smooth_l1_loss": (logits, other),
        "dice_loss": (logits[None].transpose(0, 2, 1), labels[None]),
        "kl_div": (log_shares, shares),
        "cosine_embedding_loss": (logits, other, 2 * same - 1),
        "triplet_margin_loss": (logits, other, third),
        "contrastive_loss": (logits, other, same),
    }


def _loss_of(backend: str, name: str, arrays: tuple[np.ndarray, ...]) -> float:
    part = registry.backend(backend).part("loop")
    return float(registry.get_loss(name, backend=backend)(*map(part.array, arrays)))
