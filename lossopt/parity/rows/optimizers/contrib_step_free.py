"""Optimizers of optax.contrib that find their own step size, beside optax's own."""

from __future__ import annotations

from lossopt.optimizers import cocob, dadapt_adamw, dowg, momo, momo_adam
from lossopt.parity.case import Allowed, OptimizerCase

Case = OptimizerCase
VALUE = ("value",)

COCOB = (
    Case(cocob(), optax=lambda o: o.contrib.cocob()),
    Case(cocob(alpha=10.0, weight_decay=0.1), optax=lambda o: o.contrib.cocob(alpha=10.0, weight_decay=0.1)),
    Case(cocob(lr=0.5, eps=1.0), optax=lambda o: o.contrib.cocob(0.5, eps=1.0)),
    Case(cocob(convention="optax"), optax=lambda o: o.contrib.cocob()),
    Case(cocob(alpha=30.0, convention="optax"), optax=lambda o: o.contrib.cocob(alpha=30.0)),
    Case(cocob(lr=2.0, weight_decay=0.5, convention="optax"), optax=lambda o: o.contrib.cocob(2.0, weight_decay=0.5)),
)

GROWN = Allowed(
    5e-6, "with the parameters held still d grows by 15 orders of magnitude in 100 updates, and the rounding of each stays in it: "
    "7e-8 at the first update, 4e-7 at the tenth, 2e-6 to 3e-6 at the hundredth"
)  # fmt: skip
CANCELLED = Allowed(5e-12, "optax.contrib.dadapt_adamw has 1 - beta2**t, which cancels; with the same in the referee it is within 1e-14")

DADAPT = (
    Case(dadapt_adamw(), optax=lambda o: o.contrib.dadapt_adamw(), allowed={"jax float32": GROWN}),
    Case(
        dadapt_adamw(weight_decay=0.1, d0=1e-3),
        optax=lambda o: o.contrib.dadapt_adamw(weight_decay=0.1, estim_lr0=1e-3),
        allowed={"jax float32": GROWN},
    ),
    Case(dadapt_adamw(betas=(0.8, 0.95), eps=1e-3), optax=lambda o: o.contrib.dadapt_adamw(betas=(0.8, 0.95), eps=1e-3)),
    Case(dadapt_adamw(betas=(0.9, 0.99), use_bias_correction=False)),
    Case(
        dadapt_adamw(estim_lr0=1e-2, convention="optax"),
        optax=lambda o: o.contrib.dadapt_adamw(estim_lr0=1e-2),
        allowed={"jax float32": GROWN},
    ),
    Case(
        dadapt_adamw(learning_rate=0.5, convention="optax"),
        optax=lambda o: o.contrib.dadapt_adamw(0.5),
        allowed={"optax": CANCELLED, "jax float32": GROWN},
    ),
    Case(
        dadapt_adamw(b2=0.9, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.dadapt_adamw(betas=(0.9, 0.9), weight_decay=0.5),
        allowed={"jax float32": GROWN},
    ),
)

DOWG = (
    Case(dowg(), optax=lambda o: o.contrib.dowg()),
    Case(dowg(sq_distance0=1e-2, weight_decay=0.1), optax=lambda o: o.contrib.dowg(init_estim_sq_dist=1e-2, weight_decay=0.1)),
    Case(dowg(lr=0.5, eps=1e-2), optax=lambda o: o.contrib.dowg(0.5, eps=1e-2)),
    Case(dowg(init_estim_sq_dist=1e-3, convention="optax"), optax=lambda o: o.contrib.dowg(init_estim_sq_dist=1e-3)),
    Case(dowg(learning_rate=0.3, eps=1e-2, convention="optax"), optax=lambda o: o.contrib.dowg(0.3, eps=1e-2)),
    Case(
        dowg(init_estim_sq_dist=0.1, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.dowg(init_estim_sq_dist=0.1, weight_decay=0.5),
    ),
)

# adapt_lower_bound is held to optax by the tests, in float64 only: where parameters are held still, as the float32 rows hold
# them, the bound closes on the loss by half at each update, and soon what is left between them is rounding.
MOMO = (
    Case(momo(lr=0.2, lower_bound=-8.0), optax=lambda o: o.contrib.momo(0.2, lower_bound=-8.0), optax_extras=VALUE),
    Case(
        momo(lower_bound=-8.0, beta=0.5, weight_decay=0.1),
        optax=lambda o: o.contrib.momo(lower_bound=-8.0, beta=0.5, weight_decay=0.1),
        optax_extras=VALUE,
    ),
    Case(momo(lr=0.05, lower_bound=-50.0), optax=lambda o: o.contrib.momo(0.05, lower_bound=-50.0), optax_extras=VALUE),
    Case(momo(lower_bound=-9.0, convention="optax"), optax=lambda o: o.contrib.momo(lower_bound=-9.0), optax_extras=VALUE),
    Case(
        momo(lr=0.1, beta=0.0, lower_bound=-8.0, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.momo(0.1, beta=0.0, lower_bound=-8.0, weight_decay=0.5),
        optax_extras=VALUE,
    ),
    Case(momo(beta=0.99, lb=-7.0, convention="optax"), optax=lambda o: o.contrib.momo(beta=0.99, lower_bound=-7.0), optax_extras=VALUE),
)

MOMO_ADAM = (
    Case(momo_adam(lr=0.1, lower_bound=-8.0), optax=lambda o: o.contrib.momo_adam(0.1, lower_bound=-8.0), optax_extras=VALUE),
    Case(
        momo_adam(lr=0.5, betas=(0.5, 0.95), eps=1e-3, lower_bound=-8.0, weight_decay=0.1),
        optax=lambda o: o.contrib.momo_adam(0.5, b1=0.5, b2=0.95, eps=1e-3, lower_bound=-8.0, weight_decay=0.1),
        optax_extras=VALUE,
    ),
    Case(momo_adam(lr=0.05, lower_bound=-50.0), optax=lambda o: o.contrib.momo_adam(0.05, lower_bound=-50.0), optax_extras=VALUE),
    Case(momo_adam(lower_bound=-9.0, convention="optax"), optax=lambda o: o.contrib.momo_adam(lower_bound=-9.0), optax_extras=VALUE),
    Case(
        momo_adam(lr=0.2, b1=0.0, lower_bound=-8.0, weight_decay=0.5, convention="optax"),
        optax=lambda o: o.contrib.momo_adam(0.2, b1=0.0, lower_bound=-8.0, weight_decay=0.5),
        optax_extras=VALUE,
    ),
    Case(
        momo_adam(lr=1.0, b2=0.9, lb=-7.0, convention="optax"),
        optax=lambda o: o.contrib.momo_adam(1.0, b2=0.9, lower_bound=-7.0),
        optax_extras=VALUE,
    ),
)

CASES: tuple[OptimizerCase, ...] = (*COCOB, *DADAPT, *DOWG, *MOMO, *MOMO_ADAM)
