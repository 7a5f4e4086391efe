"""Optimizers with matrices for a parameter.  torch has none of them, optax has galore."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any

from lossopt.optimizers import galore, psgd_kron, shampoo, soap
from lossopt.parity.case import Allowed, OptimizerCase

Case = OptimizerCase

UNSEEN = "at the first updates rounding along directions that no gradient has had is multiplied by eps**(-1/2), for a vector"
ROOTS = {**dict.fromkeys(("torch", "jax"), Allowed(1e-11, UNSEEN)), "float32": Allowed(3e-4, UNSEEN)}
LARGE_EPS = {"float32": Allowed(5e-6, UNSEEN)}
MANY = "float32: ten roundings more than Adam's, of the turn into the basis and back and of the QR decomposition before"
TURNED = {"float32": Allowed(3e-6, MANY)}


class WithSigns:
    """jax.numpy with singular vectors whose signs are fixed, in the gradient's own precision."""

    def __init__(self, jnp: Any) -> None:
        self._jnp, self.linalg = jnp, self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jnp, name)

    @property
    def float32(self) -> Any:
        return self._jnp.result_type(float)

    def svd(self, x: Any, full_matrices: bool) -> Any:
        u, s, vh = self._jnp.linalg.svd(x, full_matrices=full_matrices)
        of = vh.T if x.shape[0] < x.shape[1] else u  # the vectors that optax keeps
        sign = self._jnp.sign(self._jnp.take_along_axis(of, self._jnp.abs(of).argmax(0)[None], 0)[0])
        return u * sign, s, vh * sign[:, None]


def optax_galore(optax: ModuleType, *args: Any, **options: Any) -> Any:
    """optax.contrib.galore, with its rounding to float32 and LAPACK's signs taken out: else the two part at the second subspace."""
    found: Any = importlib.util.find_spec(f"{optax.__name__}.contrib._galore")
    own: Any = importlib.util.module_from_spec(found)  # a copy of its own: other threads use optax meanwhile
    found.loader.exec_module(own)
    own.jnp = WithSigns(importlib.import_module("jax.numpy"))
    return own.galore(*args, **options)


CASES: tuple[OptimizerCase, ...] = (
    Case(shampoo(lr=0.05), allowed=ROOTS),
    Case(shampoo(lr=0.05, betas=(0.0, 1.0), eps=1e-3, use_bias_correction=False), allowed=LARGE_EPS),
    Case(shampoo(lr=0.01, betas=(0.9, 0.99), grafting="adam", precondition_frequency=5, start_preconditioning_step=8, weight_decay=0.1)),
    Case(
        shampoo(lr=0.1, grafting="adagrad", exponent_override=2, max_preconditioner_dim=3, decoupled=False, weight_decay=0.05),
        allowed=ROOTS,
    ),
    Case(shampoo(lr=0.01, grafting="sgd", betas=(0.5, 0.9), eps=1e-2, convention="optax"), allowed=LARGE_EPS),
    Case(shampoo(lr=0.01, eps=1e-2, maximize=True, convention="optax"), steps=20),
    Case(shampoo(lr=0.05, max_preconditioner_dim=1, convention="optax")),
    Case(shampoo(lr=0.05, precondition_frequency=10, start_preconditioning_step=10, convention="optax")),
    Case(soap(lr=0.02), allowed=TURNED),
    Case(soap(lr=0.02, precondition_frequency=1, shampoo_beta=0.8, weight_decay=0.0), allowed=TURNED),
    Case(soap(lr=0.02, precondition_1d=True, betas=(0.9, 0.99), correct_bias=False, eps=1e-4), allowed=TURNED),
    Case(soap(lr=0.02, merge_dims=True, precondition_frequency=3, convention="optax"), allowed=TURNED),
    Case(soap(lr=0.02, max_precondition_dim=4, normalize=True, convention="optax"), allowed=TURNED),
    Case(soap(lr=0.02, betas=(0.9, 0.9), maximize=True, convention="optax"), steps=30, allowed=TURNED),
    Case(psgd_kron(lr=0.02)),
    Case(psgd_kron(lr=0.02, update_probability=(1.0, 0.2, 0.1, 10), balance_every=7, weight_decay=0.1)),
    Case(psgd_kron(lr=0.02, memory_save_mode="one_diag", min_ndim_triangular=1, seed=3, momentum=0.5)),
    Case(psgd_kron(lr=0.02, memory_save_mode="all_diag", momentum_into_precond_update=False, convention="optax")),
    Case(psgd_kron(lr=0.02, max_size_triangular=3, precond_init_scale=0.1, precond_lr=0.3, convention="optax")),
    Case(psgd_kron(lr=0.02, memory_save_mode="smart_one_diag", maximize=True, convention="optax"), steps=30),
    Case(galore(lr=0.02)),
    Case(galore(lr=0.02, rank=2, update_proj_gap=10)),
    Case(galore(lr=0.02, rank=1, update_proj_gap=7, scale=1.0, weight_decay=0.1, eps_hat=False, betas=(0.8, 0.9))),
    Case(galore(lr=0.02, rank=2, update_proj_gap=1, maximize=True), steps=30),
    Case(galore(lr=0.02, convention="optax"), optax=lambda o: optax_galore(o, 0.02)),
    Case(
        galore(lr=0.02, rank=2, update_proj_gap=10, weight_decay=0.1, convention="optax"),
        optax=lambda o: optax_galore(o, 0.02, rank=2, update_proj_gap=10, weight_decay=0.1),
    ),
    Case(
        galore(lr=0.02, rank=1, update_proj_gap=3, scale=0.5, betas=(0.8, 0.9), eps=1e-4, convention="optax"),
        optax=lambda o: optax_galore(o, 0.02, 1, 3, 0.5, o.scale_by_adam(0.8, 0.9, 1e-4)),
    ),
)
