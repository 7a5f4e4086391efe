"""The transforms' rows of the parity tables: each wrapper beside what one writes in torch or optax for the same.

No framework is imported here: originals receive their module.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt.optimizers import adam, adamw, lion, rmsprop, sgd
from lossopt.parity.case import OptimizerCase
from lossopt.transforms import (
    accumulate,
    add_decayed_weights,
    apply_if_finite,
    cautious,
    chain,
    clip_by_global_norm,
    clip_by_value,
    ema,
    lookahead,
    loss_scale,
    maximize,
    route,
    sam,
)

Case = OptimizerCase
LR = 0.05


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


def averaged(torch: ModuleType, params: list[Any], decay: float, name: str, **options: Any) -> Any:
    """A torch.optim class with swa_utils.AveragedModel beside it; ``eval()`` puts the average into the parameters."""
    utils = torch.optim.swa_utils
    model = torch.nn.ParameterList(params)
    average = utils.AveragedModel(model, multi_avg_fn=utils.get_ema_multi_avg_fn(decay))
    made = getattr(torch.optim, name)(params, **options)

    def hook(*_: Any) -> None:
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


TRANSFORM_CASES: tuple[OptimizerCase, ...] = (
    # clipping
    Case(chain(clip_by_global_norm(), adamw(lr=LR)), before_step(clip_norm(1.0), "AdamW", lr=LR)),
    Case(chain(clip_by_global_norm(max_norm=0.5), sgd(lr=LR, momentum=0.9)), before_step(clip_norm(0.5), "SGD", lr=LR, momentum=0.9)),
    Case(chain(clip_by_global_norm(max_norm=100.0), sgd(lr=LR)), before_step(clip_norm(100.0), "SGD", lr=LR)),
    Case(chain(clip_by_global_norm(convention="optax"), sgd(lr=LR)), optax=lambda o: o.chain(o.clip_by_global_norm(1.0), o.sgd(LR))),
    Case(chain(clip_by_global_norm(max_norm=100.0, convention="optax"), adamw(lr=LR, convention="optax")),
         optax=lambda o: o.chain(o.clip_by_global_norm(100.0), o.adamw(LR))),
    Case(chain(clip_by_value(max_value=0.3), sgd(lr=LR, momentum=0.9)), before_step(clip_value(0.3), "SGD", lr=LR, momentum=0.9),
         lambda o: o.chain(o.clip(0.3), o.sgd(LR, 0.9))),
    # the order of clipping and decay
    Case(chain(clip_by_global_norm(), add_decayed_weights(weight_decay=0.1), sgd(lr=LR)),
         before_step(clip_norm(1.0), "SGD", lr=LR, weight_decay=0.1)),
    Case(chain(add_decayed_weights(weight_decay=0.1), adam(lr=LR)), lambda torch, p: torch.optim.Adam(p, lr=LR, weight_decay=0.1),
         lambda o: o.chain(o.add_decayed_weights(0.1), o.adam(LR))),
    Case(chain(add_decayed_weights(weight_decay=0.1), sgd(lr=LR)), groups={"*.bias": {"add_decayed_weights.weight_decay": 0.0}},
         torch=lambda torch, p: torch.optim.SGD([{"params": [p[0], p[2], p[3]]}, {"params": [p[1]], "weight_decay": 0.0}], lr=LR,
                                                weight_decay=0.1),
         optax=lambda o: o.chain(o.add_decayed_weights(0.1, mask=lambda ps: {n: not n.endswith(".bias") for n in ps}), o.sgd(LR))),
    # ascent
    Case(maximize(adamw(lr=1e-3)), lambda torch, p: torch.optim.AdamW(p, lr=1e-3, maximize=True),
         lambda o: o.chain(o.scale(-1.0), o.adamw(1e-3, weight_decay=1e-2)), steps=30),
    Case(maximize(sgd(lr=1e-3, weight_decay=0.1)), lambda torch, p: torch.optim.SGD(p, lr=1e-3, weight_decay=0.1, maximize=True),
         lambda o: o.chain(o.scale(-1.0), o.add_decayed_weights(0.1), o.sgd(1e-3)), steps=30),
    # accumulation
    Case(accumulate(adamw(lr=LR), every=4), lambda torch, p: summed(torch, p, 4, True, "AdamW", lr=LR),
         lambda o: multi_steps(o, o.adamw(LR, weight_decay=1e-2), 4)),
    Case(accumulate(sgd(lr=LR, momentum=0.9), every=3, reduction="sum"),
         lambda torch, p: summed(torch, p, 3, False, "SGD", lr=LR, momentum=0.9),
         lambda o: multi_steps(o, o.sgd(LR, 0.9), 3, use_grad_mean=False)),
    Case(accumulate(chain(clip_by_global_norm(convention="optax"), adamw(lr=LR)), every=4),
         optax=lambda o: multi_steps(o, o.chain(o.clip_by_global_norm(1.0), o.adamw(LR, weight_decay=1e-2)), 4)),
    Case(accumulate(adam(lr=LR), every=1), lambda torch, p: torch.optim.Adam(p, lr=LR), lambda o: o.adam(LR)),
    # averages of the parameters, and where they are evaluated
    Case(ema(adamw(lr=LR)), lambda torch, p: averaged(torch, p, 0.999, "AdamW", lr=LR)),
    Case(ema(sgd(lr=LR, momentum=0.9), decay=0.9), lambda torch, p: averaged(torch, p, 0.9, "SGD", lr=LR, momentum=0.9)),
    Case(ema(adam(lr=LR), decay=0.99, convention="optax"), optax=lambda o: optax_ema(o, o.adam(LR), 0.99, debias=True)),
    Case(lookahead(adamw(lr=LR)), optax=lambda o: optax_lookahead(o, o.adamw(LR, weight_decay=1e-2), 5, 0.5)),
    Case(lookahead(sgd(lr=LR, momentum=0.9), every=6, alpha=0.8), optax=lambda o: optax_lookahead(o, o.sgd(LR, 0.9), 6, 0.8)),
    # other points
    Case(sam(sgd(lr=LR, momentum=0.9)), optax=lambda o: optax_sam(o, o.sgd(LR, 0.9), 0.05), optax_extras=("grad_fn",)),
    Case(sam(adam(lr=LR), rho=0.2, convention="optax"), optax=lambda o: optax_sam(o, o.adam(LR), 0.2), optax_extras=("grad_fn",)),
    Case(sam(sgd(lr=LR), rho=0.5, adaptive=True)),
    # gradients that are not finite
    Case(apply_if_finite(adamw(lr=LR)), lambda torch, p: torch.optim.AdamW(p, lr=LR),
         lambda o: o.apply_if_finite(o.adamw(LR, weight_decay=1e-2), 5)),
    Case(apply_if_finite(adamw(lr=LR)), optax=lambda o: o.apply_if_finite(o.adamw(LR, weight_decay=1e-2), 5), poison=(0, 7, 8, 50)),
    Case(apply_if_finite(chain(clip_by_global_norm(convention="optax"), sgd(lr=LR, momentum=0.9)), max_consecutive_errors=3),
         optax=lambda o: o.apply_if_finite(o.chain(o.clip_by_global_norm(1.0), o.sgd(LR, 0.9)), 3), poison=(5, 6, 7, 20)),
    Case(loss_scale(adamw(lr=LR), init_scale=8.0, growth_interval=7),
         lambda torch, p: grad_scaled(torch, p, dict(init_scale=8.0, growth_interval=7), "AdamW", lr=LR), poison=(0, 7, 8, 50)),
    Case(loss_scale(sgd(lr=LR, momentum=0.9), init_scale=64.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=50),
         lambda torch, p: grad_scaled(torch, p, dict(init_scale=64.0, growth_factor=4.0, backoff_factor=0.25, growth_interval=50),
                                      "SGD", lr=LR, momentum=0.9), poison=(20, 21)),
    Case(loss_scale(chain(clip_by_global_norm(), sgd(lr=LR)), init_scale=2.0, growth_factor=1.0, backoff_factor=1.0), poison=(3,)),
    # masks and routes
    Case(cautious(lion(lr=1e-2))),
    Case(cautious(chain(clip_by_global_norm(), sgd(lr=LR, momentum=0.9)))),
    Case(route(rmsprop(lr=LR), adamw(lr=0.02), to=("matrices", "*")),
         lambda torch, p: _two(torch.optim.RMSprop([x for x in p if x.ndim == 2], lr=LR),
                               torch.optim.AdamW([x for x in p if x.ndim != 2], lr=0.02))),
    Case(route(chain(clip_by_global_norm(convention="optax"), sgd(lr=LR)), adamw(lr=0.02), to=("dense.*", "*")),
         optax=lambda o: by_name(o, o.chain(o.clip_by_global_norm(1.0), o.sgd(LR)), o.adamw(0.02, weight_decay=1e-2))),
    Case(route(sam(sgd(lr=LR), rho=0.2), adam(lr=LR), to=("tall.*", "*"))),
    # wrappers around wrappers
    Case(ema(lookahead(accumulate(sam(cautious(adam(lr=LR))), every=2)))),
    Case(apply_if_finite(ema(chain(clip_by_global_norm(), route(lion(lr=1e-2), adamw(lr=LR))), convention="optax")), poison=(3,)),
)  # fmt: skip


def _two(*optimizers: Any) -> Any:
    """Two torch optimizers in one loop."""

    def step() -> None:
        for made in optimizers:
            made.step()

    return types.SimpleNamespace(step=step)
