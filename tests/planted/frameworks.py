"""What a simulated run needs of a framework: its model with gradients, its arrays, its own optimizers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch.nn import functional as F

CLASS_WEIGHTS = (0.5, 1.0, 2.0, 1.5, 0.25)
Tree = dict[str, Any]


class Torch:
    """Autograd, torch.optim, PyTorch's names and layouts."""

    def __init__(self, o: Any) -> None:
        self.o = o

    def load(self, weights: dict[str, np.ndarray]) -> Tree:
        return {n: torch.from_numpy(x.copy()) for n, x in weights.items()}

    def own(self, tree: Tree) -> dict[str, np.ndarray]:
        return {n: x.detach().numpy().copy() for n, x in tree.items()}

    def array(self, x: np.ndarray) -> Any:
        return torch.from_numpy(x)

    def half(self, tree: Tree) -> Tree:
        return {n: x.bfloat16().float() for n, x in tree.items()}

    def flat(self, tree: Tree) -> Any:
        return torch.cat([x.reshape(-1) for x in tree.values()])

    def unflat(self, x: Any, like: Tree) -> Tree:
        parts = torch.split(x, [v.numel() for v in like.values()])
        return {n: part.reshape(v.shape) for part, (n, v) in zip(parts, like.items(), strict=True)}

    def ops(self, moments: str) -> Any:
        rounded = (lambda x: x.bfloat16().float()) if moments == "bfloat16" else (lambda x: x)
        return SimpleNamespace(sqrt=torch.sqrt, sign=torch.sign, maximum=torch.maximum, zeros_like=torch.zeros_like, round=rounded)

    def gradients(self, params: Tree, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, np.ndarray, Tree]:
        o = self.o
        leaves = {n: p.detach().requires_grad_() for n, p in params.items()}
        with torch.autocast("cpu", torch.bfloat16, enabled=o.compute == "bfloat16"):
            logits = _torch_model(leaves, torch.from_numpy(x), o, seed)
        out, target = logits.float(), torch.from_numpy(y)
        if o.loss == "cross_entropy":
            loss = F.cross_entropy(out, target, label_smoothing=o.smoothing, reduction=o.reduction,
                                   weight=torch.tensor(CLASS_WEIGHTS) if o.weights else None,
                                   ignore_index=-100 if o.ignore is None else o.ignore)  # fmt: skip
        else:
            loss = F.mse_loss(out, target, reduction=o.reduction) * (0.5 if o.loss == "half_mse" else 1.0)
        found = torch.autograd.grad(loss, list(leaves.values()))
        return float(loss.detach()), out.detach().numpy().copy(), dict(zip(leaves, found, strict=True))

    def native(self, o: Any, params: Tree) -> Callable[..., Any]:
        leaves = {n: p.clone().requires_grad_() for n, p in params.items()}
        made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
                "adagrad": torch.optim.Adagrad, "adamax": torch.optim.Adamax, "nadam": torch.optim.NAdam}[o.optimizer](
            list(leaves.values()), lr=o.lr, **o.hyper)  # fmt: skip

        def update(params: Tree, grads: Tree, lr: float) -> tuple[Tree, Tree]:
            before = {n: p.detach().clone() for n, p in leaves.items()}
            for n, p in leaves.items():
                p.grad = grads[n].clone()
            for group in made.param_groups:
                group["lr"] = lr
            made.step()
            new = {n: p.detach().clone() for n, p in leaves.items()}
            return {n: new[n] - before[n] for n in new}, new

        return update


def _torch_model(p: Tree, x: Any, o: Any, seed: int) -> Any:
    if o.model == "cnn":
        x = F.relu(F.conv2d(x, p["conv1.weight"], p["conv1.bias"], padding=1))
        x = F.relu(F.conv2d(x, p["conv2.weight"], p["conv2.bias"], padding=1)).mean((2, 3))
    else:
        x = F.relu(F.linear(x, p["fc1.weight"], p["fc1.bias"]))
        x = F.layer_norm(x, x.shape[-1:], p["norm.weight"], p["norm.bias"])
        x = F.relu(F.linear(x, p["fc2.weight"], p["fc2.bias"]))
    if o.dropout:
        x = x * torch.from_numpy(_dropped(tuple(x.shape), seed))
    return F.linear(x, p["out.weight"], p["out.bias"])


