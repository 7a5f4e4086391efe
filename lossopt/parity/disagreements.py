"""How far PyTorch and optax stray from each other under the same name, and what brings them together.

Each framework runs its own code with its own defaults on the same problem; then ours runs in both under one convention.
Every number is measured by `disagreements`; `markdown` renders them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.measures import distance_moved, relative
from lossopt.parity.problem import Problem, flatten, standard

STEPS = 20


@dataclass(frozen=True)
class Disagreement:
    """One row.

    Attributes:
        name: what both call the same.
        torch, optax: what was run.
        apart: how far optax is from torch: for optimizers relative to the distance moved, else to torch's value.
        why: the cause.
        bridge: the switches, or the convention, that say the one or the other in lossopt.
        ours: how far lossopt in JAX is from lossopt in PyTorch.
    """

    name: str
    torch: str
    optax: str
    apart: float
    why: str
    bridge: str
    ours: float


@dataclass(frozen=True)
class Topic:
    """What is to be run for one row; `about` of a loss is its value or its gradient."""

    name: str
    torch: str
    optax: str
    why: str
    bridge: str
    case: OptimizerCase | LossCase | ScheduleCase
    about: str = "value"
    small: bool = False


def disagreements() -> list[Disagreement]:
    """Measure every row: both frameworks must be installed.

    Raises:
        MissingBackendError: one is not.
    """
    torch, jax = registry.backend("torch").part("parity"), registry.backend("jax").part("parity")
    rows = []
    for topic in topics():
        apart, ours = _measure(topic, torch, jax)
        rows.append(Disagreement(topic.name, topic.torch, topic.optax, apart, topic.why, topic.bridge, ours))
    return rows


def markdown(rows: Iterable[Disagreement]) -> str:
    """The rows as a Markdown table, the widest gap first."""
    lines = ["| | PyTorch | optax | apart | because | in lossopt | lossopt, both frameworks |", "|---|---|---|---|---|---|---|"]
    lines += [f"| {r.name} | `{r.torch}` | `{r.optax}` | {_short(r.apart)} | {r.why} | {r.bridge} | {_short(r.ours)} |"
              for r in sorted(rows, key=lambda r: -r.apart)]  # fmt: skip
    return "\n".join(lines) + "\n"


def _measure(topic: Topic, torch: Any, jax: Any) -> tuple[float, float]:
    case = topic.case
    if isinstance(case, OptimizerCase):
        problem = _small(standard(STEPS)) if topic.small else standard(STEPS)
        start = flatten(problem.start)
        theirs = distance_moved(jax.original(case, problem), torch.original(case, problem), start)
        return theirs, distance_moved(jax.optimizer(case.spec, problem, {}), torch.optimizer(case.spec, problem, {}, "auto"), start)
    if isinstance(case, ScheduleCase):
        metric = standard(case.steps).metric
        theirs = relative(jax.original_schedule(case, metric, "float64"), torch.original_schedule(case, metric, "float64"))
        return theirs, relative(jax.schedule(case, metric, "float64"), torch.schedule(case, metric, "float64"))
    inputs = tuple(np.asarray(x) for x in case.inputs(np.random.default_rng(0)))
    found = [run(case, inputs, (0,), "float64") for run in (torch.original_loss, jax.original_loss, torch.loss, jax.loss)]
    if topic.about == "value":
        a, b, c, d = (value for value, _ in found)
        return relative(b, a), relative(d, c)
    a, b, c, d = (gradients[0] for _, gradients in found)
    return float(np.abs(b - a).max()), float(np.abs(d - c).max())


def _small(problem: Problem) -> Problem:
    """The same with gradients of norm 1e-4, as late in training."""
    start, target, noise = ({n: 1e-5 * x for n, x in part.items()} for part in (problem.start, problem.target, problem.noise))
    return replace(problem, start=start, target=target, noise=noise)


def _short(x: float) -> str:
    if x == 0:
        return "0"
    return f"{x:.2g}" if 0.01 <= x < 100 else f"{x:.0e}"


# ------------------------------------------------------------------------------------------------- the rows
def topics() -> list[Topic]:
    """What is compared: the same name, each framework's own defaults, the learning rate equal."""
    return [*_optimizers(), *_schedules(), *_losses()]


