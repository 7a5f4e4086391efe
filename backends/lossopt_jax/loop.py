"""What a JAX training loop holds: an nnx.Optimizer of a module, a scheduler that sets its live learning rate, the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lossopt.definition import Spec
from lossopt.errors import ArgumentError
from lossopt.schedules.spec import ScheduleSpec
from lossopt.schemes import Scheme
from lossopt.vector import State
from lossopt_jax import optimizers

LR = "learning_rate"


def is_module(model: Any) -> bool:
    """Whether it is a flax.nnx.Module; Flax is not imported to find out."""
    return any(cls.__module__.startswith("flax.nnx") for cls in type(model).__mro__) and callable(getattr(model, "train", None))


def optimizer(model: Any, spec: Spec) -> Any:
    """The nnx.Optimizer of a module's parameters; for a tree of parameters the transformation itself."""
    return _on(model, optimizers.emit(spec))


def optimizer_by(model: Any, made: Any, hyperparameters: Mapping[str, Any]) -> Any:
    """An optax transformation, or ``made(**hyperparameters)`` that gives one."""
    tx = made if isinstance(made, optax.GradientTransformation) else made(**hyperparameters)
    if not isinstance(tx, optax.GradientTransformation):
        raise ArgumentError(f"{getattr(made, '__name__', made)!s}({', '.join(hyperparameters)}) must give an optax transformation, "
                            f"got {type(tx).__name__}")  # fmt: skip
    return _on(model, tx)


def _on(model: Any, tx: optax.GradientTransformation) -> Any:
    if not is_module(model):
        return tx
    from flax import nnx

    return nnx.Optimizer(model, tx, wrt=nnx.Param)


def scheduler(optimizer: Any, spec: ScheduleSpec) -> Any:
    """The scheduler of an nnx.Optimizer, or of a transformation."""
    name = spec.definition.name
    if companions := spec.companions():
        other = next(iter(companions))
        raise ArgumentError(f"{name}: in JAX only the learning rate of an optimizer is live, and {name} cycles {other} too: write "
                            f"cycle_{other}=False, or give both schedules to the optimizer: lr=s, {other}=s.{other}")  # fmt: skip
    if spec.hyperparameters["lr"] != 1:
        raise ArgumentError(f"{name}: lr={spec.hyperparameters['lr']!r} is given; with an optimizer the base is its own learning rate: "
                            "leave lr out")  # fmt: skip
    if spec.waits_for_metric:
        return PlateauScheduler(optimizer, spec)
    return Scheduler(optimizer, lambda base, step: spec.with_lr(base)(step), repr(spec))


def scheduler_by(optimizer: Any, made: Callable[..., Any], hyperparameters: Mapping[str, Any]) -> Scheduler:
    """A function of the step that gives a factor."""
    return Scheduler(optimizer, lambda base, step: base * float(made(step, **hyperparameters)), getattr(made, "__name__", repr(made)))


class _Live:
    """The live learning rates of an nnx.Optimizer, or of the optimizer states that a transformation makes.

    Attributes:
        base_lrs: the learning rates that it began with, by their names in ``hyperparams``.
        lrs: those it has set last.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.last_epoch = 0
        self.base_lrs: dict[str, float] = {}
        self.lrs: dict[str, float] = {}
        if hasattr(optimizer, "opt_state"):
            self._begin(optimizer.opt_state)

    def get_last_lr(self) -> list[float]:
        """The learning rates in force."""
        return list(self.lrs.values())

    def _begin(self, state: Any) -> None:
        live = {k: v for k, v in getattr(state, "hyperparams", {}).items() if k.rpartition(":")[2].rpartition(".")[2] == LR}
        if not live:
            raise ArgumentError("this optimizer has no live learning rate: give it a number rather than a schedule, "
                                "with lossopt.get_optimizer(..., backend='jax', lr=1e-3) or optax.inject_hyperparams")  # fmt: skip
        exact = _numbers_given(getattr(self.optimizer, "tx", self.optimizer))
        self.base_lrs = {k: _exact(exact.get(k), np.asarray(v[...])) for k, v in live.items()}
        self.lrs = dict(self.base_lrs)

    def _set(self, state: Any) -> Any:
        """The state with the learning rates in force: the nnx.Optimizer's own, in place, or a new one."""
        if state is None and not hasattr(self.optimizer, "opt_state"):
            raise ArgumentError("a transformation holds no state: write opt_state = scheduler.step(state=opt_state)")
        if state is None:
            for name, lr in self.lrs.items():
                live = self.optimizer.opt_state.hyperparams[name]
                live[...] = jnp.asarray(lr, live.dtype)
            return None
        changed = {name: jnp.asarray(lr, state.hyperparams[name].dtype) for name, lr in self.lrs.items()}
        return state._replace(hyperparams={**state.hyperparams, **changed})

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, to be saved."""
        return {k: v for k, v in vars(self).items() if k in ("last_epoch", "base_lrs", "lrs", "slots")}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from saved numbers, and put the learning rates into force."""
        vars(self).update(state)
        if hasattr(self.optimizer, "opt_state"):
            self._set(None)