class Jax:
    """jax.grad under jit, optax, Flax's names and layouts."""

    def __init__(self, o: Any) -> None:
        self.o = o
        self.compiled = _jitted(o.model, o.loss, o.smoothing, o.weights, o.ignore, o.reduction, o.compute)

    def load(self, weights: dict[str, np.ndarray]) -> Tree:
        return {_flax_name(n, x): jnp.asarray(_flax(x)) for n, x in weights.items()}

    def own(self, tree: Tree) -> dict[str, np.ndarray]:
        return {n: np.asarray(x) for n, x in tree.items()}

    def array(self, x: np.ndarray) -> Any:
        return jnp.asarray(x)

    def half(self, tree: Tree) -> Tree:
        return {n: x.astype(jnp.bfloat16).astype(jnp.float32) for n, x in tree.items()}

    def flat(self, tree: Tree) -> Any:
        return jnp.concatenate([x.reshape(-1) for x in tree.values()])

    def unflat(self, x: Any, like: Tree) -> Tree:
        ends = np.cumsum([v.size for v in like.values()])[:-1]
        return {n: part.reshape(v.shape) for part, (n, v) in zip(jnp.split(x, ends), like.items(), strict=True)}

    def ops(self, moments: str) -> Any:
        rounded = (lambda x: x.astype(jnp.bfloat16).astype(jnp.float32)) if moments == "bfloat16" else (lambda x: x)
        return SimpleNamespace(sqrt=jnp.sqrt, sign=jnp.sign, maximum=jnp.maximum, zeros_like=jnp.zeros_like, round=rounded)

    def gradients(self, params: Tree, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, np.ndarray, Tree]:
        x = np.moveaxis(x, 1, -1) if x.ndim == 4 else x
        width = 4 if self.o.model == "cnn" else 16
        kept = _dropped((len(x), width), seed) if self.o.dropout else np.ones((len(x), width), np.float32)
        (loss, logits), grads = self.compiled(params, x, y, kept)
        return float(loss), np.asarray(logits), {n: grads[n] for n in params}  # jit sorts a dict by its keys

    def native(self, o: Any, params: Tree) -> Callable[..., Any]:
        make = _optax(o.optimizer, dict(o.hyper))
        tx = optax.inject_hyperparams(make)(learning_rate=o.lr)
        state = tx.init(params)
        step = jax.jit(tx.update)

        def update(params: Tree, grads: Tree, lr: float) -> tuple[Tree, Tree]:
            nonlocal state
            state = state._replace(hyperparams={**state.hyperparams, "learning_rate": jnp.asarray(lr, jnp.float32)})
            updates, state = step(grads, state, params)
            new = optax.apply_updates(params, updates)
            return {n: updates[n] for n in params}, {n: new[n] for n in params}

        return update


def _optax(name: str, hyper: dict[str, Any]) -> Callable[..., Any]:
    """The optax transformation that states the mathematics of torch's optimizer with the same arguments."""
    decay = hyper.pop("weight_decay", 0.0 if name != "adamw" else 1e-2)
    if "betas" in hyper:
        hyper["b1"], hyper["b2"] = hyper.pop("betas")

    def make(learning_rate: Any) -> Any:
        made: Any = {
            "sgd": lambda: optax.sgd(learning_rate, **hyper),
            "adam": lambda: optax.adam(learning_rate, **hyper),
            "adamw": lambda: optax.adamw(learning_rate, weight_decay=decay, **hyper),
            "adamax": lambda: optax.adamax(learning_rate, **hyper),
            "rmsprop": lambda: optax.rmsprop(learning_rate, **{"decay": 0.99, "eps_in_sqrt": False, **_renamed(hyper, alpha="decay")}),
            "adagrad": lambda: optax.chain(optax.scale_by_rss(0.0, 1e-20), optax.scale_by_learning_rate(learning_rate)),
        }[name]()
        return optax.chain(optax.add_decayed_weights(decay), made) if decay and name != "adamw" else made

    return make


def _renamed(hyper: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(k, k): v for k, v in hyper.items()}


@functools.cache
def _jitted(model: str, loss: str, smoothing: float, weights: bool, ignore: int | None, reduction: str, compute: str) -> Any:
    def value(params: Tree, x: Any, y: Any, kept: Any) -> Any:
        kind = jnp.bfloat16 if compute == "bfloat16" else jnp.float32
        p = {n: v.astype(kind) for n, v in params.items()}
        logits = _jax_model(model, p, x.astype(kind), kept.astype(kind)).astype(jnp.float32)
        if loss != "cross_entropy":
            each = (logits - y) ** 2 * (0.5 if loss == "half_mse" else 1.0)
            return each.mean() if reduction == "mean" else each.sum(), logits
        w = jnp.asarray(CLASS_WEIGHTS if weights else (1.0,) * 5)
        kept_labels = jnp.ones(y.shape) if ignore is None else (y != ignore).astype(jnp.float32)
        logp = jax.nn.log_softmax(logits)
        picked = jnp.take_along_axis(logp, y[:, None], 1)[:, 0]
        each = -((1 - smoothing) * w[y] * picked + smoothing / logp.shape[1] * (logp * w).sum(1)) * kept_labels
        return each.sum() / (w[y] * kept_labels).sum() if reduction == "mean" else each.sum(), logits

    return jax.jit(jax.value_and_grad(value, has_aux=True))


def _jax_model(model: str, p: Tree, x: Any, kept: Any) -> Any:
    if model == "cnn":
        def conv(x: Any, k: Any, b: Any) -> Any:
            return jax.nn.relu(jax.lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b)

        x = conv(conv(x, p["conv1.kernel"], p["conv1.bias"]), p["conv2.kernel"], p["conv2.bias"]).mean((1, 2))
    else:
        x = jax.nn.relu(x @ p["fc1.kernel"] + p["fc1.bias"])
        x = (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * p["norm.scale"] + p["norm.bias"]
        x = jax.nn.relu(x @ p["fc2.kernel"] + p["fc2.bias"])
    return (x * kept) @ p["out.kernel"] + p["out.bias"]


def _dropped(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return ((np.random.default_rng(seed).random(shape) > 0.25) / 0.75).astype(np.float32)


def _flax_name(name: str, x: np.ndarray) -> str:
    if not name.endswith("weight"):
        return name
    return name.replace("weight", "kernel" if x.ndim > 1 else "scale")


def _flax(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (0, 1), (-1, -2)) if x.ndim > 1 else x


SIDES: dict[str, Any] = {"torch": Torch, "jax": Jax}