def _optimizers() -> list[Topic]:
    from lossopt.optimizers import adadelta, adagrad, adam, adamw, lion, rmsprop, sgd
    from lossopt.transforms import chain, clip_by_global_norm

    def clipped(torch: ModuleType, params: list[Any]) -> Any:
        made = torch.optim.SGD(params, lr=0.05)

        def hook(*_: Any) -> None:
            torch.nn.utils.clip_grad_norm_(params, 1e-5)

        made.register_step_pre_hook(hook)
        return made

    def own_lion(torch: ModuleType, params: list[Any]) -> Any:
        return importlib.import_module("lion_pytorch").Lion(params, lr=0.05)

    return [
        Topic("AdamW", "AdamW(lr=0.05)", "adamw(0.05)", "weight decay 0.01 or 0.0001", "`convention=`, `weight_decay=`",
              OptimizerCase(adamw(lr=0.05), lambda t, p: t.optim.AdamW(p, lr=0.05), lambda o: o.adamw(0.05))),
        Topic("AMSGrad", "Adam(lr=0.05, amsgrad=True)", "amsgrad(0.05)", "maximum of the raw or of the corrected moment",
              "`amsgrad_max='raw'` or `'corrected'`",
              OptimizerCase(adam(lr=0.05, amsgrad=True), lambda t, p: t.optim.Adam(p, lr=0.05, amsgrad=True), lambda o: o.amsgrad(0.05))),
        Topic("RMSprop", "RMSprop(lr=0.05)", "rmsprop(0.05)", "decay 0.99 or 0.9, eps outside or inside the root",
              "`alpha=`, `eps_inside_root=`",
              OptimizerCase(rmsprop(lr=0.05), lambda t, p: t.optim.RMSprop(p, lr=0.05), lambda o: o.rmsprop(0.05))),
        Topic("Adagrad", "Adagrad(lr=0.05)", "adagrad(0.05)", "sum of squares begins at 0 or at 0.1, eps outside or inside the root",
              "`initial_accumulator_value=`, `eps_inside_root=`",
              OptimizerCase(adagrad(lr=0.05), lambda t, p: t.optim.Adagrad(p, lr=0.05), lambda o: o.adagrad(0.05))),
        Topic("Adadelta", "Adadelta()", "adadelta()", "without a learning rate optax does not turn the sign: it climbs",
              "`lr=1.0` in both",
              OptimizerCase(adadelta(), lambda t, p: t.optim.Adadelta(p), lambda o: o.adadelta())),
        Topic("SGD with momentum", "SGD(lr=0.05, momentum=0.9)", "sgd(0.05, 0.9)", "they agree", "",
              OptimizerCase(sgd(lr=0.05, momentum=0.9), lambda t, p: t.optim.SGD(p, lr=0.05, momentum=0.9), lambda o: o.sgd(0.05, 0.9))),
        Topic("Lion", "lion_pytorch.Lion(lr=0.05)", "lion(0.05)", "weight decay 0 or 0.001", "`convention=`, `weight_decay=`",
              OptimizerCase(lion(lr=0.05), own_lion, lambda o: o.lion(0.05))),
        Topic("clipping by the global norm, at a gradient norm near 1e-4", "clip_grad_norm_(params, 1e-5)", "clip_by_global_norm(1e-5)",
              "torch adds 1e-6 to the norm", "`eps=1e-6` or `0`",
              OptimizerCase(chain(clip_by_global_norm(max_norm=1e-5), sgd(lr=0.05)), clipped,
                            lambda o: o.chain(o.clip_by_global_norm(1e-5), o.sgd(0.05))), small=True),
    ]  # fmt: skip


