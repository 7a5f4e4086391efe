"""What users of torch and optax write around an optimizer: clipping, averages, accumulation.

No framework is imported here: originals receive their module.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable
from types import ModuleType
from typing import Any


# ------------------------------------------------------------------------------------------------- what torch users write
def before_step(prepare: Callable[[ModuleType, list[Any]], Any], name: str, **options: Any) -> Callable[[ModuleType, list[Any]], Any]:
    """A torch.optim class in whose loop something is done to the gradients before each step."""

    def make(torch: ModuleType, params: list[Any]) -> Any:
        made = getattr(torch.optim, name)(params, **options)

        def hook(*_: Any) -> None:
            prepare(torch, params)

        made.register_step_pre_hook(hook)
        return made

    return make


def clip_norm(max_norm: float) -> Callable[[ModuleType, list[Any]], Any]:
    return lambda torch, params: torch.nn.utils.clip_grad_norm_(params, max_norm)


def clip_value(value: float) -> Callable[[ModuleType, list[Any]], Any]:
    return lambda torch, params: torch.nn.utils.clip_grad_value_(params, value)


def averaged(torch: ModuleType, params: list[Any], decay: float | None, name: str, first: int = 0, every: int = 1, **options: Any) -> Any:
    """A torch.optim class with swa_utils.AveragedModel beside it: of a decay, or without one the plain mean of some steps.

    ``eval()`` puts the average into the parameters.
    """
    utils = torch.optim.swa_utils
    model = torch.nn.ParameterList(params)
    average = utils.AveragedModel(model, multi_avg_fn=utils.get_ema_multi_avg_fn(decay) if decay else utils.get_swa_multi_avg_fn())
    made = getattr(torch.optim, name)(params, **options)

    steps = itertools.count()

    def hook(*_: Any) -> None:
        since = next(steps) - first
        if since >= 0 and since % every == 0:
            average.update_parameters(model)

    made.register_step_post_hook(hook)

    def evaluate() -> None:
        with torch.no_grad():
            for p, a in zip(params, average.module, strict=True):
                p.copy_(a)

    made.eval = evaluate
    return made


def summed(torch: ModuleType, params: list[Any], every: int, divide: bool, name: str, **options: Any) -> Any:
    """A loop that lets backward() add up `every` gradients, of loss / every where `divide`, before one step."""
    made = getattr(torch.optim, name)(params, **options)
    gathered: list[Any] = []

    def step() -> None:
        gathered.append([p.grad / every if divide else p.grad for p in params])
        if len(gathered) == every:
            for p, grads in zip(params, zip(*gathered, strict=True), strict=True):
                p.grad = sum(grads)
            gathered.clear()
            made.step()

    return types.SimpleNamespace(step=step)


# ------------------------------------------------------------------------------------------------- what optax users write
def grad_scaled(torch: ModuleType, params: list[Any], scale: dict[str, Any], name: str, **options: Any) -> Any:
    """A torch.optim class with a GradScaler, in whose loop the loss is not multiplied: the gradients shrink by the scale."""
    made, scaler = getattr(torch.optim, name)(params, **options), torch.amp.GradScaler("cpu", **scale)
    scaler.scale(torch.zeros(()))  # it has no scale before its first loss

    def step() -> None:
        scaler.step(made)
        scaler.update()

    return types.SimpleNamespace(step=step)


class Pair:
    """An init and an update that optax's own loop can drive; with `eval_params` where there is a point to evaluate at."""

    def __init__(self, init: Callable[..., Any], update: Callable[..., Any], eval_params: Callable[..., Any] | None = None) -> None:
        self.init, self.update, self.eval_params = init, update, eval_params


def optax_lookahead(optax: ModuleType, fast: Any, sync_period: int, slow_step_size: float) -> Pair:
    """optax.lookahead takes fast and slow parameters as a pair; here the slow ones travel in the state."""
    inner = optax.lookahead(fast, sync_period, slow_step_size)

    def init(params: Any) -> Any:
        return inner.init(optax.LookaheadParams.init_synced(params)), params

    def update(grads: Any, state: Any, params: Any) -> Any:
        own, slow = state
        updates, own = inner.update(grads, own, optax.LookaheadParams(fast=params, slow=slow))
        return updates.fast, (own, optax.apply_updates(slow, updates.slow))

    return Pair(init, update, lambda state, params: state[1])


def optax_ema(optax: ModuleType, inner: Any, decay: float, debias: bool) -> Pair:
    """optax.ema of the parameters after each update."""
    average = optax.ema(decay, debias=debias)

    def init(params: Any) -> Any:
        return inner.init(params), average.init(params), params

    def update(grads: Any, state: Any, params: Any) -> Any:
        updates, own = inner.update(grads, state[0], params)
        point, averages = average.update(optax.apply_updates(params, updates), state[1])
        return updates, (own, averages, point)

    return Pair(init, update, lambda state, params: state[2])


def by_name(optax: ModuleType, head: Any, rest: Any) -> Any:
    """optax.partition: the matrices called dense.* to one, the rest to the other."""
    return optax.partition({"head": head, "rest": rest}, lambda params: {n: "head" if n.startswith("dense.") else "rest" for n in params})


def optax_sam(optax: ModuleType, outer: Any, rho: float) -> Any:
    return optax.contrib.sam(outer, optax.chain(optax.contrib.normalize(), optax.sgd(rho)), opaque_mode=True)


def multi_steps(optax: ModuleType, inner: Any, every: int, use_grad_mean: bool = True) -> Any:
    """optax.MultiSteps, gathering in the gradients' own precision rather than in float32."""
    return optax.MultiSteps(inner, every, use_grad_mean=use_grad_mean, accumulator_dtype="float64")


def two(*optimizers: Any) -> Any:
    """Two torch optimizers in one loop."""

    def step() -> None:
        for made in optimizers:
            made.step()

    return types.SimpleNamespace(step=step)
