"""A Flax model looked at: parameters, losses around them, gradients; and what its devices have done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lossopt.analysis.probe import check_scalar
from lossopt.errors import InputError
from lossopt.tasks import mapping
from lossopt.tasks.task import Data, Task, Weights
from lossopt_jax.loop import is_module
from lossopt_jax.optimizers import split

Apply = Callable[..., Any]


class Probe:
    """A model as a pure function of its parameters, a loss and a batch; the model itself is never written to.

    Normalisation statistics and random keys start every call from where the model's are now.
    """

    def __init__(self, model: Any, loss_fn: Apply, data: Any, targets: Any, names: Mapping[str, str]) -> None:
        self.apply, params, unnamed = _take_apart(model)
        self.loss_fn, self.targets = loss_fn, targets
        self.data = data if isinstance(data, tuple) else (data,)
        self.names, leaves, self.treedef = split(params)
        self.leaves = [jnp.asarray(x) for x in leaves]
        shapes = {name: x.shape for name, x in zip(self.names, self.leaves, strict=True)}
        self.links = mapping.links(_pair({**unnamed, **names}), "jax", shapes)

    def parameters(self) -> Weights:
        own = {name: _numpy(x).astype(np.float64) for name, x in zip(self.names, self.leaves, strict=True)}
        return mapping.to_common(self.links, own)

    def losses(self, directions: Sequence[Weights], points: np.ndarray) -> np.ndarray:
        moving = [link for link in self.links if link.name in directions[0]]
        own = [mapping.from_common(moving, each) for each in directions]
        along = [[jnp.asarray(each[name], x.dtype) for each in own] if name in own[0] else []
                 for name, x in zip(self.names, self.leaves, strict=True)]  # fmt: skip

        @jax.jit
        def every(leaves: Any, along: Any, points: Any, data: Any) -> Any:
            def at(point: Any) -> Any:
                moved = [x + sum(point[k].astype(x.dtype) * d for k, d in enumerate(ds)) if ds else x
                         for x, ds in zip(leaves, along, strict=True)]  # fmt: skip
                return self._loss(moved, data)

            return jax.lax.map(at, points)

        return np.asarray(every(self.leaves, along, jnp.asarray(points), self.data), np.float64)

    def loss_and_gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        loss, gradients = jax.jit(jax.value_and_grad(self._loss))(self.leaves, self.data)
        return float(loss), {name: _numpy(g) for name, g in zip(self.names, gradients, strict=True)}

    def _loss(self, leaves: Any, data: Any) -> Any:
        # The targets are a constant here and no argument, so that a loss can see its labels and refuse one that is no class.
        loss = self.loss_fn(self.apply(self.treedef.unflatten(leaves), *data), self.targets)
        check_scalar(loss.shape)
        return loss


def _take_apart(model: Any) -> tuple[Apply, Any, dict[str, str]]:
    """``(apply, parameters, names)``: the names that layers of an nnx.Sequential have in PyTorch, where they have none."""
    if isinstance(model, tuple) and len(model) == 2 and callable(model[0]):
        return model[0], model[1], {}
    if not is_module(model):
        raise InputError("the analysis of a JAX model takes a flax.nnx.Module, or a pair (apply, params) for apply(params, data), "
                         f"got {type(model).__name__}")  # fmt: skip
    from flax import nnx

    graph, template, rest = nnx.split(model, nnx.Param, ...)

    def apply(params: Any, *data: Any) -> Any:
        own, others = jax.tree.map(lambda x: x, (template, rest))  # copies: the merged model writes to its variables
        nnx.replace_by_pure_dict(own, params)
        merged: Any = nnx.merge(graph, own, others)
        return merged(*data)

    sequentials = {tuple(map(str, path)): node for path, node in nnx.iter_graph(model) if isinstance(node, nnx.Sequential)}
    layers = [(*path, "layers", str(i)) for path, node in sequentials.items() for i in range(len(node.layers))]
    unnamed = {".".join(k for i, k in enumerate(p) if not (k == "layers" and p[:i] in sequentials)): ".".join(p) for p in layers}
    return apply, nnx.to_pure_dict(template), unnamed


def _pair(names: Mapping[str, str]) -> Task:
    """The task of which a mapping of names is a part."""

    def data() -> Data:
        raise InputError("an analysis is given its data")

    return Task("analysis", data=data, models={}, names=names)


def _numpy(x: Any) -> np.ndarray:
    return np.asarray(x, np.float32) if x.dtype in (jnp.bfloat16, jnp.float16) else np.asarray(x)


# ------------------------------------------------------------------------------------------------- performance
def wait(result: Any) -> None:
    """Until these arrays are there."""
    jax.block_until_ready(result)


def device_peak(result: Any) -> tuple[str, int] | None:
    """The accelerator of these arrays and the most memory that JAX has held on it, in bytes; None on a CPU."""
    devices = {d for x in jax.tree.leaves(result) if isinstance(x, jax.Array) for d in x.devices()}
    found = [(str(d), stats["peak_bytes_in_use"]) for d in devices if (stats := d.memory_stats()) and "peak_bytes_in_use" in stats]
    return max(found, key=lambda pair: pair[1], default=None)
