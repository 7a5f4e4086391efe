"""Muon, beside the frameworks' own."""

from __future__ import annotations

from lossopt.definition import Spec
from lossopt.optimizers import adamw, muon
from lossopt.parity.case import Allowed, OptimizerCase
from lossopt.parity.originals import muon_and_adamw, optax_muon_and_adamw
from lossopt.transforms import route

Case = OptimizerCase

AMPLIFIED = "Newton-Schulz multiplies the rounding of small singular values by up to 3.4445**5 = 485 at each step"
ORTHOGONAL = {**dict.fromkeys(("torch", "jax", "optax"), Allowed(1e-11, AMPLIFIED)), "float32": Allowed(5e-6, AMPLIFIED)}
KERAS = {**ORTHOGONAL, "keras": Allowed(2e-7, "keras.optimizers.Muon takes the root of the shape in float32, whatever the parameters are")}
HALF = Allowed(0.5, f"bfloat16 numbers are 2**-8 apart, the referee is in float64, and {AMPLIFIED}")
BFLOAT16 = {"torch": HALF, "jax": HALF, "float32": HALF, "bfloat16": Allowed(16.0, HALF.cause)}


def matrices_by(first: Spec, rest: Spec) -> Spec:
    return route(first, rest, to=("matrices", "*"))


CASES: tuple[OptimizerCase, ...] = (
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
    Case(
        matrices_by(muon(convention="keras"), adamw(lr=1e-3, convention="keras")),
        keras=lambda k: k.optimizers.Muon(),
        allowed=KERAS,
    ),
    Case(
        matrices_by(
            muon(lr=0.02, momentum=0.8, weight_decay=0.1, convention="keras"), adamw(lr=0.02, weight_decay=0.5, convention="keras")
        ),
        keras=lambda k: k.optimizers.Muon(0.02, momentum=0.8, weight_decay=0.1, adam_weight_decay=0.5),
        allowed=KERAS,
    ),
    Case(
        matrices_by(muon(lr=0.02, nesterov=False, ns_steps=3, convention="keras"), adamw(lr=0.02, convention="keras")),
        keras=lambda k: k.optimizers.Muon(0.02, nesterov=False, ns_steps=3),
        allowed=KERAS,
    ),
)
