"""The optimizers' rows of the parity tables: each spec beside the frameworks' own classes for the same mathematics.

No framework is imported here: originals receive their module.  Where torch or optax needs more than one call to say what
a definition says, the row shows it, and so is a porting guide too.
"""

from __future__ import annotations

from lossopt.definition import Spec
from lossopt.optimizers import (
    adadelta,
    adafactor,
    adagrad,
    adam,
    adamw,
    dog,
    lamb,
    lbfgs,
    lion,
    muon,
    polyak_sgd,
    prodigy,
    rmsprop,
    schedule_free_adamw,
    sgd,
)
from lossopt.parity.case import Allowed, OptimizerCase
from lossopt.parity.originals import (
    ascending,
    decayed,
    from_torch,
    lion_pytorch,
    muon_and_adamw,
    optax_muon_and_adamw,
    torch_lbfgs,
)
from lossopt.transforms import route

Case = OptimizerCase


def matrices_by(first: Spec, rest: Spec) -> Spec:
    return route(first, rest, to=("matrices", "*"))


# ------------------------------------------------------------------------------------------------- why some bounds are wider
F32_DECAY = {"optax": Allowed(3e-8, "optax.adafactor computes 1 - t**-0.8 in float32 even under x64")}
CENTERED = {"float32": Allowed(3e-5, "centered: v - a**2 cancels where gradients hardly change, and its float32 error with it")}
AMPLIFIED = "Newton-Schulz multiplies the rounding of small singular values by up to 3.4445**5 = 485 at each step"
ORTHOGONAL = {**dict.fromkeys(("torch", "jax", "optax"), Allowed(1e-11, AMPLIFIED)), "float32": Allowed(5e-6, AMPLIFIED)}
HALF = Allowed(0.5, f"bfloat16 numbers are 2**-8 apart, the referee is in float64, and {AMPLIFIED}")
BFLOAT16 = {"torch": HALF, "jax": HALF, "float32": HALF, "bfloat16": Allowed(16.0, HALF.cause)}


