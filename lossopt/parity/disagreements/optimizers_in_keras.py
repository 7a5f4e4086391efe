"""Where Keras's optimizers differ from those of PyTorch, or of optax where PyTorch has none."""

from __future__ import annotations

from lossopt.optimizers import (
    adadelta,
    adafactor,
    adagrad,
    adam,
    adamax,
    adamw,
    lamb,
    muon,
    nadam,
    rmsprop,
    schedule_free_adamw,
    sgd,
)
from lossopt.parity.case import OptimizerCase
from lossopt.parity.disagreements.optimizers import HALVING, LR, halved, torch_muon
from lossopt.parity.disagreements.topic import Side, Topic, keras_optimizer, optax_call, torch_optim
from lossopt.transforms import route

ROUNDED = "keras.ops.mean divides in float32 on JAX, float64 values too"
SHAPE = "Keras takes the root of the shape in float32"

TOPICS: tuple[Topic, ...] = (
    Topic(
        "keras-sgd-momentum-schedule",
        "SGD with momentum, the learning rate halved every 5 steps",
        Side(
            "torch.optim.SGD(lr=0.05, momentum=0.9), StepLR(5, 0.5)",
            OptimizerCase(sgd(lr=HALVING, momentum=0.9), torch=halved("SGD", momentum=0.9)),
        ),
        Side(
            "keras.optimizers.SGD(ExponentialDecay(0.05, 5, 0.5, staircase=True), momentum=0.9)",
            OptimizerCase(
                sgd(lr=HALVING, momentum=0.9, convention="keras"),
                keras=lambda k: k.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(LR, 5, 0.5, True), momentum=0.9),
            ),
        ),
        "the learning rate multiplies the sum, or each gradient that enters it",
        "`lr_before_momentum=`",
    ),
    Topic(
        "keras-sgd-weight-decay",
        "SGD with momentum and weight decay",
        torch_optim(sgd(lr=LR, momentum=0.9, weight_decay=0.1), "SGD", lr=LR, momentum=0.9, weight_decay=0.1),
        keras_optimizer(sgd(lr=LR, momentum=0.9, weight_decay=0.1, convention="keras"), "SGD", LR, momentum=0.9, weight_decay=0.1),
        "the decay joins the gradient (L2), or is decoupled, as everywhere in Keras",
        "`decoupled=`",
    ),
    Topic(
        "keras-adam-epsilon",
        "Adam with eps 0.001",
        torch_optim(adam(lr=LR, eps=1e-3), "Adam", lr=LR, eps=1e-3),
        keras_optimizer(adam(lr=LR, eps=1e-3, convention="keras"), "Adam", LR, epsilon=1e-3),
        "eps beside the root of the corrected second moment, or of the raw one; by default 1e-8 or 1e-7",
        "`eps_hat=`",
        ("pytorch/pytorch#104857",),
    ),
    Topic(
        "keras-adam-weight-decay",
        "Adam with weight decay",
        torch_optim(adam(lr=LR, weight_decay=0.1), "Adam", lr=LR, weight_decay=0.1),
        keras_optimizer(adam(lr=LR, weight_decay=0.1, convention="keras"), "Adam", LR, weight_decay=0.1),
        "the decay joins the gradient (L2), or is decoupled",
        "`decoupled=`",
    ),
    Topic(
        "keras-adamw-weight-decay",
        "AdamW",
        torch_optim(adamw(lr=LR), "AdamW", lr=LR),
        keras_optimizer(adamw(lr=LR, convention="keras"), "AdamW", LR),
        "weight decay 0.01 or 0.004",
        "`weight_decay=`, `eps_hat=`",
    ),
    Topic(
        "keras-adamax-epsilon",
        "Adamax with eps 0.1",
        torch_optim(adamax(lr=LR, eps=0.1), "Adamax", lr=LR, eps=0.1),
        keras_optimizer(adamax(lr=LR, eps=0.1, convention="keras"), "Adamax", LR, epsilon=0.1),
        "eps inside the maximum, or added to it",
        "`eps_inside_max=`",
    ),
    Topic(
        "keras-nadam-momentum",
        "NAdam",
        torch_optim(nadam(lr=LR), "NAdam", lr=LR),
        keras_optimizer(nadam(lr=LR, convention="keras"), "Nadam", LR),
        "how fast the momentum grows from half of beta1: 0.004 or 1",
        "`momentum_decay=0.004` or `1`",
    ),
    Topic(
        "keras-rmsprop-defaults",
        "RMSprop",
        torch_optim(rmsprop(lr=LR), "RMSprop", lr=LR),
        keras_optimizer(rmsprop(lr=LR, convention="keras"), "RMSprop", LR),
        "decay 0.99 or 0.9, eps outside or inside the root",
        "`alpha=`, `eps_inside_root=`",
        ("pytorch/pytorch#23796",),
    ),
    Topic(
        "keras-adagrad-defaults",
        "Adagrad",
        torch_optim(adagrad(lr=LR), "Adagrad", lr=LR),
        keras_optimizer(adagrad(lr=LR, convention="keras"), "Adagrad", LR),
        "the sum of squares begins at 0 or at 0.1, eps outside or inside the root",
        "`initial_accumulator_value=`, `eps_inside_root=`",
    ),
    Topic(
        "keras-adadelta-defaults",
        "Adadelta",
        torch_optim(adadelta(lr=1.0), "Adadelta", lr=1.0),
        keras_optimizer(adadelta(lr=1.0, convention="keras"), "Adadelta", 1.0),
        "rho 0.9 or 0.95, eps 1e-6 or 1e-7",
        "`rho=`, `eps=`",
    ),
    Topic(
        "keras-adafactor-epsilon",
        "Adafactor, gradients near 1e-17",
        torch_optim(adafactor(lr=LR), "Adafactor", lr=LR),
        Side(
            "keras.optimizers.Adafactor(0.05)",
            OptimizerCase(adafactor(lr=LR, convention="keras"), keras=lambda k: k.optimizers.Adafactor(LR)),
            ROUNDED,
        ),
        "torch holds the mean square above the machine epsilon, Keras adds 1e-30",
        "`eps=`, `eps_added=`",
        scale=1e-17,
    ),
    Topic(
        "keras-adafactor-weight-decay",
        "Adafactor with weight decay",
        torch_optim(adafactor(lr=LR, weight_decay=0.5), "Adafactor", lr=LR, weight_decay=0.5),
        Side(
            "keras.optimizers.Adafactor(0.05, weight_decay=0.5)",
            OptimizerCase(
                adafactor(lr=LR, weight_decay=0.5, convention="keras"), keras=lambda k: k.optimizers.Adafactor(LR, weight_decay=0.5)
            ),
            ROUNDED,
        ),
        "Keras measures the parameter after its decay",
        "`decay_first=`",
    ),
    Topic(
        "keras-lamb-weight-decay",
        "LAMB with weight decay",
        optax_call(lamb(lr=LR, weight_decay=0.5, convention="optax"), "lamb", LR, weight_decay=0.5),
        keras_optimizer(lamb(lr=LR, weight_decay=0.5, convention="keras"), "Lamb", LR, weight_decay=0.5),
        "the decay inside the trust ratio, or before it",
        "`decay_first=`",
    ),
    Topic(
        "keras-muon-defaults",
        "Muon",
        torch_muon(muon(lr=0.02), "torch.optim.Muon(lr=0.02), iterating in float64"),
        Side(
            "keras.optimizers.Muon(0.02)",
            OptimizerCase(
                route(muon(lr=0.02, convention="keras"), adamw(lr=0.02, convention="keras"), to=("matrices", "*")),
                keras=lambda k: k.optimizers.Muon(0.02),
            ),
            SHAPE,
        ),
        "weight decay 0.1 or 0.004; lr as it is or as AdamW's",
        "`weight_decay=`, `adjust_lr_fn=`, or the convention",
    ),
    Topic(
        "keras-schedule-free-weight-decay",
        "Schedule-free AdamW with weight decay",
        optax_call(schedule_free_adamw(lr=LR, weight_decay=0.5, convention="optax"), "contrib.schedule_free_adamw", LR, weight_decay=0.5),
        keras_optimizer(schedule_free_adamw(lr=LR, weight_decay=0.5, convention="keras"), "ScheduleFreeAdamW", LR, weight_decay=0.5),
        "the decay is part of the step, or taken before it",
        "`decay_first=`",
    ),
)
