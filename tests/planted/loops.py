"""Real training loops on real data, recorded as a user records them: PyTorch, Flax nnx, and Flax linen with a TrainState.

The three have the same weights, batches and numbers, unless an option says otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from flax import linen, nnx
from flax.training.train_state import TrainState
from torch import nn
from torch.nn import functional as F

import lossopt
from lossopt.tasks import get_task

CLASSES = 10


@dataclass(frozen=True)
class Loop:
    """One run.

    Attributes:
        framework: ``"torch"``, ``"nnx"`` or ``"linen"``.
        model, width, norm, activation: ``"mlp"`` or ``"cnn"``; ``""``, ``"layer"`` or ``"batch"``; ``"relu"``, ``"gelu"``, ``"tanh"``.
        norm_eps, norm_momentum: of the normalisation; the momentum in torch's sense.
        optimizer, hyper: a name of `_torch_optimizer`, and torch's arguments for it; None leaves it to each framework's default.
        lr, schedule: the rate, constant, or with ``"cosine"`` along one; ``"cosine late"`` is asked one update behind.
        clip: the global norm.
        accumulate, accumulate_sum: micro-batches, and whether they are summed.
        reduction, smoothing: of the cross entropy.
        decay_biases: whether the weight decay acts on vectors.
        frozen: the module that is not trained.
        dropout, bfloat16: in the forward pass.
        ema: the decay of an average of the weights, recorded.
        seed, order, weights_scale: of the initial weights, and of the batches.
        steps, batch, record: their numbers, and options of `lossopt.record`.
        tell_lr, logits: whether the run is told of them.
    """

    framework: str = "torch"
    model: str = "mlp"
    width: int = 24
    norm: str = ""
    activation: str = "relu"
    norm_eps: float = 1e-5
    norm_momentum: float = 0.1
    optimizer: str = "adamw"
    hyper: Mapping[str, Any] = field(default_factory=dict)
    lr: float = 3e-3
    schedule: str = ""
    clip: float | None = None
    accumulate: int = 1
    accumulate_sum: bool = False
    reduction: str = "mean"
    smoothing: float = 0.0
    decay_biases: bool = True
    frozen: str = ""
    dropout: float = 0.0
    bfloat16: bool = False
    ema: float | None = None
    seed: int = 0
    order: int = 0
    steps: int = 30
    batch: int = 64
    record: Mapping[str, Any] = field(default_factory=dict)
    tell_lr: bool = True
    logits: bool = True


def run(folder: str | Path, o: Loop) -> Path:
    """Train, and leave a recording."""
    {"torch": _in_torch, "nnx": _in_nnx, "linen": _in_linen}[o.framework](Path(folder), o)
    return Path(folder)


# ------------------------------------------------------------------------------------------------- the same for all
@functools.cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    x, y = get_task("digits").data().train
    return np.asarray(x, np.float32), np.asarray(y)


def batches(o: Loop) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Micro-batches, as vectors or as images of one channel (NCHW)."""
    x, y = _digits()
    random = np.random.default_rng(o.order)
    for _ in range(o.steps * o.accumulate):
        these = random.integers(len(x), size=o.batch // o.accumulate)
        yield (x[these] if o.model == "mlp" else x[these].reshape(-1, 1, 8, 8)), y[these]


def shapes(o: Loop) -> dict[str, tuple[int, ...]]:
    """Every parameter as PyTorch names it and as it lies there."""
    w = o.width
    first = {"fc1": (w, 64), "fc2": (w, w)} if o.model == "mlp" else {"conv1": (w, 1, 3, 3), "conv2": (w, w, 3, 3)}
    found = {}
    for i, (name, shape) in enumerate(first.items()):
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
        if o.norm and i == 0:
            found |= {"norm.weight": (w,), "norm.bias": (w,)}
    return {**found, "out.weight": (CLASSES, w), "out.bias": (CLASSES,)}


def weights(o: Loop) -> dict[str, np.ndarray]:
    """The initial weights."""
    random, found = np.random.default_rng(o.seed), {}
    for name, shape in shapes(o).items():
        size = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.02
        found[name] = (random.normal(size=shape) * size + (name == "norm.weight")).astype(np.float32)
    return found


def rate(o: Loop, t: Any) -> Any:
    """The learning rate of an update, as a factor; of numbers and of traced arrays."""
    if not o.schedule:
        return 1.0 + 0 * t
    last = t - 1 if o.schedule == "cosine late" else t
    where = np if isinstance(t, int | float) else jnp
    return 0.5 * (1 + where.cos(np.pi * where.maximum(last, 0) / o.steps))


# ------------------------------------------------------------------------------------------------- PyTorch
class TorchNet(nn.Module):
    def __init__(self, o: Loop) -> None:
        super().__init__()
        self.o, w = o, o.width
        if o.model == "mlp":
            self.fc1, self.fc2 = nn.Linear(64, w), nn.Linear(w, w)
        else:
            self.conv1, self.conv2 = nn.Conv2d(1, w, 3, padding=1), nn.Conv2d(w, w, 3, padding=1)
        if o.norm == "layer":
            self.norm = nn.LayerNorm(w, eps=o.norm_eps)
        elif o.norm == "batch":
            self.norm = (nn.BatchNorm1d if o.model == "mlp" else nn.BatchNorm2d)(w, eps=o.norm_eps, momentum=o.norm_momentum)
        self.out = nn.Linear(w, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        o, act = self.o, {"relu": F.relu, "gelu": F.gelu, "tanh": torch.tanh}[self.o.activation]
        x = self.fc1(x) if o.model == "mlp" else self.conv1(x)
        if o.norm == "layer" and o.model == "cnn":
            x = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        elif o.norm:
            x = self.norm(x)
        x = act(x)
        x = act(self.fc2(x)) if o.model == "mlp" else act(self.conv2(x)).mean((2, 3))
        return self.out(F.dropout(x, o.dropout) if o.dropout else x)


def _torch_optimizer(o: Loop, model: nn.Module) -> torch.optim.Optimizer:
    made: Any = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
                 "adagrad": torch.optim.Adagrad, "adamax": torch.optim.Adamax, "nadam": torch.optim.NAdam}[o.optimizer]  # fmt: skip
    groups: Any = model.parameters()
    if not o.decay_biases:
        matrices, vectors = ([p for p in model.parameters() if (p.ndim > 1) is many] for many in (True, False))
        groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    return made(groups, lr=o.lr, **o.hyper)


def _in_torch(folder: Path, o: Loop) -> None:
    torch.manual_seed(0)
    model = TorchNet(o)
    model.load_state_dict({n: torch.from_numpy(x) for n, x in weights(o).items()}, strict=False)
    if o.frozen:
        getattr(model, o.frozen).requires_grad_(False)
    optimizer = _torch_optimizer(o, model)
    criterion = nn.CrossEntropyLoss(reduction=o.reduction, label_smoothing=o.smoothing)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, functools.partial(rate, o))
    extra: dict[str, Any] = {}
    if o.ema is not None:
        extra["ema"] = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(o.ema))
    run = lossopt.record(folder, model, optimizer, loss_fn=criterion, logits=o.logits, **extra, **o.record)
    for i, (x, y) in enumerate(batches(o)):
        with torch.autocast("cpu", torch.bfloat16, enabled=o.bfloat16):
            loss = criterion(model(torch.from_numpy(x)), torch.from_numpy(y))
        (loss if o.accumulate_sum else loss / o.accumulate).backward()
        if (i + 1) % o.accumulate == 0:
            if o.clip:
                nn.utils.clip_grad_norm_(model.parameters(), o.clip)
            optimizer.step()
            scheduler.step()
            if o.ema is not None:
                extra["ema"].update_parameters(model)
            optimizer.zero_grad()
    run.close()