def _schedules() -> list[Topic]:
    return [
        Topic("cosine decay past its end", "CosineAnnealingLR(o, 10)", "cosine_decay_schedule(0.1, 10)", "torch climbs again, optax stays",
              "`convention=`",
              ScheduleCase("cosine", {"lr": 0.1, "T_max": 10}, lambda t, o: t.optim.lr_scheduler.CosineAnnealingLR(o, 10),
                           lambda o: o.cosine_decay_schedule(0.1, 10), STEPS)),
        Topic("one cycle of 20 steps", "OneCycleLR(o, 0.1, 20)", "cosine_onecycle_schedule(20, 0.1)",
              "phases end at fractional steps of N - 1, or at whole steps of N", "`convention=`",
              ScheduleCase("one_cycle", {"lr": 0.1, "total_steps": 20}, lambda t, o: t.optim.lr_scheduler.OneCycleLR(o, 0.1, 20),
                           lambda o: o.cosine_onecycle_schedule(20, 0.1), STEPS)),
        Topic("reduce on plateau", "ReduceLROnPlateau(o, patience=5)", "contrib.reduce_on_plateau(patience=5)",
              "more than `patience` bad metrics, or as many", "`drop_when='exceeded'` or `'reached'`",
              ScheduleCase("reduce_on_plateau", {"lr": 0.1, "patience": 5},
                           lambda t, o: t.optim.lr_scheduler.ReduceLROnPlateau(o, patience=5),
                           lambda o: o.contrib.reduce_on_plateau(patience=5), STEPS)),
    ]  # fmt: skip


def _losses() -> list[Topic]:
    def two(rng: np.random.Generator) -> tuple[Any, ...]:
        return rng.normal(size=(8, 5)), rng.normal(size=(8, 5))

    def equal(rng: np.random.Generator) -> tuple[Any, ...]:
        x = rng.normal(size=(8, 5))
        return x, x.copy()

    def distributions(rng: np.random.Generator) -> tuple[Any, ...]:
        x = rng.dirichlet(np.ones(5), size=(2, 8))
        return np.log(x[0]), x[1]

    def three(rng: np.random.Generator) -> tuple[Any, ...]:
        return tuple(rng.normal(size=(3, 8, 5)))

    return [
        Topic("squared error", "F.mse_loss(x, y)", "l2_loss(x, y).mean()", "optax's l2_loss is half the square", "`mse_loss`",
              LossCase("mse_loss", {}, two, lambda t, x, y: t.nn.functional.mse_loss(x, y), lambda o, jnp, x, y: o.l2_loss(x, y).mean())),
        Topic("Kullback-Leibler divergence, mean", "F.kl_div(x, y)", "kl_divergence(x, y).mean()",
              "the mean over every element, or over the batch", "`reduction='mean'` or `'batchmean'`",
              LossCase("kl_div", {}, distributions, lambda t, x, y: t.nn.functional.kl_div(x, y),
                       lambda o, jnp, x, y: o.kl_divergence(x, y).mean())),
        Topic("smooth L1 and Huber, threshold 0.5", "F.smooth_l1_loss(x, y, beta=0.5)", "huber_loss(x, y, delta=0.5).mean()",
              "huber(delta) = delta * smooth_l1(delta)", "`smooth_l1_loss` and `huber_loss`",
              LossCase("smooth_l1_loss", {"beta": 0.5}, two, lambda t, x, y: t.nn.functional.smooth_l1_loss(x, y, beta=0.5),
                       lambda o, jnp, x, y: o.huber_loss(x, y, delta=0.5).mean())),
        Topic("gradient of the absolute error where it is 0", "F.l1_loss(x, x, reduction='sum')", "jnp.abs(x - x).sum()",
              "the derivative of abs at 0 is 0, or 1", "`l1_loss`: 0",
              LossCase("l1_loss", {"reduction": "sum"}, equal, lambda t, x, y: t.nn.functional.l1_loss(x, y, reduction="sum"),
                       lambda o, jnp, x, y: jnp.abs(x - y).sum()), about="gradient"),
        Topic("triplet margin, L1 distance", "F.triplet_margin_loss(a, p, n, p=1)",
              "losses.triplet_margin_loss(a, p, n, norm_degree=1).mean()",
              "optax sums the differences without their absolute values", "`triplet_margin_loss(p=1)`",
              LossCase("triplet_margin_loss", {"p": 1.0}, three, lambda t, a, p, n: t.nn.functional.triplet_margin_loss(a, p, n, p=1.0),
                       lambda o, jnp, a, p, n: o.losses.triplet_margin_loss(a, p, n, norm_degree=1).mean())),
    ]  # fmt: skip
