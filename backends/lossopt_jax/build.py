"""A recipe in JAX: a loss, an optax transformation, a schedule, and the step that trains with them under one jit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossopt import carry, get_loss, get_optimizer, get_schedule
from lossopt.errors import ArgumentError, InputError
from lossopt.precision import Precision, part_size
from lossopt.recipes import Recipe
from lossopt.recipes.build import Built as Base
from lossopt.recipes.build import Seen
from lossopt.tasks.task import predictions_and_targets
from lossopt_jax.curvature import hutchinson
from lossopt_jax.loop import is_module
from lossopt_jax.optimizers import known_as, split
from lossopt_jax.precision import Policy, checkpoint, checkpoint_modules


class Parts(NamedTuple):
    """An nnx module taken apart: its structure, its parameters' shapes and values, and its other state."""

    graph: Any
    template: Any
    rest: Any
    params: Any

    @classmethod
    def of(cls, model: Any) -> Parts:
        """The parts of a module."""
        from flax import nnx

        graph, template, rest = nnx.split(model, nnx.Param, ...)
        return cls(graph, template, rest, nnx.to_pure_dict(template))

    def merge(self, params: Any, rest: Any) -> Any:
        """A module of its own, which may change its statistics."""
        from flax import nnx

        state = jax.tree.map(lambda x: x, self.template)  # a copy: traced values must not stay in the template
        nnx.replace_by_pure_dict(state, params)
        return nnx.merge(self.graph, state, rest, copy=True)


