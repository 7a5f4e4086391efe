"""JAX's side of ``lossopt port-check``: a jitted step, recorded, and what the traced forward pass shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import lossopt
from lossopt.errors import InputError, MissingBackendError
from lossopt.port_check import side
from lossopt.port_check.given import JAX, Given, check_number
from lossopt.port_check.known import BATCH, EXACT, RUNNING, TANH
from lossopt.port_check.side import ARRAYS, Seen
from lossopt.port_check.source import told
from lossopt_jax.optimizers import split

TANH_GELU = 0.044715
"""The factor of the cube in the tanh approximation; nothing else has it."""

Apply = Callable[..., tuple[Any, Any]]


class Side(side.Side):
    """An ``nnx.Module``, or a function and its parameters, and the jitted step.

    Args:
        made: what the user's function returned; `lossopt.port_check` says what that is.
        label: the function's name, for errors.
    """

    def __init__(self, made: Any, label: str) -> None:
        given = Given(made, JAX, label)
        self.lr = given.get("lr")
        self.model = given.get("model")
        if self.model is None and given.get("apply") is None:
            raise InputError(f"{label} returns neither 'model', an nnx.Module, nor 'apply' and 'params', a function and what it takes")
        if self.model is not None and given.get("apply") is not None:
            raise InputError(f"{label} returns both 'model' and 'apply'; return the nnx.Module, or 'apply' and 'params'")
        self._apply, self.params, self.rest = _of_module(given) if self.model is not None else _of_function(given)
        self.transformations = _transformations(given)
        super().__init__(given, label)

    # -- what both sides are given
    def parameters(self) -> dict[str, np.ndarray]:
        return _arrays(self.params)

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        self.params = _with(self.params, weights)

    def statistics(self) -> dict[str, np.ndarray]:
        return {name: x for name, x in _arrays(self.rest).items() if name.rpartition(".")[2] in ("mean", "var")}

    def load_statistics(self, found: Mapping[str, np.ndarray]) -> None:
        self.rest = _with(self.rest, found)

    # -- the loop
    def begin(self, folder: Path, steps: int, channels_last: Sequence[bool]) -> None:
        given = {} if self.lr is None else {"lr": self.lr}
        tx = lossopt.record(folder, *self.transformations, first=ARRAYS, every=max(steps - 1, 0), **given)
        self._run, self._channels_last = tx.run, channels_last
        with told(f"{self.label}: optimizer.init(params)"):
            self._state = tx.init(self.params)

        def step(params: Any, rest: Any, state: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
            (loss, (outputs, rest)), grads = jax.value_and_grad(self._objective, has_aux=True)(params, rest, batch)
            updates, state = tx.update(grads, state, params, value=loss)
            return optax.apply_updates(params, updates), rest, state, outputs

        self._update = jax.jit(step)

    def _objective(self, params: Any, rest: Any, batch: tuple[Any, ...]) -> tuple[Any, Any]:
        outputs, rest = self._apply(params, rest, *batch[:-1])
        return self.loss(outputs, batch[-1]), (outputs, rest)

    def _step(self, batch: tuple[Any, ...]) -> None:
        arrays = tuple(self._array(x) for x in batch)
        if self._done == 0:
            self._check(arrays)
        self._run.batch(*(jnp.moveaxis(x, -1, 1) if last else x for x, last in self._with_order(arrays)))
        with told(f"{self.label}: a step of the optimizer"):
            self.params, self.rest, self._state, outputs = self._update(self.params, self.rest, self._state, arrays)
        for x in _logits(outputs):
            self._run.logits(x, arrays[-1])

    def _settle(self) -> None:
        jax.block_until_ready(self._state)
        self._run.flush()  # what has come from the device is in the folder then

    def _with_order(self, arrays: Sequence[Any]) -> Iterator[tuple[Any, bool]]:
        return itertools.zip_longest(arrays, self._channels_last[: len(arrays)], fillvalue=False)

    def _check(self, arrays: tuple[Any, ...]) -> None:
        """That model and loss work, each by itself, before they are differentiated and compiled."""
        with told(f"{self.label}: model(*inputs)"):
            outputs, _ = jax.eval_shape(self._apply, self.params, self.rest, *arrays[:-1])
        with told(f"{self.label}: loss(outputs, labels)"):
            loss = jax.eval_shape(self.loss, outputs, arrays[-1])
        if not hasattr(loss, "shape"):
            raise InputError(f"{self.label}: loss(outputs, labels) gave a {type(loss).__name__}, and must give an array of one number")
        check_number(tuple(loss.shape), self.label)
        if loss.shape:
            raise InputError(f"{self.label}: loss(outputs, labels) gave an array of shape {tuple(loss.shape)}, and must give a number "
                             "without axes, which jax.grad needs; write .mean() after it")  # fmt: skip

    def _array(self, x: Any) -> jax.Array:
        """NumPy's floating-point numbers in the model's precision."""
        if isinstance(x, np.ndarray) and np.issubdtype(x.dtype, np.floating):
            like = next((p for p in jax.tree.leaves(self.params) if jnp.issubdtype(p.dtype, jnp.floating)), x)
            return jnp.asarray(x, like.dtype)
        return jnp.asarray(x)

    # -- what can be seen
    def seen(self) -> list[Seen]:
        inputs = (self._array(x) for x in self._first[:-1])
        return [*self._of_modules(), *_traced(jax.make_jaxpr(self._apply)(self.params, self.rest, *inputs).jaxpr)]

    def _of_modules(self) -> Iterator[Seen]:
        if self.model is None:
            return
        from flax import nnx

        for path, module in nnx.iter_modules(self.model):
            if isinstance(module, nnx.BatchNorm):
                where = ".".join(map(str, path))
                yield Seen("statistics", RUNNING if module.use_running_average else BATCH, where)
                yield Seen("momentum", 1 - module.momentum, where)


# ------------------------------------------------------------------------------------------------- models
def _of_module(given: Given) -> tuple[Apply, Any, Any]:
    """An nnx.Module as a function of its parameters and its other state."""
    try:
        from flax import nnx
    except ImportError:
        raise MissingBackendError("an nnx.Module needs flax, which is not installed: pip install 'lossopt[all]'") from None
    model = given.get("model")
    if not isinstance(model, nnx.Module):
        linen = "init" in dir(model) and "apply" in dir(model)
        raise given.wrong("model", "of a linen module return apply=model.apply and params=model.init(key, x)" if linen else "")
    graph, params, rest = nnx.split(model, nnx.Param, ...)

    def apply(params: Any, rest: Any, *inputs: Any) -> tuple[Any, Any]:
        whole = nnx.merge(graph, params, rest, copy=True)  # the step traces it within jit and grad: variables of its own
        outputs = whole(*inputs)
        return outputs, nnx.split(whole, nnx.Param, ...)[2]

    return apply, params, rest


def _of_function(given: Given) -> tuple[Apply, Any, Any]:
    function, params = given.call("apply"), given.need("params")

    def apply(params: Any, rest: Any, *inputs: Any) -> tuple[Any, Any]:
        return function(params, *inputs), rest

    return apply, params, {}


def _transformations(given: Given) -> list[Any]:
    found = given.need("optimizer")
    if hasattr(found, "tx"):
        raise given.wrong("optimizer", "return its transformation: optimizer.tx")
    several = list(found) if isinstance(found, list | tuple) and not hasattr(found, "init") else [found]
    if not several or not all(hasattr(x, "init") and hasattr(x, "update") for x in several):
        raise given.wrong("optimizer")
    return several


def _logits(outputs: Any) -> list[Any]:
    """The first array of floating-point numbers among them."""
    leaves = jax.tree.leaves(getattr(outputs, "logits", outputs))
    return [x for x in leaves if hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jnp.floating)][:1]


def _arrays(tree: Any) -> dict[str, np.ndarray]:
    names, leaves, _ = split(tree)
    return {name: np.asarray(x) for name, x in zip(names, leaves, strict=True) if not jnp.issubdtype(x.dtype, jax.dtypes.prng_key)}


def _with(tree: Any, found: Mapping[str, np.ndarray]) -> Any:
    names, leaves, treedef = split(tree)
    return treedef.unflatten([jnp.asarray(found[name], x.dtype) if name in found else x for name, x in zip(names, leaves, strict=True)])


# ------------------------------------------------------------------------------------------------- a traced forward pass
def _traced(jaxpr: Any) -> Iterator[Seen]:
    """What is added before a root, which gelu it is, and draws of random numbers, in order."""
    added: dict[Any, float] = {}
    for eqn in jaxpr.eqns:
        kind, numbers = eqn.primitive.name, [float(x.val) for x in eqn.invars if np.ndim(getattr(x, "val", [0])) == 0]
        if kind == "add" and len(numbers) == 1:
            added[eqn.outvars[0]] = numbers[0]
        elif kind in ("rsqrt", "sqrt") and not hasattr(eqn.invars[0], "val") and eqn.invars[0] in added:
            yield Seen("eps", added[eqn.invars[0]])
        elif kind in ("erf", "erfc"):
            yield Seen("gelu", EXACT)
        elif kind == "mul" and any(abs(x - TANH_GELU) < 1e-6 for x in numbers):
            yield Seen("gelu", TANH)
        elif kind == "random_bits":
            yield Seen("dropout", "drawn")
        elif kind == "conv_general_dilated":
            yield Seen("convolution", "")
        for inner in jax.tree.leaves(list(eqn.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield from _traced(getattr(inner, "jaxpr", inner))


def _is_jaxpr(x: Any) -> bool:
    return hasattr(getattr(x, "jaxpr", x), "eqns")
