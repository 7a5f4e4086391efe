"""Small training runs in PyTorch or JAX that leave a recording behind, with every difference of the planted suite as an option.

The model, its gradient and its data are real: autograd of torch, jax.grad under jit, float32.  The optimizer is the
framework's own (``native=True``) or one of `rules`, which has the planted switches.
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lossopt.recording import FolderWriter, Parameter, Recording, RunInfo, Step, read_recording
from lossopt.recording.contents import checksum
from planted import frameworks
from planted.rules import Rule

FEATURES, CLASSES, SAMPLES = 12, 5, 208
SHAPES = {
    "mlp": {"fc1.weight": (16, FEATURES), "fc1.bias": (16,), "norm.weight": (16,), "norm.bias": (16,), "fc2.weight": (16, 16),
            "fc2.bias": (16,), "out.weight": (CLASSES, 16), "out.bias": (CLASSES,)},
    "cnn": {"conv1.weight": (4, 1, 3, 3), "conv1.bias": (4,), "conv2.weight": (4, 4, 3, 3), "conv2.bias": (4,),
            "out.weight": (CLASSES, 4), "out.bias": (CLASSES,)},
}  # fmt: skip
"""By model, in PyTorch's names and layouts."""


@dataclass(frozen=True)
class Options:
    """One run.

    Attributes:
        framework: ``"torch"`` or ``"jax"``.
        model: ``"mlp"`` or ``"cnn"``.
        optimizer, hyper: of `rules.DEFAULTS`; `native` takes the framework's own, with `hyper` as its arguments.
        lr, schedule: the rate of the first step, and of `SCHEDULES` with its arguments.
        loss: of `frameworks`: ``cross_entropy``, ``mse`` or ``half_mse``; with `smoothing`, `weights` by class, `ignore` a
            label, `reduction`.
        clip: None, or ``{"max_norm": 1.0, "per": "global" | "group" | "parameter" | "value", "eps": 1e-6, "when": "after" | "before"}``.
        accumulate: micro-batches in one update; their gradients are averaged, or summed where `accumulate_sum`;
            `accumulate_told` records the values that were differentiated, else the mean loss.
        decay_biases: whether the weight decay acts on vectors.
        frozen: parameters that are not trained; `frozen_how` is ``"grad"`` (they get no gradient) or ``"update"``.
        moments, params: the precision they are kept in, ``"float32"`` or ``"bfloat16"``; `compute` of the forward pass.
        init_seed, init_scale: of the initial weights; `transposed` names weights that begin transposed.
        data_seed, drop_last, shift, input_scale, late_batch: what order the data come in, whether the small batch at the
            end of an epoch is left out, by how many batches it begins later, what inputs are multiplied with, and from
            which step on another batch comes.
        shuffle_within: whether the samples of a batch stand in another order.
        ema: the decay of an average that is kept; None keeps none.
        dropout: the forward pass drops one in four activations.
        steps, batch, arrays: their numbers; `arrays` steps from the first have arrays, then one in ten.
        samples: how many elements of a large parameter are recorded; None is all.
        logits, raw: whether they are recorded.
        noise: this much relative noise is added to every gradient: another order of summing.
    """

    framework: str = "torch"
    model: str = "mlp"
    optimizer: str = "adamw"
    hyper: Mapping[str, Any] = field(default_factory=dict)
    native: bool = False
    lr: float = 1e-3
    schedule: tuple[Any, ...] = ("constant",)
    loss: str = "cross_entropy"
    smoothing: float = 0.0
    weights: bool = False
    ignore: int | None = None
    reduction: str = "mean"
    clip: Mapping[str, Any] | None = None
    accumulate: int = 1
    accumulate_sum: bool = False
    accumulate_told: bool = True
    decay_biases: bool = True
    frozen: tuple[str, ...] = ()
    frozen_how: str = "update"
    frozen_from: int = 0
    moments: str = "float32"
    params: str = "float32"
    compute: str = "float32"
    init_seed: int = 0
    init_scale: float = 1.0
    init_zero_bias: bool = False
    transposed: tuple[str, ...] = ()
    data_seed: int = 0
    drop_last: bool = True
    shift: int = 0
    input_scale: float = 1.0
    late_batch: int | None = None
    shuffle_within: bool = False
    ema: float | None = None
    dropout: bool = False
    steps: int = 40
    batch: int = 32
    arrays: int = 20
    samples: int | None = None
    logits: bool = True
    raw: bool = True
    lr_told: bool = True
    noise: float = 0.0

    @property
    def key(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


# ------------------------------------------------------------------------------------------------- schedules
def _plateau(history: list[float], patience: int, factor: float, exceeded: bool) -> float:
    """The factor after the losses so far; torch waits for more than `patience` bad ones, optax for as many."""
    best, bad, now = np.inf, 0, 1.0
    for loss in history:
        best, bad = (loss, 0) if loss < best * (1 - 1e-4) else (best, bad + 1)
        if bad > patience or (bad == patience and not exceeded):
            now, bad = now * factor, 0
    return now


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": lambda t, history: 1.0,
    "cosine": lambda t, history, end=40, stay=True: 0.5 * (1 + np.cos(np.pi * (min(t, end) if stay else t) / end)),
    "cosine_late": lambda t, history, end=40: 0.5 * (1 + np.cos(np.pi * min(max(t - 1, 0), end) / end)),
    "cosine_by_epoch": lambda t, history, end=40, every=6: 0.5 * (1 + np.cos(np.pi * min(t // every, end) / end)),
    "warmup": lambda t, history, over=8, from_zero=False: min(1.0, (t if from_zero else t + 1) / over),
    "step": lambda t, history, every=10, gamma=0.5: gamma ** (t // every),
    "exponential": lambda t, history, gamma=0.97: gamma**t,
    "plateau": lambda t, history, patience=2, factor=0.5, exceeded=True: _plateau([1.0] * len(history), patience, factor, exceeded),
    "linear": lambda t, history, over=40, end=0.0: 1 - (1 - end) * min(t / over, 1.0),
}


# ------------------------------------------------------------------------------------------------- data and weights
@functools.cache
def dataset(model: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(42)
    shape = (SAMPLES, FEATURES) if model == "mlp" else (SAMPLES, 1, 8, 8)
    x = rng.normal(size=shape).astype(np.float32)
    y = (np.abs(x.reshape(SAMPLES, -1)[:, :8] @ rng.normal(size=(8, CLASSES))).argmax(1)).astype(np.int64)
    return x, y


def batches(o: Options) -> list[np.ndarray]:
    """The indices of every micro-batch of the run."""
    found, epoch, need = [], 0, o.steps * o.accumulate + o.shift
    while len(found) < need:
        order = np.random.default_rng((o.data_seed, epoch)).permutation(SAMPLES)
        parts = [order[i : i + o.batch] for i in range(0, SAMPLES, o.batch)]
        found += [p for p in parts if len(p) == o.batch or not o.drop_last]
        epoch += 1
    if o.late_batch is not None:
        rng = np.random.default_rng(99)
        found[o.late_batch :] = [rng.permutation(SAMPLES)[: o.batch] for _ in found[o.late_batch :]]
    if o.shuffle_within:
        found = [np.roll(p, 1 + i % 3) for i, p in enumerate(found)]
    return found[o.shift : need]


def initial(o: Options) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(o.init_seed)
    found = {}
    for name, shape in SHAPES[o.model].items():
        bound = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
        x = rng.uniform(-bound, bound, shape) * o.init_scale
        if len(shape) == 1 and o.init_zero_bias:
            x = 0 * x
        if name.startswith("norm.weight"):
            x = x + 1
        found[name] = np.ascontiguousarray(np.swapaxes(x, 0, 1) if name in o.transposed else x).astype(np.float32)
    return found


# ------------------------------------------------------------------------------------------------- the run
def run(folder: str | Path, o: Options) -> Path:
    """Train, and leave a recording."""
    side = frameworks.SIDES[o.framework](o)
    params = side.load(initial(o))
    if o.params == "bfloat16":
        params = side.half(params)
    writer = FolderWriter(folder)
    writer.begin(_info(o, side, params))
    optimizer = side.native(o, params) if o.native else _by_rule(o, side, params)
    x, y = dataset(o.model)
    if o.loss != "cross_entropy":
        y = np.random.default_rng(3).normal(size=(SAMPLES, CLASSES)).astype(np.float32)
    order, history, average = batches(o), [], None
    for t in range(o.steps):
        lr = o.lr * SCHEDULES[o.schedule[0]](t, history, *o.schedule[1:])
        micro = [(x[i] * np.float32(o.input_scale), y[i]) for i in order[t * o.accumulate : (t + 1) * o.accumulate]]
        losses, logits, raw, grads = _gradients(o, side, params, micro, t)
        loss = float(np.sum(losses))
        frozen = [n for n in o.frozen if n in params] if t >= o.frozen_from else ()
        if o.frozen_how == "grad":
            raw, grads = ({n: g * (0 if n in frozen else 1) for n, g in gs.items()} for gs in (raw, grads))
        updates, new = optimizer(params, grads, lr)
        for name in frozen:
            updates[name], new[name] = 0 * updates[name], params[name]
        if o.params == "bfloat16":
            new = side.half(new)
            updates = {n: new[n] - params[n] for n in params}
        history.append(loss)
        with_arrays = t < o.arrays or t % 10 == 0
        if o.ema is not None:
            average = dict(new) if average is None else {n: o.ema * average[n] + (1 - o.ema) * new[n] for n in params}
        host = {kind: side.own(tree) for kind, tree in (("param", params), ("grad", grads), ("update", updates), ("raw", raw))}
        step = Step(t, loss, losses=losses if len(losses) > 1 else (), lr=(lr,) if o.lr_told else (), grad_norms=_norms(host["grad"]), raw_grad_norms=_norms(host["raw"]) if o.raw else {},
                    update_norms=_norms(host["update"]), param_norms=_norms(host["param"]),
                    batch=tuple(checksum(part) for pair in micro for part in pair))  # fmt: skip
        arrays = {f"{k}/{n}": a for k in ("param", "grad", "update") for n, a in host[k].items()} if with_arrays else {}
        arrays = _sampled(o, arrays, t)
        if with_arrays and average is not None:
            arrays |= {f"ema/{n}": a for n, a in side.own(average).items()}
        if with_arrays and o.logits:
            for i, (found, (_, labels)) in enumerate(zip(logits, micro, strict=True)):
                arrays |= {f"logits/{i}": found, f"labels/{i}": labels}
        writer.write(step, arrays)
        params = new
    writer.close()
    return Path(folder)


def _gradients(o: Options, side: Any, params: Any, micro: list[Any], t: int) -> tuple[tuple[float, ...], list[np.ndarray], Any, Any]:
    """The value of each backward pass, logits, and the gradient of all micro-batches before and after clipping."""
    k, raw, total, losses, logits = len(micro), None, None, [], []
    each = o.clip if o.clip and o.clip.get("when") == "before" else None
    for i, (x, y) in enumerate(micro):
        loss, out, g = side.gradients(params, x, y, 1000 * t + i)
        if o.noise:
            rng = np.random.default_rng((t, i))
            g = {n: v * side.array(1 + o.noise * rng.standard_normal(v.shape).astype(np.float32)) for n, v in g.items()}
        share = 1.0 if o.accumulate_sum else 1.0 / k
        losses.append(loss * share if o.accumulate_told else loss / k)
        logits.append(out)
        raw = {n: v * share for n, v in g.items()} if raw is None else {n: raw[n] + v * share for n, v in g.items()}
        g = _clip(side, g, each) if each else g
        total = {n: v * share for n, v in g.items()} if total is None else {n: total[n] + v * share for n, v in g.items()}
    if o.clip and not each:
        total = _clip(side, total, o.clip)
    return tuple(losses), logits, raw, total


def _clip(side: Any, grads: Any, clip: Mapping[str, Any]) -> Any:
    size, per, eps = clip["max_norm"], clip.get("per", "global"), clip.get("eps", 1e-6)
    if per == "value":
        return {n: g.clip(-size, size) for n, g in grads.items()}
    groups = {"global": lambda n: "", "parameter": lambda n: n, "group": lambda n: n.endswith("bias")}
    key = groups[per]
    squares: dict[Any, float] = {}
    for n, g in grads.items():
        squares[key(n)] = squares.get(key(n), 0.0) + float((g * g).sum())
    return {n: g * min(1.0, size / (squares[key(n)] ** 0.5 + eps)) for n, g in grads.items()}


def _by_rule(o: Options, side: Any, params: Any) -> Callable[..., Any]:
    rule = Rule(o.optimizer, side.ops(o.moments), dict(o.hyper))
    decays = side.flat({n: side.array(np.full(p.shape, float(o.decay_biases or len(p.shape) > 1), np.float32)) for n, p in params.items()})

    def update(params: Any, grads: Any, lr: float) -> Any:
        p, g = side.flat(params), side.flat(grads)
        u = rule.update(g, p, lr, decays)
        new = side.unflat(p + u, params)
        told = {n: new[n] - params[n] for n in params} if o.framework == "torch" else side.unflat(u, params)
        return told, new

    return update


def _norms(arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {n: float(np.float32(np.linalg.norm(np.asarray(x, np.float64)))) for n, x in arrays.items()}


def _info(o: Options, side: Any, params: Any) -> RunInfo:
    own = side.own(params)
    return RunInfo(o.framework, tuple(
        Parameter(n, x.shape, o.params, samples=None if o.samples is None or x.size <= o.samples else o.samples) for n, x in own.items()
    ), {"optimizer": o.optimizer, **{k: str(v) for k, v in o.hyper.items()}})  # fmt: skip


def _sampled(o: Options, arrays: dict[str, np.ndarray], t: int) -> dict[str, np.ndarray]:
    if o.samples is None:
        return arrays
    found = {}
    for key, x in arrays.items():
        kind, _, name = key.partition("/")
        if x.size > o.samples:
            at = np.sort(np.random.default_rng(5).permutation(x.size)[: o.samples])
            found[key] = x.ravel()[at]
            if t == 0 and kind == "param":
                found[f"index/{name}"] = at
        else:
            found[key] = x
    return found


# ------------------------------------------------------------------------------------------------- recordings
_kept: dict[str, Path] = {}
_room: list[tempfile.TemporaryDirectory[str]] = []


def recorded(o: Options) -> Recording:
    """The recording of a run, which is made once in a process."""
    if o.key not in _kept:
        if not _room:
            _room.append(tempfile.TemporaryDirectory(prefix="planted-"))
        _kept[o.key] = run(Path(_room[0].name) / f"run{len(_kept)}", o)
    return read_recording(_kept[o.key])


def changed(o: Options, **changes: Any) -> Options:
    """The same run but for some options; `hyper` is merged."""
    hyper = {**o.hyper, **changes.pop("hyper", {})}
    return replace(o, hyper=hyper, **changes)