class Built(Base):
    """A recipe for a model.

    An ``nnx.Module`` is trained in place: after every step it holds the new parameters.  A tree of parameters stays as
    it is; ``params`` are the new ones.

    Args:
        recipe: what to make.
        model: a ``flax.nnx.Module``, its `Parts`, or a tree of parameters.
        apply: ``apply(params, inputs) -> predictions``, for a tree of parameters.
        arguments: ``(predictions, targets) -> the loss's arguments``.
        names: the names that parameters have in PyTorch, where they differ by more than the leaf; groups know them too.

    Attributes:
        params: the parameters, a tree.
        rest: a module's other state: statistics of a normalisation, random counts.
        state: the optimizer's state; ``state.hyperparams["learning_rate"]`` is live without a schedule.
    """

    backend = "jax"

    def __init__(self, recipe: Recipe, model: Any, *, apply: Callable[[Any, Any], Any] | None = None,
                 arguments: Callable[[Any, Any], tuple[Any, ...]] = predictions_and_targets,
                 names: Mapping[str, str] | None = None) -> None:  # fmt: skip
        module = is_module(model)
        if not module and not isinstance(model, Parts) and apply is None:
            raise InputError("a tree of parameters says nothing of its model: write build('jax', params, apply=f) for f(params, inputs), "
                             "or give the flax.nnx.Module")  # fmt: skip
        if apply is not None and (module or isinstance(model, Parts)):
            raise ArgumentError("apply goes with a tree of parameters; an nnx module is called itself: leave apply out")
        super().__init__(recipe, model, arguments)
        self.policy: Policy = (recipe.precision or _as_it_is(model)).part("jax")
        with self.settings():
            self._take(model, apply)
            groups = _own_patterns(recipe.scheduled_groups(), split(self.params)[0], names or {})
            self.optimizer = get_optimizer(self.policy.rule(recipe.scheduled_optimizer()), "jax", groups=groups)
        self.loss_fn = get_loss(recipe.loss, "jax")
        base = recipe.optimizer.flat.get(recipe.lr_name or "")
        self.scheduler = get_schedule(recipe.schedule.with_lr(base), "jax") if recipe.schedule else None
        self.state: Any = None
        self._reduction = recipe.reduction if recipe.accumulate > 1 else "mean"
        self._compiled = {observe: jax.jit(lambda *a, observe=observe: self._update(*a, observe=observe)) for observe in (False, True)}
        self._compiled_predict = jax.jit(self._predict)
        self._compiled_init = jax.jit(self.optimizer.init)

    def _take(self, model: Any, apply: Callable[[Any, Any], Any] | None) -> None:
        if apply is not None:
            forward = checkpoint(apply) if self.recipe.checkpointed else apply
            self._forward = lambda params, rest, x: (self.policy.forward(forward, params, x), rest)
            self._eval = lambda params, rest, x: self.policy.forward(apply, params, x)
            if self.recipe.checkpoint not in (False, True):
                raise ArgumentError("checkpoint names modules, and a tree of parameters has none: write checkpoint: true")
            self.params, self.rest = self.policy.cast_model(model) if self.recipe.precision else model, ()
            return
        if not isinstance(model, Parts):
            if self.recipe.precision:
                self.policy.cast_model(model)
            if self.recipe.checkpointed:
                checkpoint_modules(model, *self.recipe.checkpointed)
            model = Parts.of(model)
        parts = self._parts = model
        self.params, self.rest = parts.params, parts.rest
        self._forward, self._eval = self._forward_module, self._eval_module

    def settings(self) -> contextlib.AbstractContextManager[Any]:
        """float64 where the recipe says so; nothing is set for the process."""
        return jax.enable_x64(True) if self.policy.params == np.float64 else contextlib.nullcontext()

    # -- steps
    def _step(self, inputs: Any, targets: Any, *, observe: bool) -> tuple[Seen, Any]:
        if self.state is None:
            self.state = self._compiled_init(self.params)
        found = self._compiled[observe](self.params, self.state, self.rest, *self._on_device(inputs, targets))
        self.params, self.state, self.rest, seen, norm = found
        self._put_back()
        loss, lr, predictions, gradients = seen
        named = None if gradients is None else dict(zip(*split(gradients)[:2], strict=True))
        return Seen(loss, lr, predictions, named), norm

    def _put_back(self) -> None:
        """The module holds what has been learnt."""
        if not is_module(self.model):
            return
        from flax import nnx

        nnx.update(self.model, self.rest)
        own = nnx.state(self.model, nnx.Param)
        nnx.replace_by_pure_dict(own, self.params)
        nnx.update(self.model, own)

    def predict(self, inputs: Any) -> jax.Array:
        with self.settings():
            return self._compiled_predict(self.params, self.state, self.rest, jnp.asarray(inputs))

    def probed(self) -> Any:
        if is_module(self.model):
            return self.model
        return lambda params, *x: self._forward(params, self.rest, *x)[0], self.params

    def _on_device(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        wide = jnp.float64 if self.policy.params == np.float64 else jnp.float32

        def array(x: Any) -> jax.Array:
            x = x if isinstance(x, jax.Array) else np.asarray(x)
            return jnp.asarray(x, wide) if jnp.issubdtype(x.dtype, jnp.floating) else jnp.asarray(x)

        return jax.tree.map(array, (inputs, targets))

    # -- what is compiled
    def _update(self, params: Any, state: Any, rest: Any, x: Any, y: Any, *, observe: bool) -> tuple[Any, ...]:
        loss, gradients, new_rest, predictions = self._gradients(params, state, rest, x, y)
        extras = {"value": loss} if "value" in self.recipe.optimizer.asks else {}
        if "evaluate" in self.recipe.optimizer.asks:
            extras["value_fn"] = lambda params: self._gradients(params, state, rest, x, y, value_only=True)
        if "hessian" in self.recipe.optimizer.asks:
            extras["hessian"] = lambda step: hutchinson(
                lambda params: self._gradients(params, state, rest, x, y, value_only=True), params, step=step, seed=self.recipe.seed)
        updates, new = self.optimizer.update(gradients, state, params, **extras)
        true = self.policy.unscale(gradients, state) if observe or self.recipe.analysis else None
        norm = optax.tree.norm(true) if self.recipe.analysis else None
        seen = loss, self._lr(state), predictions if observe else None, true if observe else None
        return optax.apply_updates(params, updates), new, new_rest, seen, norm

    def _gradients(self, params: Any, state: Any, rest: Any, x: Any, y: Any, *, value_only: bool = False) -> Any:
        """The loss, the gradients times the scale, the model's other state and the predictions, of all parts of the batch."""

        def loss_of(params: Any, rest: Any, x: Any, y: Any) -> Any:
            predictions, rest = self._forward(params, rest, x)
            loss = self.loss_fn(*self.arguments(predictions, y))
            return self.policy.scale(loss, state), (loss, rest, predictions)

        both = (lambda *a: (loss_of(*a), jax.tree.map(jnp.zeros_like, params))) if value_only else jax.value_and_grad(loss_of, has_aux=True)
        count = self.recipe.accumulate
        if count == 1:
            (_, (loss, rest, predictions)), gradients = both(params, rest, x, y)
        else:
            size = part_size((x, y), count)
            parts = jax.tree.map(lambda x: jnp.reshape(x, (count, size, *x.shape[1:])), (x, y))

            def one(carry: tuple[Any, Any], part: Any) -> Any:
                gathered, rest = carry
                (_, (loss, rest, predictions)), gradients = both(params, rest, *part)
                return (jax.tree.map(jnp.add, gathered, gradients), rest), (loss, predictions)

            (gradients, rest), (losses, predictions) = jax.lax.scan(one, (jax.tree.map(jnp.zeros_like, params), rest), parts)
            share = 1 / count if self._reduction == "mean" else 1.0
            loss, gradients = losses.sum() * share, jax.tree.map(lambda g: g * jnp.asarray(share, g.dtype), gradients)
            predictions = jax.tree.map(lambda p: jnp.reshape(p, (count * size, *p.shape[2:])), predictions)
        return loss if value_only else (loss, gradients, rest, predictions)

    def _forward_module(self, params: Any, rest: Any, x: Any) -> tuple[Any, Any]:
        from flax import nnx

        model = self._parts.merge(params, rest)
        return self.policy.forward(model, x), nnx.state(model, nnx.Not(nnx.Param))

    def _eval_module(self, params: Any, rest: Any, x: Any) -> Any:
        model = self._parts.merge(params, rest)
        model.eval()
        return self.policy.forward(model, x)

    def _predict(self, params: Any, state: Any, rest: Any, x: Any) -> Any:
        return self._eval(params if state is None else self.optimizer.eval_params(state, params), rest, x)

    def _lr(self, state: Any) -> Any:
        """The learning rate that the next update uses: the schedule at the state's own count, or the live number."""
        name = self.recipe.lr_name
        if name is None:
            return None
        if self.scheduler is not None:
            return self.scheduler(state.count)
        live = state.hyperparams.get(name.removesuffix("lr") + "learning_rate")
        if live is None:
            found = self.recipe.optimizer.flat[name]  # a schedule of its own
            return get_schedule(found, "jax")(state.count)
        return live


def _as_it_is(model: Any) -> Precision:
    """The precision that parameters have."""
    params = Parts.of(model).params if is_module(model) else model.params if isinstance(model, Parts) else model
    found = {str(x.dtype) for x in jax.tree.leaves(params) if jnp.issubdtype(x.dtype, jnp.floating)}
    if len(found) > 1:
        raise InputError(f"the model's parameters are of several dtypes ({', '.join(sorted(found))}): say one in the recipe, "
                         "precision='float32'")  # fmt: skip
    dtype: Any = found.pop() if found else "float32"
    if dtype == "float16":
        raise InputError("the model's parameters are float16, in which small updates are lost: leave them in float32 and write "
                         "precision='float16'")  # fmt: skip
    return Precision(dtype, dtype)


def named_shapes(model: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    """By each parameter's own name the name that it has in PyTorch, and its shape; of a module or of a tree of parameters."""
    names, leaves, _ = split(Parts.of(model).params if is_module(model) else model)
    return {name: (known_as(name), tuple(x.shape)) for name, x in zip(names, leaves, strict=True)}


def embeddings(model: Any) -> set[str]:
    """The names of the parameters that are tables of embeddings."""
    return {name for name in named_shapes(model) if name.rpartition(".")[2] == "embedding"}


def _own_patterns(groups: Mapping[str, Mapping[str, Any]], own: tuple[str, ...], names: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """Patterns of PyTorch's names, where only these match, as those parameters' own names.

    Args:
        groups: hyperparameters by pattern.
        own: the parameters' own names.
        names: own name to PyTorch's.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for pattern, changes in groups.items():
        others = [n for n in own if carry.matches(names.get(n, n), pattern)]
        if any(carry.matches(known, pattern) for n in own for known in (n, known_as(n))) or not others:
            found[pattern] = {**found.get(pattern, {}), **changes}
        else:
            found |= {n: {**found.get(n, {}), **changes} for n in others}
    return found
