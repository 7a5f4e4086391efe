"""Where the optimizers of PyTorch and optax differ.

The learning rate is the same on both sides; whatever is not given is the framework's own default.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from lossopt.optimizers import (
    adadelta,
    adafactor,
    adagrad,
    adam,
    adamax,
    adamaxw,
    adamw,
    amsgrad,
    lbfgs,
    lion,
    muon,
    nadam,
    nadamw,
    radam,
    rmsprop,
    rprop,
    sgd,
)
from lossopt.parity.case import OptimizerCase
from lossopt.parity.disagreements.topic import Side, Topic, optax_call, torch_optim
from lossopt.parity.originals import lion_pytorch, muon_and_adamw, optax_muon_and_adamw, torch_lbfgs
from lossopt.parity.rows.optimizers.sign_and_momentum import optax_rprop
from lossopt.schedules import step
from lossopt.transforms import route

LR = 0.05
IN_FLOAT32 = "optax forms 1 - beta**t in float32, which is not copied"
SLOPES = "optax.adafactor computes 1 - t**-0.8 in float32 even under x64"
HALVING = step(lr=LR, step_size=5, gamma=0.5)


def halved(name: str, **options: Any) -> Callable[[ModuleType, list[Any]], Any]:
    """A class of torch.optim whose lr StepLR halves every five steps."""

    def make(torch: ModuleType, params: list[Any]) -> Any:
        made = getattr(torch.optim, name)(params, lr=LR, **options)
        scheduler = torch.optim.lr_scheduler.StepLR(made, 5, 0.5)

        def hook(*_: Any) -> None:
            scheduler.step()

        made.register_step_post_hook(hook)
        return made

    return make


def halving(optax: ModuleType) -> Any:
    """The same learning rates in optax."""
    return optax.piecewise_constant_schedule(LR, {5: 0.5, 10: 0.5, 15: 0.5})


def matrices(ours: Any) -> Any:
    """The matrices to Muon, everything else to the same AdamW on both sides."""
    return route(ours, adamw(lr=0.02), to=("matrices", "*"))


def torch_muon(ours: Any, text: str, full_precision: bool = True, unlike: str = "", **options: Any) -> Side:
    own = OptimizerCase(matrices(ours), torch=lambda t, p: muon_and_adamw(t, p, {"lr": 0.02}, full_precision, lr=0.02, **options))
    return Side(text, own, unlike)


def optax_muon(ours: Any, text: str, options: Callable[[ModuleType], dict[str, Any]] = lambda o: {}) -> Side:
    return Side(
        text, OptimizerCase(matrices(ours), optax=lambda o: optax_muon_and_adamw(o, o.adamw(0.02, weight_decay=1e-2), 0.02, **options(o)))
    )


def as_torch_stores_weights(optax: ModuleType) -> dict[str, Any]:
    """optax.contrib.muon told that weights are (out, in), and all else that it can be told of torch.optim.Muon."""
    numbers = optax.contrib.MuonDimensionNumbers(reduction_axis=1, output_axis=0)
    return {"weight_decay": 0.1, "nesterov": False, "muon_weight_dimension_numbers": lambda ps: dict.fromkeys(ps, numbers)}


TOPICS: tuple[Topic, ...] = (
    Topic(
        "sgd-momentum",
        "SGD with momentum",
        torch_optim(sgd(lr=LR, momentum=0.9), "SGD", lr=LR, momentum=0.9),
        optax_call(sgd(lr=LR, momentum=0.9, convention="optax"), "sgd", LR, 0.9),
        "they agree",
        "",
    ),
    Topic(
        "sgd-dampening",
        "SGD with dampening",
        torch_optim(sgd(lr=LR, momentum=0.9, dampening=0.3), "SGD", lr=LR, momentum=0.9, dampening=0.3),
        Side(
            "optax.chain(optax.scale(0.7), optax.sgd(0.05, 0.9))",
            OptimizerCase(sgd(lr=0.7 * LR, momentum=0.9), optax=lambda o: o.chain(o.scale(0.7), o.sgd(LR, 0.9))),
        ),
        "torch does not dampen the first gradient; optax has no dampening",
        "`dampening=`",
        ("pytorch/pytorch!152833",),
    ),
    Topic(
        "adam-weight-decay",
        "Adam with weight decay",
        torch_optim(adam(lr=LR, weight_decay=0.1), "Adam", lr=LR, weight_decay=0.1),
        optax_call(adamw(lr=LR, weight_decay=0.1, convention="optax"), "adamw", LR, weight_decay=0.1),
        "torch's Adam adds the decay to the gradient (L2), optax has decoupled decay only",
        "`adam(weight_decay=)` or `adamw`, or `decoupled=`",
        ("google-deepmind/optax#417",),
    ),
    Topic(
        "adamw-weight-decay",
        "AdamW",
        torch_optim(adamw(lr=LR), "AdamW", lr=LR),
        optax_call(adamw(lr=LR, convention="optax"), "adamw", LR),
        "weight decay 0.01 or 0.0001",
        "`weight_decay=`, or the convention",
    ),
    Topic(
        "adam-float32",
        "Adam in float32",
        torch_optim(adam(lr=LR), "Adam", lr=LR),
        Side("optax.adam(0.05)", OptimizerCase(adam(lr=LR, convention="optax"), optax=lambda o: o.adam(LR)), IN_FLOAT32),
        "the bias correction 1 - beta**t in float64 or in float32",
        "exact in every convention",
        about="float32",
    ),
    Topic(
        "amsgrad-maximum",
        "AMSGrad",
        torch_optim(amsgrad(lr=LR), "Adam", lr=LR, amsgrad=True),
        optax_call(amsgrad(lr=LR, convention="optax"), "amsgrad", LR),
        "the maximum of the raw second moment, or of the bias-corrected one",
        "`amsgrad_max='raw'` or `'corrected'`",
        ("google-deepmind/optax#1389", "google-deepmind/optax!1423", "pytorch/pytorch#142323"),
    ),
    Topic(
        "nadam-momentum",
        "NAdam",
        torch_optim(nadam(lr=LR), "NAdam", lr=LR),
        optax_call(nadam(lr=LR, convention="optax"), "nadam", LR),
        "momentum that grows from half of beta1, or a constant one",
        "`momentum_decay=0.004` or `None`",
    ),
    Topic(
        "nadamw-weight-decay",
        "NAdamW",
        torch_optim(nadamw(lr=LR, weight_decay=0.1), "NAdam", lr=LR, weight_decay=0.1, decoupled_weight_decay=True),
        optax_call(nadamw(lr=LR, weight_decay=0.1, convention="optax"), "nadamw", LR, weight_decay=0.1),
        "the momentum of `nadam`; where nothing is given, weight decay 0 (torch's NAdam) or 0.0001",
        "`momentum_decay=`, `weight_decay=`",
    ),
    Topic(
        "radam-epsilon",
        "RAdam with eps 0.01",
        torch_optim(radam(lr=LR, eps=0.01), "RAdam", lr=LR, eps=0.01),
        optax_call(radam(lr=LR, eps=0.01, convention="optax"), "radam", LR, eps=0.01),
        "eps beside the root of the raw second moment, or of the corrected one",
        "`eps_hat=True` or `False`",
    ),
    Topic(
        "radam-float32",
        "RAdam in float32",
        torch_optim(radam(lr=LR), "RAdam", lr=LR),
        Side("optax.radam(0.05)", OptimizerCase(radam(lr=LR, convention="optax"), optax=lambda o: o.radam(LR)), IN_FLOAT32),
        "optax's rectification cancels in float32",
        "exact in every convention",
        about="float32",
    ),
    Topic(
        "adamax-weight-decay",
        "Adamax with weight decay",
        torch_optim(adamax(lr=LR, weight_decay=0.1), "Adamax", lr=LR, weight_decay=0.1),
        optax_call(adamaxw(lr=LR, weight_decay=0.1, convention="optax"), "adamaxw", LR, weight_decay=0.1),
        "the decay joins the gradient (L2), or is decoupled",
        "`adamax(weight_decay=)` or `adamaxw`, or `decoupled=`",
    ),
    Topic(
        "rmsprop-defaults",
        "RMSprop",
        torch_optim(rmsprop(lr=LR), "RMSprop", lr=LR),
        optax_call(rmsprop(lr=LR, convention="optax"), "rmsprop", LR),
        "decay 0.99 or 0.9, eps outside or inside the root",
        "`alpha=`, `eps_inside_root=`",
        ("google-deepmind/optax#532", "google-deepmind/optax!595", "pytorch/pytorch#23796"),
    ),
    Topic(
        "rmsprop-epsilon",
        "RMSprop with one decay and eps 0.01",
        torch_optim(rmsprop(lr=LR, alpha=0.9, eps=0.01), "RMSprop", lr=LR, alpha=0.9, eps=0.01),
        optax_call(rmsprop(lr=LR, eps=0.01, convention="optax"), "rmsprop", LR, decay=0.9, eps=0.01),
        "eps outside or inside the root",
        "`eps_inside_root=`",
        ("google-deepmind/optax#532", "google-deepmind/optax!595", "pytorch/pytorch#23796"),
    ),
    Topic(
        "rmsprop-momentum-schedule",
        "RMSprop with momentum, the learning rate halved every 5 steps",
        Side(
            "torch.optim.RMSprop(lr=0.05, momentum=0.9), StepLR(5, 0.5)",
            OptimizerCase(rmsprop(lr=HALVING, momentum=0.9), torch=halved("RMSprop", momentum=0.9)),
        ),
        Side(
            "optax.rmsprop(schedule, decay=0.99, eps_in_sqrt=False, momentum=0.9)",
            OptimizerCase(
                rmsprop(lr=HALVING, momentum=0.9, lr_before_momentum=True),
                optax=lambda o: o.rmsprop(halving(o), decay=0.99, eps_in_sqrt=False, momentum=0.9),
            ),
        ),
        "the learning rate multiplies the sum, or each gradient that enters it",
        "`lr_before_momentum=`",
    ),
    Topic(
        "adagrad-defaults",
        "Adagrad",
        torch_optim(adagrad(lr=LR), "Adagrad", lr=LR),
        optax_call(adagrad(lr=LR, convention="optax"), "adagrad", LR),
        "the sum of squares begins at 0 or at 0.1, eps outside or inside the root",
        "`initial_accumulator_value=`, `eps_inside_root=`",
    ),
    Topic(
        "adadelta-learning-rate",
        "Adadelta",
        torch_optim(adadelta(), "Adadelta"),
        Side(
            "optax.adadelta()",
            OptimizerCase(adadelta(convention="optax"), optax=lambda o: o.adadelta()),
            "an Adadelta that ascends is not copied",
        ),
        "without a learning rate optax does not turn the sign: it climbs",
        "`lr=1.0` in every convention",
    ),
    Topic(
        "adafactor-defaults",
        "Adafactor",
        torch_optim(adafactor(lr=LR), "Adafactor", lr=LR),
        Side("optax.adafactor(0.05)", OptimizerCase(adafactor(lr=LR, convention="optax"), optax=lambda o: o.adafactor(LR)), SLOPES),
        "factors every matrix, or only from 128 by 128; eps a bound or a summand",
        "`min_dim_size_to_factor=`, `eps_added=`",
    ),
    Topic(
        "adafactor-learning-rate-cap",
        "Adafactor with a large learning rate",
        torch_optim(adafactor(lr=0.5), "Adafactor", lr=0.5),
        Side(
            "optax.adafactor(0.5, min_dim_size_to_factor=1)",
            OptimizerCase(
                adafactor(lr=0.5, min_dim_size_to_factor=1, convention="optax"), optax=lambda o: o.adafactor(0.5, min_dim_size_to_factor=1)
            ),
            SLOPES,
        ),
        "torch takes at most 1 / sqrt(t)",
        "`lr_capped=`",
    ),
    Topic(
        "adafactor-weight-decay",
        "Adafactor with weight decay",
        torch_optim(adafactor(lr=LR, weight_decay=0.1), "Adafactor", lr=LR, weight_decay=0.1),
        Side(
            "optax.adafactor(0.05, min_dim_size_to_factor=1, weight_decay_rate=0.1)",
            OptimizerCase(
                adafactor(lr=LR, weight_decay=0.1, min_dim_size_to_factor=1, convention="optax"),
                optax=lambda o: o.adafactor(LR, min_dim_size_to_factor=1, weight_decay_rate=0.1),
            ),
            SLOPES,
        ),
        "the decay is multiplied by the learning rate, or is not",
        "`decay_times_lr=`",
    ),
    Topic(
        "adafactor-small-gradients",
        "Adafactor, gradients near 1e-17",
        torch_optim(adafactor(lr=LR), "Adafactor", lr=LR),
        Side(
            "optax.adafactor(0.05, min_dim_size_to_factor=1)",
            OptimizerCase(
                adafactor(lr=LR, min_dim_size_to_factor=1, convention="optax"), optax=lambda o: o.adafactor(LR, min_dim_size_to_factor=1)
            ),
            SLOPES,
        ),
        "torch holds the mean square above the machine epsilon, optax adds 1e-30",
        "`eps=`, `eps_added=`",
        scale=1e-17,
    ),
    Topic(
        "rprop-stale-update",
        "Rprop",
        torch_optim(rprop(lr=LR), "Rprop", lr=LR),
        Side(
            "optax.rprop(0.05)",
            OptimizerCase(rprop(lr=LR, convention="optax"), optax=lambda o: o.rprop(LR)),
            "optax's update of the step before is not copied",
        ),
        "optax 0.2.8 gives out the update of the step before, and 0 at first",
        "right in every convention",
        ("google-deepmind/optax!1725",),
    ),
    Topic(
        "rprop-step-bounds",
        "Rprop, a first step size out of bounds",
        torch_optim(rprop(lr=0.5, step_sizes=(1e-6, 0.1)), "Rprop", lr=0.5, step_sizes=(1e-6, 0.1)),
        Side(
            "optax.rprop(0.5, max_step_size=0.1), its updates in time",
            OptimizerCase(rprop(lr=0.5, max_step_size=0.1, convention="optax"), optax=lambda o: optax_rprop(o, 0.5, max_step_size=0.1)),
        ),
        "torch bounds a step size at every step, optax where it changes",
        "`bound_always=`",
    ),
    Topic(
        "lion-weight-decay",
        "Lion",
        Side("lion_pytorch.Lion(lr=0.05)", OptimizerCase(lion(lr=LR), torch=lion_pytorch(lr=LR))),
        optax_call(lion(lr=LR, convention="optax"), "lion", LR),
        "weight decay 0 or 0.001",
        "`weight_decay=`, or the convention",
    ),
    Topic(
        "muon-defaults",
        "Muon",
        torch_muon(muon(lr=0.02), "torch.optim.Muon(lr=0.02), iterating in float64"),
        optax_muon(muon(lr=0.02, convention="optax"), "optax.contrib.muon(0.02)"),
        "weight decay 0.1 or 0; weights (out, in) or (in, out); momentum corrected for its start at 0 in optax",
        "`weight_decay=`, `input_axis=`, `bias_corrected=`, or the convention",
        ("google-deepmind/optax!1249",),
    ),
    Topic(
        "muon-layout",
        "Muon, weights (out, in) or (in, out)",
        torch_muon(
            muon(lr=0.02, weight_decay=0.0, nesterov=False),
            "torch.optim.Muon(lr=0.02, weight_decay=0.0, nesterov=False), iterating in float64",
            weight_decay=0.0,
            nesterov=False,
        ),
        optax_muon(
            muon(lr=0.02, nesterov=False, convention="optax"), "optax.contrib.muon(0.02, nesterov=False)", lambda o: {"nesterov": False}
        ),
        "the factor sqrt(fan_out / fan_in) of the same array",
        "`input_axis=`",
        ("google-deepmind/optax!1249",),
    ),
    Topic(
        "muon-precision",
        "Muon, all else equal",
        torch_muon(
            muon(lr=0.02, nesterov=False),
            "torch.optim.Muon(lr=0.02, nesterov=False)",
            full_precision=False,
            nesterov=False,
            unlike="the bfloat16 numbers of torch are `ns_dtype='bfloat16'`, and equal to a rounding of bfloat16 only",
        ),
        optax_muon(
            muon(lr=0.02, weight_decay=0.1, nesterov=False, input_axis=1, convention="optax"),
            "optax.contrib.muon(0.02, weight_decay=0.1, nesterov=False, muon_weight_dimension_numbers=...)",
            as_torch_stores_weights,
        ),
        "torch iterates in bfloat16 whatever the parameters are",
        "`ns_dtype=`",
    ),
    Topic(
        "lbfgs-first-step",
        "L-BFGS without a line search",
        Side(
            "torch.optim.LBFGS(lr=0.5, history_size=5, max_iter=1)",
            OptimizerCase(lbfgs(lr=0.5, history_size=5), torch=torch_lbfgs(lr=0.5, history_size=5), still=True),
        ),
        Side(
            "optax.lbfgs(0.5, memory_size=5, linesearch=None)",
            OptimizerCase(lbfgs(lr=0.5, memory_size=5, convention="optax"), optax=lambda o: o.lbfgs(0.5, 5, linesearch=None), still=True),
        ),
        "the first step is limited by the gradient's 1-norm, or by its 2-norm",
        "`first_norm=`",
    ),
)
