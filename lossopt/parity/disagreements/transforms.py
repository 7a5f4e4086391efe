"""Where what stands around an optimizer differs: clipping, accumulation, averages, masks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lossopt.optimizers import sgd
from lossopt.parity.case import OptimizerCase
from lossopt.parity.disagreements.topic import Side, Topic
from lossopt.parity.transform_originals import averaged, before_step, clip_norm, multi_steps, optax_ema, summed
from lossopt.transforms import accumulate, adaptive_grad_clip, chain, clip_by_global_norm, ema, freeze, masked

LR = 0.05


def _clip_units(torch: ModuleType, params: list[Any]) -> None:
    """Adaptive clipping as the paper has it: by the norms of the rows of a weight (out, in), or of a vector."""
    with torch.no_grad():
        for p in params:
            axes = tuple(range(1, p.ndim)) or (0,)
            limit = 0.1 * p.norm(dim=axes, keepdim=True).clamp(min=1e-3)
            norm = p.grad.norm(dim=axes, keepdim=True)
            p.grad.mul_((limit / norm.clamp(min=1e-6)).clamp(max=1.0))


def _not_the_scales(params: Any) -> Any:
    return {n: not n.startswith("norm.") for n in params}


TOPICS: tuple[Topic, ...] = (
    Topic(
        "clip-global-norm-epsilon",
        "clipping by the global norm, at a gradient norm near 1e-4",
        Side(
            "torch.nn.utils.clip_grad_norm_(params, 1e-5)",
            OptimizerCase(chain(clip_by_global_norm(max_norm=1e-5), sgd(lr=LR)), torch=before_step(clip_norm(1e-5), "SGD", lr=LR)),
        ),
        Side(
            "optax.clip_by_global_norm(1e-5)",
            OptimizerCase(
                chain(clip_by_global_norm(max_norm=1e-5, convention="optax"), sgd(lr=LR)),
                optax=lambda o: o.chain(o.clip_by_global_norm(1e-5), o.sgd(LR)),
            ),
        ),
        "torch adds 1e-6 to the norm",
        "`eps=1e-6` or `0`",
        scale=1e-5,
    ),
    Topic(
        "accumulate-mean",
        "gradients of 4 steps gathered",
        Side(
            "loss.backward() four times, then torch.optim.SGD.step()",
            OptimizerCase(accumulate(sgd(lr=LR), every=4, reduction="sum"), torch=lambda t, p: summed(t, p, 4, False, "SGD", lr=LR)),
        ),
        Side(
            "optax.MultiSteps(optax.sgd(0.05), 4, accumulator_dtype='float64')",
            OptimizerCase(accumulate(sgd(lr=LR), every=4), optax=lambda o: multi_steps(o, o.sgd(LR), 4)),
        ),
        "their sum, or their mean",
        "`reduction='sum'` or `'mean'`",
    ),
    Topic(
        "accumulate-float32",
        "the mean of 4 float64 gradients",
        Side(
            "(loss / 4).backward() four times, then torch.optim.SGD.step()",
            OptimizerCase(accumulate(sgd(lr=LR), every=4), torch=lambda t, p: summed(t, p, 4, True, "SGD", lr=LR)),
        ),
        Side(
            "optax.MultiSteps(optax.sgd(0.05), 4)",
            OptimizerCase(accumulate(sgd(lr=LR), every=4), optax=lambda o: o.MultiSteps(o.sgd(LR), 4)),
            "gradients rounded to float32 are not copied",
        ),
        "optax gathers in float32 unless told",
        "the gradients' own precision",
    ),
    Topic(
        "ema-start",
        "an average of the parameters with decay 0.9, after 20 steps",
        Side(
            "AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))",
            OptimizerCase(ema(sgd(lr=LR), decay=0.9), torch=lambda t, p: averaged(t, p, 0.9, "SGD", lr=LR)),
        ),
        Side(
            "optax.ema(0.9)",
            OptimizerCase(ema(sgd(lr=LR), decay=0.9, convention="optax"), optax=lambda o: optax_ema(o, o.sgd(LR), 0.9, debias=True)),
        ),
        "it begins with the first parameters, or with 0 and is corrected",
        "`debias=`",
    ),
    Topic(
        "masked-raw-gradient",
        "training some parameters only, one step",
        Side(
            "torch.optim.SGD of some parameters",
            OptimizerCase(freeze(sgd(lr=LR), frozen=("norm.*",)), torch=lambda t, p: t.optim.SGD(p[:3], lr=LR), steps=1),
        ),
        Side(
            "optax.masked(optax.sgd(0.05), mask)",
            OptimizerCase(masked(sgd(lr=LR), only=("dense.*", "tall.*")), optax=lambda o: o.masked(o.sgd(LR), _not_the_scales), steps=1),
        ),
        "the others stay, or are given their raw gradient as the update: they climb",
        "`freeze` or `masked`",
        ("google-deepmind/optax#159", "google-deepmind/optax#296"),
    ),
    Topic(
        "adaptive-clip-axis",
        "adaptive gradient clipping, 0.1",
        Side(
            "the paper's rule on torch weights (out, in)",
            OptimizerCase(chain(adaptive_grad_clip(clipping=0.1), sgd(lr=LR)), torch=before_step(_clip_units, "SGD", lr=LR)),
        ),
        Side(
            "optax.adaptive_grad_clip(0.1)",
            OptimizerCase(
                chain(adaptive_grad_clip(clipping=0.1, convention="optax"), sgd(lr=LR)),
                optax=lambda o: o.chain(o.adaptive_grad_clip(0.1), o.sgd(LR)),
            ),
        ),
        "a unit is a row or a column of the same array",
        "`units='first'` or `'last'`",
    ),
)