# ------------------------------------------------------------------------------------------------- JAX
def _act(o: Loop) -> Callable[[Any], Any]:
    return {"relu": nnx.relu, "gelu": functools.partial(nnx.gelu, approximate=False), "tanh": jnp.tanh}[o.activation]


class NnxNet(nnx.Module):
    def __init__(self, o: Loop, rngs: nnx.Rngs) -> None:
        self.o, w, d = o, o.width, jnp.bfloat16 if o.bfloat16 else None
        if o.model == "mlp":
            self.fc1, self.fc2 = nnx.Linear(64, w, dtype=d, rngs=rngs), nnx.Linear(w, w, dtype=d, rngs=rngs)
        else:
            self.conv1, self.conv2 = nnx.Conv(1, w, (3, 3), dtype=d, rngs=rngs), nnx.Conv(w, w, (3, 3), dtype=d, rngs=rngs)
        if o.norm == "layer":
            self.norm = nnx.LayerNorm(w, epsilon=o.norm_eps, rngs=rngs)
        elif o.norm == "batch":
            self.norm = nnx.BatchNorm(w, epsilon=o.norm_eps, momentum=1 - o.norm_momentum, use_running_average=False, rngs=rngs)
        self.dropout = nnx.Dropout(o.dropout, rngs=rngs)
        self.out = nnx.Linear(w, CLASSES, dtype=d, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        o, act = self.o, _act(self.o)
        x = self.fc1(x) if o.model == "mlp" else self.conv1(jnp.moveaxis(x, 1, -1))
        x = act(self.norm(x) if o.norm else x)
        x = act(self.fc2(x)) if o.model == "mlp" else act(self.conv2(x)).mean((1, 2))
        return self.out(self.dropout(x) if o.dropout else x)


class LinenNet(linen.Module):
    o: Loop

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        o, act, w = self.o, _act(self.o), self.o.width
        x = linen.Dense(w, name="fc1")(x) if o.model == "mlp" else linen.Conv(w, (3, 3), name="conv1")(jnp.moveaxis(x, 1, -1))
        if o.norm == "layer":
            x = linen.LayerNorm(epsilon=o.norm_eps, name="norm")(x)
        elif o.norm == "batch":
            x = linen.BatchNorm(use_running_average=False, epsilon=o.norm_eps, momentum=1 - o.norm_momentum, name="norm")(x)
        x = act(x)
        x = act(linen.Dense(w, name="fc2")(x)) if o.model == "mlp" else act(linen.Conv(w, (3, 3), name="conv2")(x)).mean((1, 2))
        return linen.Dense(CLASSES, name="out")(x)


def _optax(o: Loop) -> optax.GradientTransformation:
    """What states torch's mathematics with torch's arguments."""
    given = {**o.hyper}
    lr = functools.partial(_rate_of, o) if o.schedule else o.lr
    decay, mask = given.pop("weight_decay", None), None if o.decay_biases else lambda p: jax.tree.map(lambda x: x.ndim > 1, p)
    if "betas" in given:
        given["b1"], given["b2"] = given.pop("betas")
    made: Any = {
        "sgd": lambda: optax.sgd(lr, **given),
        "adam": lambda: optax.adam(lr, **given),
        "adamw": lambda: optax.adamw(lr, **({} if decay is None else {"weight_decay": decay}), mask=mask, **given),
        "adamax": lambda: optax.adamax(lr, **given),
        "nadam": lambda: lossopt.get_optimizer("nadam", "jax", lr=lr, **given),
        "rmsprop": lambda: optax.rmsprop(lr, **{"decay": given.pop("alpha", 0.99), "eps_in_sqrt": False, **given}),
        "adagrad": lambda: lossopt.get_optimizer("adagrad", "jax", lr=lr, **given),
    }[o.optimizer]()
    if decay and o.optimizer != "adamw":
        made = optax.chain(optax.add_decayed_weights(decay, mask), made)
    if o.frozen:
        def label(params: Any) -> Any:
            return jax.tree_util.tree_map_with_path(lambda path, _: "freeze" if _key(path[0]) == o.frozen else "train", params)

        made = optax.partition({"train": made, "freeze": optax.set_to_zero()}, label)
    return made


def _key(entry: Any) -> str:
    return str(getattr(entry, "key", getattr(entry, "name", entry)))


def _rate_of(o: Loop, t: Any) -> Any:
    return o.lr * rate(o, t)


def _recorded(folder: Path, o: Loop) -> Any:
    parts: list[Any] = [optax.clip_by_global_norm(o.clip)] if o.clip else []
    options = {**o.record, **({"lr": functools.partial(_rate_of, o)} if o.tell_lr else {})}
    if o.accumulate == 1:
        return lossopt.record(folder, *parts, _optax(o), **options)
    tx = lossopt.record(folder, *parts, _optax(o), accumulate=o.accumulate, **options)
    several: Any = optax.MultiSteps(tx, o.accumulate, use_grad_mean=not o.accumulate_sum).gradient_transformation()
    return optax.GradientTransformationExtraArgs(several.init, several.update), tx.run


def _cross_entropy(o: Loop, logits: jax.Array, y: jax.Array) -> jax.Array:
    logits = logits.astype(jnp.float32)
    if o.smoothing:
        found = optax.softmax_cross_entropy(logits, optax.smooth_labels(jax.nn.one_hot(y, CLASSES), o.smoothing))
    else:
        found = optax.softmax_cross_entropy_with_integer_labels(logits, y)
    return found.mean() if o.reduction == "mean" else found.sum()


def _flax_name(name: str, x: np.ndarray) -> tuple[str, ...]:
    module, leaf = name.split(".")
    return module, leaf if leaf == "bias" else "kernel" if x.ndim > 1 else "scale"


def _flax(x: np.ndarray) -> jax.Array:
    return jnp.asarray(np.moveaxis(x, (0, 1), (-1, -2)) if x.ndim > 1 else x)


def _in_nnx(folder: Path, o: Loop) -> None:
    model = NnxNet(o, nnx.Rngs(0))
    for name, x in weights(o).items():
        module, leaf = _flax_name(name, x)
        getattr(getattr(model, module), leaf)[...] = _flax(x)
    made = _recorded(folder, o)
    tx, run = made if o.accumulate > 1 else (made, made.run)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)

    @nnx.jit
    def train_step(model: NnxNet, optimizer: nnx.Optimizer, x: Any, y: Any) -> tuple[jax.Array, jax.Array]:
        def loss_fn(model: NnxNet) -> tuple[jax.Array, jax.Array]:
            logits = model(x)
            return _cross_entropy(o, logits, y), logits

        (loss, logits), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
        optimizer.update(model, grads, value=loss)
        return loss, logits

    average = None
    for i, (x, y) in enumerate(batches(o)):
        run.batch(x, y)
        _, logits = train_step(model, optimizer, x, y)
        if (i + 1) % o.accumulate:
            continue
        if o.logits and o.accumulate == 1:
            run.logits(logits, y)
        if o.ema is not None:
            params = jax.tree.map(jnp.copy, nnx.state(model, nnx.Param))  # the state of a model changes with it
            average = params if average is None else optax.incremental_update(params, average, 1 - o.ema)
            run.average(average)
    run.close()


def _in_linen(folder: Path, o: Loop) -> None:
    model, params = LinenNet(o), {}
    for name, x in weights(o).items():
        module, leaf = _flax_name(name, x)
        params.setdefault(module, {})[leaf] = _flax(x)
    first = next(batches(o))[0]
    rest = {k: v for k, v in model.init(jax.random.key(0), first).items() if k != "params"}
    state = TrainState.create(apply_fn=model.apply, params=params, tx=_recorded(folder, o))
    run: Any = state.tx.run  # pyright: ignore[reportAttributeAccessIssue]

    @jax.jit
    def train_step(state: TrainState, rest: Any, x: Any, y: Any) -> tuple[TrainState, Any, jax.Array, jax.Array]:
        def loss_fn(params: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
            logits, new = state.apply_fn({"params": params, **rest}, x, mutable=list(rest))
            return _cross_entropy(o, logits, y), (logits, new)

        (loss, (logits, new)), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
        return state.apply_gradients(grads=grads), new, loss, logits

    for x, y in batches(o):
        run.batch(x, y)
        state, rest, loss, logits = train_step(state, rest, x, y)
        run.loss(loss)
        if o.logits:
            run.logits(logits, y)
    run.close()
