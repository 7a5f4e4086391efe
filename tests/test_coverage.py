"""Everything that the installed PyTorch, optax and Keras offer has a definition here, or a reason why not.

Each table of reasons is exact: a name that a new release brings makes a test say so, and so does a reason that is no longer needed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import optax
import pytest
import torch
from specs import own

from lossopt import registry
from lossopt.definition import Kind
from lossopt.losses import functions
from lossopt_jax import keras_originals


@functools.cache
def claimed() -> frozenset[str]:
    """Every dotted name that a definition says is the same elsewhere."""
    kinds: tuple[Kind, ...] = ("loss", "optimizer", "schedule", "transform")
    texts = [text for kind in kinds for name in own(kind) for text in registry.definition(name, kind).elsewhere.values()]
    return frozenset(word for text in texts for word in text.partition(";")[0].replace(",", " ").split())


def last_words(prefix: str) -> set[str]:
    """The last words of dotted names; of optax also the functions beside the losses, which have its names."""
    beside = {name for name, f in vars(functions).items() if inspect.isfunction(f)} if prefix == "optax" else set()
    return beside | {name.rpartition(".")[2] for name in claimed() if name.startswith(f"{prefix}.")}


# ------------------------------------------------------------------------------------------------- what upstream offers
def torch_optimizers() -> Iterator[str]:
    base = torch.optim.Optimizer
    yield from (n for n, c in inspect.getmembers(torch.optim, inspect.isclass) if issubclass(c, base) and c is not base)


def torch_schedulers() -> Iterator[str]:
    yield from (n for n in torch.optim.lr_scheduler.__all__ if n != "LRScheduler")
    yield from (n for n, c in inspect.getmembers(torch.optim.swa_utils, inspect.isclass)
                if issubclass(c, torch.optim.lr_scheduler.LRScheduler) and n not in ("LRScheduler", "_LRScheduler"))  # fmt: skip


def torch_losses() -> Iterator[str]:
    yield from (n for n, f in inspect.getmembers(torch.nn.functional) if callable(f) and not n.startswith("_")
                and (n.endswith("_loss") or "cross_entropy" in n or n == "kl_div"))  # fmt: skip


def functions_of(module: ModuleType) -> Iterator[str]:
    yield from (n for n, f in inspect.getmembers(module) if not n.startswith("_") and inspect.isfunction(f))


def optax_optimizers() -> Iterator[str]:
    """Aliases: what optax's own module of complete optimizers defines."""
    from optax._src import alias  # the only place that tells complete optimizers from transforms

    yield from (n for n in functions_of(alias) if getattr(alias, n).__module__ == alias.__name__ and n in dir(optax))
    yield "lookahead"


def optax_transforms() -> Iterator[str]:
    yield from functions_of(optax.transforms)
    yield from (n for n in functions_of(optax) if n.startswith("scale_by") or n in ("normalize_by_update_norm", "centralize", "apply_every"))


OPTAX_NOT_OURS = {
    "apply_every": "adds up updates; accumulate adds up gradients, as users of it want",
    "trace": "the momentum of sgd",
    "unitwise_clip": "a part of adaptive_grad_clip",
    "flatten": "a layout of optax's own state",
    "keep_params_nonnegative": "a projection of parameters, not of gradients",
    "measure_with_ema": "observes, changes nothing",
    "monitor": "observes, changes nothing",
    "snapshot": "observes, changes nothing",
    "selective_transform": "route says which parameters a rule sees",
    "per_example_layer_norm_clip": "per-layer clipping of per-example gradients; dpsgd clips by the global norm",
    "unitwise_norm": "a part of adaptive_grad_clip",
    "skip_not_finite": "the predicate of skip_large_updates' sibling, apply_if_finite",
    "scale_by_backtracking_linesearch": "a line search by itself; lbfgs has its own",
    "scale_by_zoom_linesearch": "a line search by itself; lbfgs has its own",
    "scale_by_param_block_norm": "a factor of fromage and lamb, not used by itself",
    "scale_by_param_block_rms": "a factor of adafactor, not used by itself",
    "scale_by_schedule": "a hyperparameter may be a schedule",
    "scale_by_learning_rate": "lr is a hyperparameter",
}
BUILDING_BLOCK = "scale_by_"
"""The first half of an optax optimizer of the same name; with lr=1 and the sign turned it is the optimizer here."""

KERAS_NOT_OURS = {"Ftrl": "in neither torch nor optax"}


# ------------------------------------------------------------------------------------------------- the tests
@pytest.mark.parametrize(
    ("offered", "prefix", "not_ours"),
    [
        pytest.param(torch_optimizers, "torch.optim", {}, id="torch.optim"),
        pytest.param(torch_schedulers, "torch.optim", {}, id="torch.optim.lr_scheduler"),
        pytest.param(torch_losses, "torch.nn.functional", {}, id="torch.nn.functional"),
        pytest.param(optax_optimizers, "optax", {}, id="optax"),
        pytest.param(lambda: functions_of(optax.losses), "optax", {}, id="optax.losses"),
        pytest.param(
            lambda: functions_of(optax.schedules), "optax",
            {"inject_hyperparams": "every hyperparameter is live", "inject_stateful_hyperparams": "every hyperparameter is live"},
            id="optax.schedules",
        ),
        pytest.param(
            lambda: (n for n in functions_of(optax.contrib) if not n.startswith(BUILDING_BLOCK)), "optax",
            {
                "differentially_private_aggregate": "the first half of dpsgd",
                "hutchinson_estimator_diag_hessian": "what sophia is given; each backend has a helper",
                "schedule_free_eval_params": "eval_params of the optimizer",
                "split_real_and_imaginary": "complex parameters are not taken",
            },
            id="optax.contrib",
        ),
        pytest.param(
            lambda: (n for n in optax_transforms() if n in OPTAX_NOT_OURS or not n.startswith(BUILDING_BLOCK)), "optax", OPTAX_NOT_OURS,
            id="optax.transforms",
        ),
    ],
)  # fmt: skip
def test_everything_upstream_is_here_or_has_a_reason(offered: Callable[[], Iterator[str]], prefix: str, not_ours: dict[str, str]) -> None:
    there = set(offered())
    assert there, "nothing was found upstream: the test looks in the wrong place"
    assert there - last_words(prefix) == set(not_ours), "upstream offers what no definition's `elsewhere` names, or a reason is out of date"


def test_everything_in_keras_is_here_or_has_a_reason() -> None:
    with keras_originals.keras_on_jax() as keras:
        base = keras.optimizers.Optimizer
        there = {n for n, c in inspect.getmembers(keras.optimizers, inspect.isclass) if issubclass(c, base) and c is not base}
    assert there - last_words("keras.optimizers") == set(KERAS_NOT_OURS)