class Scheduler(_Live):
    """A schedule that drives an optimizer from outside, as PyTorch's LRScheduler does: call ``step()``.

    It writes ``opt_state.hyperparams["learning_rate"]``, a traced number: the compiled update is not compiled again.
    With an nnx.Optimizer, ``step()`` is all, outside jit.  A transformation's state is the caller's:
    ``opt_state = scheduler.step(state=opt_state)``, and ``scheduler.apply(tx.init(params))`` to begin with.

    Args:
        optimizer: an ``nnx.Optimizer`` or an optax transformation with a live learning rate.
        at: ``(base, step) -> learning rate``.
        told: what ``repr`` says.
    """

    def __init__(self, optimizer: Any, at: Callable[[float, int], float], told: str) -> None:
        self.at, self.told = at, told
        super().__init__(optimizer)
        if self.base_lrs:
            self.apply()

    def apply(self, state: Any = None) -> Any:
        """Put the learning rate of the current step into force."""
        if state is not None and not self.base_lrs:
            self._begin(state)
        self.lrs = {name: float(self.at(base, self.last_epoch)) for name, base in self.base_lrs.items()}
        return self._set(state)

    def step(self, *, state: Any = None) -> Any:
        """Go on by one step."""
        if state is not None and not self.base_lrs:
            self._begin(state)
        self.last_epoch += 1
        return self.apply(state)

    def __repr__(self) -> str:
        return f"jax scheduler {self.told}"


class PlateauScheduler(_Live):
    """A transition on a metric: ``step(metric)`` after every evaluation."""

    def __init__(self, optimizer: Any, spec: ScheduleSpec) -> None:
        self.spec = spec
        self.slots: dict[str, dict[str, Any]] = {}
        super().__init__(optimizer)

    def step(self, metric: Any, *, state: Any = None) -> Any:
        """Take a metric into account."""
        if state is not None and not self.base_lrs:
            self._begin(state)
        self.last_epoch += 1
        for name, lr in self.lrs.items():
            slots = self.slots.get(name) or dict(self.spec.with_lr(lr).init().items())
            self.slots[name] = dict(self.spec.update(State(**{**slots, "lr": lr}), float(metric)).items())
            self.lrs[name] = float(self.slots[name]["lr"])
        return self._set(state)

    def __repr__(self) -> str:
        return f"jax scheduler {self.spec!r}"


def _numbers_given(tx: Any) -> dict[str, float]:
    """The learning rates that a transformation of ours was made with, by their outward names, before they were rounded."""
    flat = tx.spec.flat if isinstance(tx, optimizers.Transformation) else {}
    rates = {n: v for n, v in flat.items() if n.rpartition(".")[2] == "lr" and isinstance(v, int | float)}
    return {optimizers.Carrier._outward(n): float(v) for n, v in rates.items()}


def _exact(given: float | None, live: np.ndarray) -> float:
    """The number given, if it is still the one in force; so the schedule is computed from 0.001 and not from its float32."""
    return given if given is not None and np.asarray(given, live.dtype) == live else float(live)


# ------------------------------------------------------------------------------------------------- the loop
def build(name: str, sizes: tuple[int, int] | None, seed: int) -> Any:
    """A built-in model with the initial weights of a seed."""
    from flax import nnx

    from lossopt_jax import models

    return models.build(name, sizes, nnx.Rngs(seed))


def array(x: np.ndarray) -> jax.Array:
    """A NumPy array as a float32 or int32 array."""
    return jnp.asarray(x, jnp.float32 if np.issubdtype(x.dtype, np.floating) else jnp.int32)


def fit(model: Any, scheme: Scheme, inputs: np.ndarray, targets: np.ndarray, batches: Iterable[np.ndarray]) -> list[float]:
    """Train on these batches, each the samples' indices; the loss of every step."""
    from flax import nnx

    loss_fn, optimizer, scheduler = scheme

    @nnx.jit
    def update(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        loss, grads = nnx.value_and_grad(lambda m: loss_fn(m(x), y))(model)
        optimizer.update(model, grads)
        return loss

    losses = []
    for batch in batches:
        losses.append(float(update(model, optimizer, array(inputs[batch]), array(targets[batch]))))
        scheduler.step()
    return losses


def predict(model: Any, inputs: np.ndarray) -> np.ndarray:
    """The model's outputs."""
    from flax import nnx

    return np.asarray(nnx.jit(lambda model, x: model(x))(model, array(inputs)))
