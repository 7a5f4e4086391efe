"""What there is by name: folders, aliases, backends, and the errors of the verbs, word for word."""

from __future__ import annotations

import copy
import importlib.metadata
import re

import numpy as np
import pytest
from specs import own

import lossopt
from lossopt import errors, registry
from lossopt.definition import Definition

KINDS = ("loss", "optimizer", "schedule", "transform")
EVERY = [(kind, name) for kind in KINDS for name in own(kind)]
IDS = [f"{k}-{n}" for k, n in EVERY]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=IDS)
def test_a_name_is_a_definition_of_its_folder(kind, name):
    definition = registry.definition(name, kind)
    assert isinstance(definition, Definition)
    assert (definition.name, definition.kind) == (name, kind)
    folder = getattr(lossopt, registry.FOLDERS[kind].rpartition(".")[2])
    assert getattr(folder, name) is definition
    assert name in dir(folder)
    assert definition.text.__module__.startswith(registry.FOLDERS[kind])


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=IDS)
def test_a_definition_survives_a_copy(kind, name):
    definition = registry.definition(name, kind)
    assert copy.deepcopy(definition) is definition
    assert copy.copy(definition) is definition


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=IDS)
def test_defaults_are_in_their_own_range_under_every_convention(kind, name):
    from lossopt import hyper

    definition = registry.definition(name, kind)
    for convention in definition.conventions:
        for given, value in definition.defaults_of(convention).items():
            if value is not hyper.REQUIRED:
                hyper.check(name, given, value, definition.annotations[given])


def test_names_are_unique_over_all_kinds():
    names = [name for _, name in EVERY]
    assert sorted(names) == sorted(set(names))


def test_lists_take_a_glob():
    assert lossopt.list_optimizers("nadam*") == ["nadam", "nadamw"]
    assert lossopt.list_schedules("cosine*") == ["cosine", "cosine_warm_restarts"]
    assert lossopt.list_losses("cross*") == ["cross_entropy"]
    assert lossopt.list_transforms("nothing*") == []


@pytest.mark.parametrize(
    ("alias", "kind", "name"),
    [
        ("AdamW", "optimizer", "adamw"),
        ("torch.optim.AdamW", "optimizer", "adamw"),
        ("optax.lion", "optimizer", "lion"),
        ("SGD", "optimizer", "sgd"),
        ("CrossEntropyLoss", "loss", "cross_entropy"),
        ("softmax_cross_entropy_with_integer_labels", "loss", "cross_entropy"),
        ("MSELoss", "loss", "mse_loss"),
        ("StepLR", "schedule", "step"),
        ("OneCycleLR", "schedule", "one_cycle"),
        ("CosineAnnealingWarmRestarts", "schedule", "cosine_warm_restarts"),
        ("ReduceLROnPlateau", "schedule", "reduce_on_plateau"),
        ("clip_grad_norm_", "transform", "clip_by_global_norm"),
    ],
)
def test_foreign_names_are_understood(alias, kind, name):
    assert registry.definition(alias, kind).name == name


@pytest.mark.parametrize("kind", KINDS)
def test_no_alias_hides_a_name_of_ours(kind):
    assert set(registry.aliases(kind)) & {name for k, name in EVERY if k == kind} == set()


@pytest.mark.parametrize(
    ("where", "dotted", "names"),
    [
        ("optax.adamw; weight_decay 1e-4 by default", True, ["optax.adamw"]),
        ("torch.nn.functional.l1_loss, torch.nn.L1Loss; of the mean", True, ["torch.nn.functional.l1_loss", "torch.nn.L1Loss"]),
        ("nothing of the kind", True, []),
        ("cross_entropy_loss, nll", False, ["cross_entropy_loss", "nll"]),
    ],
)
def test_foreign_names_are_read_from_elsewhere(where, dotted, names):
    assert registry.foreign_names(where, dotted=dotted) == names


# ------------------------------------------------------------------------------------------------- backends
def test_the_three_backends_are_known_without_entry_points():
    assert list(registry.BUILT_IN) == ["numpy", "jax", "torch"]


def test_another_package_offers_a_backend_by_entry_point(monkeypatch):
    entry = importlib.metadata.EntryPoint("mlx", "lossopt_numpy", "lossopt.backends")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry] if group == "lossopt.backends" else [])
    registry.backends.cache_clear()
    try:
        assert registry.backend("mlx").package == "lossopt_numpy"
        optimizer = lossopt.get_optimizer("sgd", backend="mlx", lr=1.0)
        assert optimizer.update(np.ones(1), optimizer.init(np.zeros(1)), np.zeros(1))[0] == [-1.0]
    finally:
        registry.backends.cache_clear()


def test_a_backend_whose_framework_is_missing_says_what_to_install():
    absent = registry.Backend("torch", "no_such_package", ("no_such_framework",))
    with pytest.raises(errors.MissingBackendError) as caught:
        _ = absent.optimizers
    assert str(caught.value) == "backend 'torch' needs no_such_framework, which is not installed: pip install 'lossopt[torch]'"


