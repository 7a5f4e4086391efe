"""One side of a comparison in JAX: what a recipe is built into, on the CPU, in NumPy arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lossopt.compare.side import Step
from lossopt.errors import InputError, MissingBackendError
from lossopt.recipes import Recipe
from lossopt.tasks import Task, mapping
from lossopt.tasks.task import Shapes, Weights
from lossopt_jax.optimizers import split

try:
    from flax import nnx
except ImportError as error:
    raise MissingBackendError("training a model in JAX needs flax, which is not installed: pip install 'lossopt[all]'") from error

from lossopt_jax import models
from lossopt_jax.build import Built, Parts
from lossopt_jax.precision import checkpoint_modules, compute_in


class Side:
    """The training loop that a JAX user writes, on the CPU; the step is compiled once.

    Args:
        task: whose model is trained.
        recipe: what to train it with; its precision is that of the comparison.
    """

    def __init__(self, task: Task, recipe: Recipe) -> None:
        self.dtype = np.dtype(np.float32 if recipe.precision is None else recipe.precision.params)
        with self._settings():
            parts = self._build(task, recipe)
            shapes = {name: tuple(x.shape) for name, x in zip(*split(parts.params)[:2], strict=True)}
            names = {own: link.name for link in mapping.links(task, "jax", shapes) for own in link.own}
            self.built = Built(recipe, parts, arguments=task.arguments, names=names)

    @property
    def shapes(self) -> Shapes:
        names, leaves, _ = split(self.built.params)
        return {name: tuple(x.shape) for name, x in zip(names, leaves, strict=True)}

    def parameters(self) -> Weights:
        names, leaves, _ = split(self.built.params)
        return {name: np.asarray(x) for name, x in zip(names, leaves, strict=True)}

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        names, _, treedef = split(self.built.params)
        with self._settings():
            self.built.params = treedef.unflatten([self._array(weights[name]) for name in names])

    def step(self, inputs: np.ndarray, targets: np.ndarray) -> Step:
        with self._settings():
            seen = self.built.observe(self._array(inputs), self._array(targets))
        gradients = {name: np.asarray(g) for name, g in (seen.gradients or {}).items()}
        lr = 1.0 if seen.lr is None else float(seen.lr)
        return Step(np.asarray(seen.predictions), float(seen.loss), gradients, lr, self.parameters())

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        with self._settings():
            return np.asarray(self.built.predict(self._array(inputs)))

    def report(self) -> dict[str, Any]:
        with self._settings():
            return self.built.report()

    def _build(self, task: Task, recipe: Recipe) -> Parts:
        """The model's structure, the shapes of its parameters, its other state, and parameters to be loaded.

        Traced, not run: drawing initial values that `load` replaces would compile one small program after another.
        """

        def make() -> Any:
            made = model(task, recipe.seed)
            made.train()
            compute_in(made, self.dtype)
            return checkpoint_modules(made, *recipe.checkpointed) if recipe.checkpointed else made

        graph, template, rest = nnx.split(nnx.eval_shape(make), nnx.Param, ...)
        if jax.tree.leaves(rest):  # statistics of a normalisation, keys of a generator
            rest = jax.tree.map(self._array, jax.jit(lambda: nnx.split(make(), nnx.Param, ...)[2])())
        return Parts(graph, template, rest, jax.tree.map(lambda x: np.zeros(x.shape, self.dtype), nnx.to_pure_dict(template)))

    @contextlib.contextmanager
    def _settings(self) -> Iterator[None]:
        """Full precision, on the CPU, for what happens here only; nothing is set for the process."""
        with (jax.enable_x64(self.dtype == np.float64), jax.default_matmul_precision("highest"),
              jax.default_device(jax.local_devices(backend="cpu")[0])):  # fmt: skip
            yield

    def _array(self, x: Any) -> jax.Array:
        return jnp.asarray(x, self.dtype) if jnp.issubdtype(x.dtype, jnp.floating) else jnp.asarray(x)


def model(task: Task, seed: int) -> Any:
    """The task's nnx module, with the random numbers of a seed."""
    rngs = nnx.Rngs(seed)
    if isinstance(task.models, str):
        return models.build(task.models, task.sizes, rngs)
    if "jax" not in task.models:
        raise InputError(f"the task {task.name!r} has no jax model; give Task(models={{'jax': make_flax_model, ...}})")
    return task.models["jax"](rngs)