# ------------------------------------------------------------------------------------------------- the table
SGD = (
    Case(sgd(lr=0.05), from_torch("SGD", lr=0.05), lambda o: o.sgd(0.05)),
    Case(sgd(lr=0.05, momentum=0.9), from_torch("SGD", lr=0.05, momentum=0.9), lambda o: o.sgd(0.05, 0.9)),
    Case(
        sgd(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
        from_torch("SGD", lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda o: decayed(o, 0.1, o.sgd(0.05, 0.9, nesterov=True)),
    ),
    Case(
        sgd(lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1),
        from_torch("SGD", lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1),
    ),
    Case(
        sgd(lr=1e-3, momentum=0.5, weight_decay=0.1, maximize=True),
        from_torch("SGD", lr=1e-3, momentum=0.5, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.sgd(1e-3, 0.5)),
        steps=20,
    ),
    Case(sgd(lr=0.05, convention="optax"), optax=lambda o: o.sgd(0.05)),
    Case(sgd(learning_rate=0.05, momentum=0.8, convention="optax"), optax=lambda o: o.sgd(0.05, 0.8)),
    Case(sgd(lr=0.05, momentum=0.8, nesterov=True, convention="optax"), optax=lambda o: o.sgd(0.05, 0.8, nesterov=True)),
    Case(sgd(convention="keras"), optax=lambda o: o.sgd(0.01)),
    Case(sgd(momentum=0.9, weight_decay=0.1, convention="keras")),
    Case(sgd(momentum=0.9, nesterov=True, convention="keras"), optax=lambda o: o.sgd(0.01, 0.9, nesterov=True)),
)

ADAM = (
    Case(adam(lr=0.05), from_torch("Adam", lr=0.05), lambda o: o.adam(0.05)),
    Case(adam(lr=0.05, weight_decay=0.1), from_torch("Adam", lr=0.05, weight_decay=0.1), lambda o: decayed(o, 0.1, o.adam(0.05))),
    Case(
        adam(lr=0.05, betas=(0.8, 0.95), eps=1e-3),
        from_torch("Adam", lr=0.05, betas=(0.8, 0.95), eps=1e-3),
        lambda o: o.adam(0.05, 0.8, 0.95, 1e-3),
    ),
    Case(adam(lr=0.05, amsgrad=True), from_torch("Adam", lr=0.05, amsgrad=True)),
    Case(
        adam(lr=1e-3, weight_decay=0.1, maximize=True),
        from_torch("Adam", lr=1e-3, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.adam(1e-3)),
        steps=20,
    ),
    Case(adam(lr=0.05, convention="optax"), optax=lambda o: o.adam(0.05)),
    Case(adam(learning_rate=0.05, b1=0.0, b2=0.9, convention="optax"), optax=lambda o: o.adam(0.05, b1=0.0, b2=0.9)),
    Case(adam(lr=0.05, b1=0.8, amsgrad=True, convention="optax"), optax=lambda o: o.amsgrad(0.05, b1=0.8)),
    Case(adam(lr=0.05, convention="keras")),
    Case(adam(lr=0.05, epsilon=1e-2, weight_decay=0.1, convention="keras")),
    Case(adam(lr=0.05, amsgrad=True, convention="keras")),
)

ADAMW = (
    Case(adamw(lr=0.05), from_torch("AdamW", lr=0.05), lambda o: o.adamw(0.05, weight_decay=1e-2)),
    Case(
        adamw(lr=0.05, weight_decay=0.1),
        from_torch("AdamW", lr=0.05, weight_decay=0.1),
        lambda o: o.adamw(0.05, weight_decay=0.1),
    ),
    Case(
        adamw(lr=0.05, betas=(0.0, 0.9), eps=1e-2, weight_decay=0.0),
        from_torch("AdamW", lr=0.05, betas=(0.0, 0.9), eps=1e-2, weight_decay=0.0),
        lambda o: o.adamw(0.05, 0.0, 0.9, 1e-2, weight_decay=0.0),
    ),
    Case(adamw(lr=0.05, amsgrad=True, weight_decay=0.1), from_torch("AdamW", lr=0.05, amsgrad=True, weight_decay=0.1)),
    Case(
        adamw(lr=1e-3, maximize=True),
        from_torch("AdamW", lr=1e-3, maximize=True),
        lambda o: ascending(o, o.adamw(1e-3, weight_decay=1e-2)),
        steps=20,
    ),
    Case(adamw(lr=0.05, convention="optax"), optax=lambda o: o.adamw(0.05)),
    Case(
        adamw(learning_rate=0.05, b1=0.8, b2=0.99, weight_decay=0.1, convention="optax"),
        optax=lambda o: o.adamw(0.05, 0.8, 0.99, weight_decay=0.1),
    ),
    Case(
        adamw(lr=0.05, amsgrad=True, convention="optax"),
        optax=lambda o: o.chain(o.scale_by_amsgrad(), o.add_decayed_weights(1e-4), o.scale_by_learning_rate(0.05)),
    ),
    Case(adamw(convention="keras")),
    Case(adamw(lr=0.05, weight_decay=0.1, convention="keras")),
    Case(adamw(lr=0.05, eps=1e-2, amsgrad=True, convention="keras")),
)

RMSPROP = (
    Case(rmsprop(lr=0.05), from_torch("RMSprop", lr=0.05), lambda o: o.rmsprop(0.05, decay=0.99, eps_in_sqrt=False)),
    Case(
        rmsprop(lr=0.05, alpha=0.9, centered=True, weight_decay=0.1),
        from_torch("RMSprop", lr=0.05, alpha=0.9, centered=True, weight_decay=0.1),
        lambda o: decayed(o, 0.1, o.rmsprop(0.05, decay=0.9, eps_in_sqrt=False, centered=True)),
        allowed=CENTERED,
    ),
    Case(
        rmsprop(lr=0.01, momentum=0.9, eps=1e-3),
        from_torch("RMSprop", lr=0.01, momentum=0.9, eps=1e-3),
        lambda o: o.rmsprop(0.01, decay=0.99, eps=1e-3, eps_in_sqrt=False, momentum=0.9),
    ),
    Case(rmsprop(lr=0.01, momentum=0.9, centered=True), from_torch("RMSprop", lr=0.01, momentum=0.9, centered=True), allowed=CENTERED),
    Case(
        rmsprop(lr=1e-3, weight_decay=0.1, maximize=True),
        from_torch("RMSprop", lr=1e-3, weight_decay=0.1, maximize=True),
        lambda o: ascending(o, o.add_decayed_weights(0.1), o.rmsprop(1e-3, decay=0.99, eps_in_sqrt=False)),
        steps=20,
    ),
    Case(rmsprop(lr=0.05, convention="optax"), optax=lambda o: o.rmsprop(0.05)),
    Case(rmsprop(lr=0.05, decay=0.8, momentum=0.9, convention="optax"), optax=lambda o: o.rmsprop(0.05, decay=0.8, momentum=0.9)),
    Case(
        rmsprop(lr=0.05, eps=1e-3, centered=True, convention="optax"),
        optax=lambda o: o.rmsprop(0.05, eps=1e-3, centered=True),
        allowed=CENTERED,
    ),
    Case(rmsprop(convention="keras"), optax=lambda o: o.rmsprop(1e-3, eps=1e-7)),
    Case(
        rmsprop(lr=0.01, momentum=0.9, centered=True, convention="keras"),
        optax=lambda o: o.rmsprop(0.01, eps=1e-7, momentum=0.9, centered=True),
        allowed=CENTERED,
    ),  # fmt: skip
    Case(rmsprop(lr=0.05, rho=0.8, weight_decay=0.1, convention="keras")),
)

ADAGRAD = (
    Case(adagrad(lr=0.5), from_torch("Adagrad", lr=0.5)),
    Case(adagrad(lr=0.5, lr_decay=0.1, weight_decay=0.1), from_torch("Adagrad", lr=0.5, lr_decay=0.1, weight_decay=0.1)),
    Case(
        adagrad(lr=0.5, initial_accumulator_value=0.1, eps=0.0),
        from_torch("Adagrad", lr=0.5, initial_accumulator_value=0.1, eps=0.0),
        lambda o: o.adagrad(0.5, 0.1, eps=0.0),
    ),
    Case(adagrad(lr=1e-3, weight_decay=0.1, maximize=True), from_torch("Adagrad", lr=1e-3, weight_decay=0.1, maximize=True), steps=20),
    Case(adagrad(lr=0.5, convention="optax"), optax=lambda o: o.adagrad(0.5)),
    Case(
        adagrad(lr=0.5, initial_accumulator_value=0.0, eps=0.0, convention="optax"),
        optax=lambda o: o.adagrad(0.5, initial_accumulator_value=0.0, eps=0.0),
    ),
    Case(adagrad(lr=0.5, eps=1e-2, weight_decay=0.1, convention="optax"), optax=lambda o: decayed(o, 0.1, o.adagrad(0.5, eps=1e-2))),
    Case(adagrad(convention="keras"), optax=lambda o: o.adagrad(1e-3)),
    Case(adagrad(lr=0.5, weight_decay=0.1, convention="keras")),
    Case(
        adagrad(lr=0.5, epsilon=1e-2, initial_accumulator_value=0.3, convention="keras"), optax=lambda o: o.adagrad(0.5, 0.3, 1e-2)
    ),  # fmt: skip
)

ADADELTA = (
    Case(adadelta(), from_torch("Adadelta"), lambda o: o.adadelta(1.0)),
    Case(
        adadelta(lr=0.5, rho=0.8, eps=1e-3),
        from_torch("Adadelta", lr=0.5, rho=0.8, eps=1e-3),
        lambda o: o.adadelta(0.5, rho=0.8, eps=1e-3),
    ),
    Case(
        adadelta(lr=2.0, weight_decay=0.1),
        from_torch("Adadelta", lr=2.0, weight_decay=0.1),
        lambda o: o.adadelta(2.0, weight_decay=0.1),
    ),
    Case(adadelta(weight_decay=0.1, maximize=True), from_torch("Adadelta", weight_decay=0.1, maximize=True), steps=20),
    Case(adadelta(convention="optax"), optax=lambda o: o.adadelta(1.0)),
    Case(adadelta(lr=0.3, rho=0.95, convention="optax"), optax=lambda o: o.adadelta(0.3, rho=0.95)),
    Case(adadelta(lr=2.0, eps=1e-2, weight_decay=0.1, convention="optax"), optax=lambda o: o.adadelta(2.0, eps=1e-2, weight_decay=0.1)),
    Case(adadelta(convention="keras"), optax=lambda o: o.adadelta(1e-3, 0.95, 1e-7)),
    Case(adadelta(lr=1.0, convention="keras"), optax=lambda o: o.adadelta(1.0, 0.95, 1e-7)),
    Case(adadelta(lr=1.0, weight_decay=0.1, convention="keras")),
)

LION = (
    Case(lion(lr=0.01), lion_pytorch(lr=0.01), lambda o: o.lion(0.01, weight_decay=0.0)),
    Case(lion(lr=0.01, weight_decay=0.1), lion_pytorch(lr=0.01, weight_decay=0.1), lambda o: o.lion(0.01, weight_decay=0.1)),
    Case(
        lion(lr=0.01, betas=(0.95, 0.98), weight_decay=1.0),
        lion_pytorch(lr=0.01, betas=(0.95, 0.98), weight_decay=1.0),
        lambda o: o.lion(0.01, 0.95, 0.98, weight_decay=1.0),
    ),
    Case(lion(lr=0.01, convention="optax"), optax=lambda o: o.lion(0.01)),
    Case(lion(lr=0.01, b1=0.8, convention="optax"), optax=lambda o: o.lion(0.01, b1=0.8)),
    Case(lion(lr=0.01, b2=0.9, weight_decay=0.5, convention="optax"), optax=lambda o: o.lion(0.01, b2=0.9, weight_decay=0.5)),
    Case(lion(convention="keras"), lion_pytorch(lr=1e-3), lambda o: o.lion(1e-3, weight_decay=0.0)),
    Case(lion(weight_decay=0.1, convention="keras"), lion_pytorch(lr=1e-3, weight_decay=0.1), lambda o: o.lion(1e-3, weight_decay=0.1)),
    Case(
        lion(lr=0.01, beta_1=0.95, convention="keras"),
        lion_pytorch(lr=0.01, betas=(0.95, 0.99)),
        lambda o: o.lion(0.01, 0.95, weight_decay=0.0),
    ),
)

LAMB = (
    Case(lamb(lr=0.05), optax=lambda o: o.lamb(0.05)),
    Case(lamb(lr=0.05, weight_decay=0.1), optax=lambda o: o.lamb(0.05, weight_decay=0.1)),
    Case(lamb(lr=0.05, betas=(0.8, 0.95), eps=1e-3), optax=lambda o: o.lamb(0.05, 0.8, 0.95, 1e-3)),
    Case(lamb(lr=0.02, convention="optax"), optax=lambda o: o.lamb(0.02)),
    Case(lamb(lr=0.05, b1=0.0, convention="optax"), optax=lambda o: o.lamb(0.05, b1=0.0)),
    Case(lamb(lr=0.05, b2=0.9, weight_decay=0.5, convention="optax"), optax=lambda o: o.lamb(0.05, b2=0.9, weight_decay=0.5)),
)

ADAFACTOR = (
    Case(adafactor(lr=0.05), from_torch("Adafactor", lr=0.05)),
    Case(adafactor(lr=0.05, weight_decay=0.1, d=2.0), from_torch("Adafactor", lr=0.05, weight_decay=0.1, d=2.0)),
    Case(
        adafactor(lr=0.5, beta2_decay=-0.5, eps=(1e-2, 1e-1)),
        from_torch("Adafactor", lr=0.5, beta2_decay=-0.5, eps=(1e-2, 1e-1)),
    ),
    Case(adafactor(lr=1e-3, weight_decay=0.1, maximize=True), from_torch("Adafactor", lr=1e-3, weight_decay=0.1, maximize=True), steps=20),
    Case(adafactor(lr=0.05, convention="optax"), optax=lambda o: o.adafactor(0.05), allowed=F32_DECAY),
    Case(
        adafactor(lr=0.05, min_dim_size_to_factor=2, convention="optax"),
        optax=lambda o: o.adafactor(0.05, min_dim_size_to_factor=2),
        allowed=F32_DECAY,
    ),
    Case(
        adafactor(lr=0.05, clipping_threshold=0.5, weight_decay_rate=1e-3, min_dim_size_to_factor=2, convention="optax"),
        optax=lambda o: o.adafactor(0.05, clipping_threshold=0.5, weight_decay_rate=1e-3, min_dim_size_to_factor=2),
        allowed=F32_DECAY,
    ),
)

MUON = (
    Case(
        matrices_by(muon(lr=0.02), adamw(lr=0.02)),
        lambda torch, p: muon_and_adamw(torch, p, {"lr": 0.02}, lr=0.02),
        allowed=ORTHOGONAL,
    ),
    Case(
        matrices_by(muon(lr=0.02, nesterov=False, momentum=0.8, weight_decay=0.0), adamw(lr=0.02)),
        lambda torch, p: muon_and_adamw(torch, p, {"lr": 0.02}, lr=0.02, nesterov=False, momentum=0.8, weight_decay=0.0),
        allowed=ORTHOGONAL,
    ),
    Case(
        matrices_by(muon(lr=0.02, adjust_lr_fn="match_rms_adamw", ns_steps=3), adamw(lr=0.02)),
        lambda torch, p: muon_and_adamw(torch, p, {"lr": 0.02}, lr=0.02, adjust_lr_fn="match_rms_adamw", ns_steps=3),
        allowed=ORTHOGONAL,
    ),
    Case(
        matrices_by(muon(lr=0.02, ns_dtype="bfloat16"), adamw(lr=0.02)),
        lambda torch, p: muon_and_adamw(torch, p, {"lr": 0.02}, full_precision=False, lr=0.02),
        steps=20,
        allowed=BFLOAT16,
    ),
    Case(
        matrices_by(muon(lr=0.02, convention="optax"), adamw(lr=0.02, convention="optax")),
        optax=lambda o: optax_muon_and_adamw(o, o.adamw(0.02), 0.02),
        allowed=ORTHOGONAL,
    ),
    Case(
        matrices_by(muon(lr=0.02, beta=0.8, weight_decay=0.1, ns_steps=3, convention="optax"), adamw(lr=0.02, convention="optax")),
        optax=lambda o: optax_muon_and_adamw(o, o.adamw(0.02), 0.02, beta=0.8, weight_decay=0.1, ns_steps=3),
        allowed=ORTHOGONAL,
    ),
    Case(
        matrices_by(muon(lr=0.02, nesterov=False, adjust_lr_fn="match_rms_adamw", convention="optax"), adamw(lr=0.02, convention="optax")),
        optax=lambda o: optax_muon_and_adamw(o, o.adamw(0.02), 0.02, nesterov=False, consistent_rms=0.2),
        allowed=ORTHOGONAL,
    ),
)

PRODIGY = (
    Case(prodigy(), optax=lambda o: o.contrib.prodigy()),
    Case(prodigy(weight_decay=0.1, d0=1e-3), optax=lambda o: o.contrib.prodigy(weight_decay=0.1, estim_lr0=1e-3)),
    Case(
        prodigy(betas=(0.8, 0.95), beta3=0.9, safeguard_warmup=True),
        optax=lambda o: o.contrib.prodigy(betas=(0.8, 0.95), beta3=0.9, safeguard_warmup=True),
    ),
    Case(prodigy(use_bias_correction=False)),
    Case(prodigy(convention="optax", estim_lr_coef=0.5), optax=lambda o: o.contrib.prodigy(estim_lr_coef=0.5)),
    Case(prodigy(convention="optax", learning_rate=0.5), optax=lambda o: o.contrib.prodigy(0.5)),
    Case(prodigy(convention="optax", eps=1e-3), optax=lambda o: o.contrib.prodigy(eps=1e-3)),
)

SCHEDULE_FREE = (
    Case(schedule_free_adamw(lr=0.05), optax=lambda o: o.contrib.schedule_free_adamw(0.05)),
    Case(schedule_free_adamw(lr=0.05, weight_decay=0.1), optax=lambda o: o.contrib.schedule_free_adamw(0.05, weight_decay=0.1)),
    Case(
        schedule_free_adamw(lr=0.05, betas=(0.95, 0.9), eps=1e-3, weight_lr_power=1.0),
        optax=lambda o: o.contrib.schedule_free_adamw(0.05, b1=0.95, b2=0.9, eps=1e-3, weight_lr_power=1.0),
    ),
    Case(schedule_free_adamw(convention="optax"), optax=lambda o: o.contrib.schedule_free_adamw()),
    Case(schedule_free_adamw(lr=0.1, b1=0.8, convention="optax"), optax=lambda o: o.contrib.schedule_free_adamw(0.1, b1=0.8)),
    Case(
        schedule_free_adamw(lr=0.05, b2=0.9, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.schedule_free_adamw(0.05, b2=0.9, weight_decay=0.5),
    ),  # fmt: skip
)

LBFGS = (
    Case(lbfgs(lr=0.5, history_size=5), torch_lbfgs(lr=0.5, history_size=5), steps=15, still=True),
    Case(lbfgs(lr=0.2, history_size=3), torch_lbfgs(lr=0.2, history_size=3), steps=15, still=True),
    Case(lbfgs(lr=0.5, history_size=5, min_curvature=1e-2), steps=10, still=True),
    Case(lbfgs(lr=0.5, convention="optax"), optax=lambda o: o.lbfgs(0.5, linesearch=None), steps=15, still=True),
    Case(lbfgs(lr=0.5, memory_size=5, convention="optax"), optax=lambda o: o.lbfgs(0.5, 5, linesearch=None), steps=15, still=True),
    Case(lbfgs(lr=0.2, memory_size=3, convention="optax"), optax=lambda o: o.lbfgs(0.2, 3, linesearch=None), steps=15, still=True),
)

DOG = (
    Case(dog(), optax=lambda o: o.contrib.dog()),
    Case(dog(reps_rel=1e-3, weight_decay=0.1), optax=lambda o: o.contrib.dog(init_step=("heuristic", 1e-3), weight_decay=0.1)),
    Case(dog(lr=0.5, eps=1e-2, reps_rel=0.1), optax=lambda o: o.contrib.dog(0.5, init_step=("heuristic", 0.1), eps=1e-2)),
    Case(dog(convention="optax", reps_rel=1e-4), optax=lambda o: o.contrib.dog(init_step=("heuristic", 1e-4))),
    Case(dog(convention="optax", learning_rate=0.3, reps_rel=1e-2), optax=lambda o: o.contrib.dog(0.3, init_step=("heuristic", 1e-2))),
    Case(
        dog(convention="optax", reps_rel=1e-2, weight_decay=0.5),
        optax=lambda o: o.contrib.dog(init_step=("heuristic", 1e-2), weight_decay=0.5),
    ),
)

POLYAK = (
    Case(polyak_sgd(f_min=-8.0, max_lr=0.2), optax=lambda o: o.polyak_sgd(0.2, f_min=-8.0), optax_extras=("value",)),
    Case(
        polyak_sgd(f_min=-8.0, max_lr=0.2, variant="sps+"),
        optax=lambda o: o.polyak_sgd(0.2, f_min=-8.0, variant="sps+"),
        optax_extras=("value",),
    ),
    Case(polyak_sgd(f_min=-20.0, max_lr=0.1, eps=1.0), optax=lambda o: o.polyak_sgd(0.1, f_min=-20.0, eps=1.0), optax_extras=("value",)),
    Case(polyak_sgd(f_min=-8.0, max_lr=0.2, lr=0.5)),
    Case(
        polyak_sgd(f_min=-8.0, max_learning_rate=0.1, convention="optax"),
        optax=lambda o: o.polyak_sgd(0.1, f_min=-8.0),
        optax_extras=("value",),
    ),
    Case(
        polyak_sgd(f_min=-9.0, max_lr=0.2, eps=0.1, convention="optax"),
        optax=lambda o: o.polyak_sgd(0.2, f_min=-9.0, eps=0.1),
        optax_extras=("value",),
    ),
    Case(
        polyak_sgd(f_min=2.0, max_lr=0.1, variant="sps+", convention="optax"),
        optax=lambda o: o.polyak_sgd(0.1, f_min=2.0, variant="sps+"),
        optax_extras=("value",),
    ),
)

OPTIMIZER_CASES: tuple[OptimizerCase, ...] = (
    *SGD, *ADAM, *ADAMW, *RMSPROP, *ADAGRAD, *ADADELTA, *LION, *LAMB, *ADAFACTOR, *MUON, *PRODIGY, *SCHEDULE_FREE, *LBFGS, *DOG, *POLYAK,
)  # fmt: skip