# ------------------------------------------------------------------------------------------------- errors, word for word
def made(**changes):
    return lambda: lossopt.get_optimizer("adam", "numpy", **changes)


ERRORS = {
    "typo": (lambda: lossopt.get_optimizer("adamww", "numpy"), errors.UnknownNameError,
             "unknown optimizer 'adamww'; did you mean 'adamw'? (lossopt list optimizers shows all)"),
    "no such loss": (lambda: lossopt.get_loss("cross_entrpy"), errors.UnknownNameError,
                     "unknown loss 'cross_entrpy'; did you mean 'cross_entropy'? (lossopt list losses shows all)"),
    "no such schedule": (lambda: lossopt.get_schedule("cosin"), errors.UnknownNameError,
                         "unknown schedule 'cosin'; did you mean 'cosine'? (lossopt list schedules shows all)"),
    "nothing near": (lambda: lossopt.get_optimizer("zzz", "numpy"), errors.UnknownNameError,
                     "unknown optimizer 'zzz' (lossopt list optimizers shows all)"),
    "no name": (lambda: lossopt.get_optimizer(None, "numpy"), errors.UnknownNameError,
                "an optimizer is a name such as 'adamw' or a spec such as adamw(lr=1e-3), got None"),
    "pytorch": (lambda: lossopt.get_optimizer("adam", "pytorch"), errors.UnknownNameError,
                "unknown backend 'pytorch'; did you mean 'torch'? It is one of: numpy, jax, torch"),
    "no backend": (lambda: lossopt.get_optimizer("adam", "zzz"), errors.UnknownNameError,
                   "unknown backend 'zzz'. It is one of: numpy, jax, torch"),
    "convention": (made(convention="optaxx"), errors.UnknownNameError,
                   "adam has no convention 'optaxx'; did you mean 'optax'? It has: torch, optax, keras"),
    "range": (made(lr=-0.1), errors.HyperparameterError, "adam: lr must be positive or zero, and finite, got -0.1"),
    "string": (made(lr="1e-3"), errors.HyperparameterError,
               "adam: lr must be a number, got '1e-3', a string: write 1e-3 without quotes"),
    "in a tuple": (made(betas=(0.9, 1.0)), errors.HyperparameterError, "adam: betas[1] must be in [0, 1), got 1.0"),
    "no tuple": (made(betas=0.9), errors.HyperparameterError, "adam: betas must be 2 numbers, each in [0, 1), got 0.9"),
    "switch": (made(amsgrad=1), errors.HyperparameterError, "adam: amsgrad must be True or False, got 1"),
    "choice": (made(amsgrad_max="x"), errors.HyperparameterError, "adam: amsgrad_max must be 'raw' or 'corrected', got 'x'"),
    "twice": (made(b1=0.9, betas=(0.9, 0.9)), errors.ArgumentError, "adam() got betas twice: as 'b1' and as 'betas'"),
    "a loss": (lambda: lossopt.get_optimizer(lossopt.losses.mse_loss, "numpy"), errors.ArgumentError,
               "mse_loss is no optimizer but a loss: use get_loss"),
    "an optimizer": (lambda: lossopt.get_loss(lossopt.optimizers.adam), errors.ArgumentError,
                     "adam is no loss but an optimizer: use get_optimizer"),
    "a transform": (lambda: lossopt.get_schedule(lossopt.transforms.ema), errors.ArgumentError,
                    "ema is no schedule but a transform: use get_optimizer"),
    "filled in twice": (lambda: lossopt.get_optimizer(lossopt.optimizers.adam(), "numpy", lr=1.0), errors.ArgumentError,
                        "adam() has its hyperparameters already; got also lr"),
    "wraps nothing": (lambda: lossopt.optimizers.adam(lossopt.optimizers.sgd()), errors.ArgumentError,
                      "adam() wraps nothing; compose with chain(adam(...), ...)"),
    "wraps something": (lambda: lossopt.transforms.ema(), errors.ArgumentError,
                        "ema() wraps another optimizer: ema(adamw(lr=1e-3))"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors_word_for_word(case):
    call, kind, message = ERRORS[case]
    with pytest.raises(kind) as caught:
        call()
    assert re.sub(r" as 'betas' and as 'b1'", " as 'b1' and as 'betas'", str(caught.value)) == message


def test_an_unknown_argument_suggests_and_lists():
    with pytest.raises(errors.ArgumentError) as caught:
        lossopt.get_optimizer("lion", "numpy", lerning_rate=1)
    takes = ", ".join(lossopt.optimizers.lion.defaults)
    assert str(caught.value).endswith(f"It takes: {takes}")
    assert str(caught.value).startswith("lion() has no 'lerning_rate'")


def test_a_name_that_is_taken():
    def adam(ops, grad, state, param, *, lr=0.1):
        return -lr * grad, state

    with pytest.raises(errors.ArgumentError) as caught:
        lossopt.optimizer(adam)
    assert str(caught.value) == "the name 'adam' is taken by lossopt.optimizers.adam; give yours another"
    assert registry.definition("adam").text.__module__ == "lossopt.optimizers.adam"
