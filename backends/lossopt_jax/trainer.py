"""One side of a comparison in JAX: a Flax module, a loss, an optax transformation and a schedule, under one jit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossopt import get_loss, get_optimizer, get_schedule
from lossopt.compare.side import Step
from lossopt.errors import InputError, MissingBackendError
from lossopt.recipes import Recipe
from lossopt.tasks import Task
from lossopt.tasks.task import Shapes, Weights
from lossopt_jax.optimizers import split

try:
    from flax import nnx
except ImportError as error:
    raise MissingBackendError("training a model in JAX needs flax, which is not installed: pip install 'lossopt[all]'") from error

from lossopt_jax import models, precision


class Side:
    """The training loop that a JAX user writes, on the CPU; the step is compiled once.

    Args:
        task: whose model is trained.
        recipe: loss, optimizer, schedule and seed.
        dtype: ``"float64"`` or ``"float32"``.
    """

    def __init__(self, task: Task, recipe: Recipe, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        with self._settings():
            self.graph, self.template, self.rest, self.params = self._build(task, recipe.seed)
        self.loss, self.arguments = get_loss(recipe.loss, "jax"), task.arguments
        self.optimizer = get_optimizer(recipe.scheduled_optimizer(), "jax")
        self.lr = _lr(recipe)
        self.asks = recipe.optimizer.asks
        self.state: Any = None
        self._compiled_step, self._compiled_predict = jax.jit(self._step), jax.jit(self._predict)
        self._compiled_init = jax.jit(self.optimizer.init)

    @property
    def shapes(self) -> Shapes:
        names, leaves, _ = split(self.params)
        return {name: tuple(x.shape) for name, x in zip(names, leaves, strict=True)}

    def parameters(self) -> Weights:
        return _named(self.params)

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        names, _, treedef = split(self.params)
        with self._settings():
            self.params = treedef.unflatten([self._array(weights[name]) for name in names])

    def step(self, inputs: np.ndarray, targets: np.ndarray) -> Step:
        with self._settings():
            if self.state is None:
                self.state = self._compiled_init(self.params)
            batch = self._array(inputs), self._array(targets)
            self.params, self.state, self.rest, seen = self._compiled_step(self.params, self.state, self.rest, *batch)
            predictions, loss, gradients, lr = seen
        return Step(np.asarray(predictions), float(loss), _named(gradients), float(lr), _named(self.params))

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        with self._settings():
            return np.asarray(self._compiled_predict(self.params, self.state, self.rest, self._array(inputs)))

    def _build(self, task: Task, seed: int) -> tuple[Any, Any, Any, Any]:
        """The model's structure, the shapes of its parameters, its other state, and parameters to be loaded.

        Traced, not run: drawing initial values that `load` replaces would compile one small program after another.
        """

        def make() -> Any:
            model = _model(task, nnx.Rngs(seed))
            model.train()
            precision.compute_in(model, self.dtype)
            return model

        graph, template, rest = nnx.split(nnx.eval_shape(make), nnx.Param, ...)
        if jax.tree.leaves(rest):  # statistics of a normalisation, keys of a generator
            rest = jax.tree.map(self._array, jax.jit(lambda: nnx.split(make(), nnx.Param, ...)[2])())
        return graph, template, rest, jax.tree.map(lambda x: np.zeros(x.shape, self.dtype), nnx.to_pure_dict(template))

    # -- what is compiled
    def _step(self, params: Any, state: Any, rest: Any, x: jax.Array, y: jax.Array) -> tuple[Any, Any, Any, Any]:
        def loss_of(params: Any) -> tuple[jax.Array, Any]:
            model = self._merge(params, rest)
            predictions = model(x)
            return self.loss(*self.arguments(predictions, y)), (predictions, nnx.state(model, nnx.Not(nnx.Param)))

        (loss, (predictions, rest)), gradients = jax.value_and_grad(loss_of, has_aux=True)(params)
        extras = {"value": loss} if "value" in self.asks else {}
        if "evaluate" in self.asks:
            extras["value_fn"] = lambda params: loss_of(params)[0]
        updates, new = self.optimizer.update(gradients, state, params, **extras)
        return optax.apply_updates(params, updates), new, rest, (predictions, loss, gradients, self.lr(state))

    def _predict(self, params: Any, state: Any, rest: Any, x: jax.Array) -> jax.Array:
        model = self._merge(params if state is None else self.optimizer.eval_params(state, params), rest)
        model.eval()
        return model(x)

    def _merge(self, params: Any, rest: Any) -> Any:
        state = jax.tree.map(lambda x: x, self.template)  # a copy: traced values must not stay in the template
        nnx.replace_by_pure_dict(state, params)
        return nnx.merge(self.graph, state, rest, copy=True)  # a model of this trace, which may change its statistics

    # -- numbers
    @contextlib.contextmanager
    def _settings(self) -> Iterator[None]:
        """Full precision, on the CPU, for what happens here only; nothing is set for the process."""
        with (jax.enable_x64(self.dtype == np.float64), jax.default_matmul_precision("highest"),
              jax.default_device(jax.local_devices(backend="cpu")[0])):  # fmt: skip
            yield

    def _array(self, x: Any) -> jax.Array:
        return jnp.asarray(x, self.dtype) if jnp.issubdtype(x.dtype, jnp.floating) else jnp.asarray(x)


def _lr(recipe: Recipe) -> Any:
    """``state -> the learning rate that the next update uses``: the schedule at the state's own count."""
    name = recipe.lr_name
    if name is None:
        return lambda state: 1.0
    if recipe.schedule is None:
        return lambda state: state.hyperparams[name.removesuffix("lr") + "learning_rate"]
    schedule = get_schedule(recipe.schedule.with_lr(recipe.optimizer.flat[name]), "jax")
    return lambda state: schedule(state.count)


def _model(task: Task, rngs: nnx.Rngs) -> Any:
    if isinstance(task.models, str):
        return models.build(task.models, task.sizes, rngs)
    if "jax" not in task.models:
        raise InputError(f"the task {task.name!r} has no jax model; give Task(models={{'jax': make_flax_model, ...}})")
    return task.models["jax"](rngs)


def _named(tree: Any) -> Weights:
    names, leaves, _ = split(tree)
    return {name: np.asarray(x) for name, x in zip(names, leaves, strict=True)}
