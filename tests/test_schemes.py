"""Schemes by task: what they are made of, how each part is replaced, and that their defaults train on real data."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from torch import nn

import lossopt
from lossopt import demonstrations, registry
from lossopt.errors import ArgumentError, HyperparameterError, InputError
from lossopt.schemes import classification_scheme, metric_learning_scheme, regression_scheme, segmentation_scheme
from lossopt.tasks import get_task

BOTH = pytest.mark.parametrize("framework", ["torch", "jax"])


def linear(framework: str, inputs: int = 4, outputs: int = 3):
    return nn.Linear(inputs, outputs) if framework == "torch" else nnx.Linear(inputs, outputs, rngs=nnx.Rngs(0))


def array(framework: str, x):
    return torch.tensor(np.asarray(x)) if framework == "torch" else jnp.asarray(x)


# ------------------------------------------------------------------------------------------------- they train
TRAINED = {
    "classification": ("digits", None, {}, {}, 0.93),
    "regression": ("diabetes", None, {}, {}, 0.40),
    "metric learning": ("digits_triplets", "digits", {"batch": 32}, {}, 0.90),
    "metric learning, pairs": ("digits_triplets", "digits", {}, {"loss_type": "contrastive"}, 0.90),
    "segmentation": ("digits_segmentation", None, {"batch": 16, "steps": 300}, {}, 0.60),
}
MAKE = {"classification": demonstrations._classification, "regression": demonstrations._regression,
        "segmentation": demonstrations._segmentation, "metric learning": demonstrations._metric}  # fmt: skip


@BOTH
@pytest.mark.parametrize("known", [True, False], ids=["steps known", "steps unknown"])
@pytest.mark.parametrize("name", TRAINED)
def test_the_defaults_train(framework, name, known):
    task, data, how, parts, least = TRAINED[name]
    part = registry.backend(framework).part("loop")
    task = get_task(task)
    found = get_task(data).data() if data else task.data()
    model = part.build(task.models, task.sizes, 0)
    steps = how.get("steps", 200)
    scheme = MAKE[name.partition(",")[0]](model, **parts, **({"steps": steps} if known else {}))
    losses = part.fit(model, scheme, *found.train, demonstrations.batches(len(found.train[0]), how.get("batch", 64), steps))
    assert losses[-1] < losses[0] / 2
    assert task.score(part.predict(model, found.test[0]), found.test[1]) > least


# ------------------------------------------------------------------------------------------------- what they are made of
@BOTH
def test_steps_is_half_a_cosine_and_stays_at_its_end(framework):
    _, optimizer, scheduler = classification_scheme(linear(framework), 3, steps=4, lr=0.1)
    seen = []
    for _ in range(7):
        seen.append(scheduler.get_last_lr()[0])
        if framework == "torch":
            optimizer.step()
        scheduler.step()
    assert seen == pytest.approx([0.1, 0.1 * (2 + 2**0.5) / 4, 0.05, 0.1 * (2 - 2**0.5) / 4, 0, 0, 0], abs=1e-9)


@BOTH
def test_unknown_steps_never_end_at_nothing(framework):
    scheduler = classification_scheme(linear(framework), 3).scheduler
    assert repr(scheduler) == f"{framework} scheduler cosine_warm_restarts(T_0=20, T_mult=2)"


PARTS = {
    "loss by name": ({"loss": "focal_loss"}, "focal_loss"),
    "loss with hyperparameters": ({"loss": {"name": "focal_loss", "gamma": 0.5}}, "focal_loss(gamma=0.5) over 3 classes"),
    "loss": ({"loss": lossopt.get_loss("cross_entropy", label_smoothing=0.1)}, "cross_entropy(label_smoothing=0.1)"),
    "axis": ({"loss": {"name": "cross_entropy", "axis": -1}}, "cross_entropy(axis=-1)"),
}


@pytest.mark.parametrize("given", PARTS)
def test_the_loss_is_replaced(given):
    parts, told = PARTS[given]
    assert told in repr(classification_scheme(linear("torch"), 3, **parts).loss_fn)


@BOTH
def test_a_function_is_a_loss(framework):
    def mine(outputs, targets):
        return (outputs * 0).sum()

    assert classification_scheme(linear(framework), 3, loss=mine).loss_fn is mine


@BOTH
@pytest.mark.parametrize("optimizer", ["lion", {"name": "lion", "lr": 0.5}, lossopt.optimizers.lion(lr=0.5)], ids=type)
def test_the_optimizer_is_replaced(framework, optimizer):
    made = classification_scheme(linear(framework), 3, optimizer=optimizer).optimizer
    spec = made.spec if framework == "torch" else made.tx.spec
    assert repr(spec) == ("lion()" if optimizer == "lion" else "lion(lr=0.5)")


SCHEDULERS = {"constant()": "constant", "step(step_size=7)": {"name": "step", "step_size": 7},
              "cosine(T_max=9)": lossopt.schedules.cosine(T_max=9)}  # fmt: skip


@BOTH
@pytest.mark.parametrize("told", SCHEDULERS)
def test_the_scheduler_is_replaced(framework, told):
    made = classification_scheme(linear(framework), 3, scheduler=SCHEDULERS[told]).scheduler
    assert repr(made) == f"{framework} scheduler {told}"


@pytest.mark.parametrize(("loss_type", "name"), [("mse", "mse_loss"), ("mae", "l1_loss"), ("huber", "huber_loss"),
                                                 ("smooth_l1", "smooth_l1_loss"), ("l1_loss", "l1_loss")])  # fmt: skip
def test_loss_types_of_regression(loss_type, name):
    assert regression_scheme(linear("torch"), loss_type).loss_fn.__name__ == name


# ------------------------------------------------------------------------------------------------- the class axis
@BOTH
@pytest.mark.parametrize(("shape", "axis"), [((6, 3), 1), ((6, 3, 5), 1), ((6, 5, 3), 2), ((6, 4, 4, 3), 3)], ids=str)
def test_the_class_axis_is_the_one_of_that_size(framework, shape, axis):
    generator = np.random.default_rng(0)
    outputs = array(framework, generator.standard_normal(shape, dtype=np.float32))
    labels = array(framework, generator.integers(0, 3, [n for i, n in enumerate(shape) if i != axis]))
    found = classification_scheme(linear(framework), 3).loss_fn(outputs, labels)
    assert found.item() == lossopt.get_loss("cross_entropy", axis=axis)(outputs, labels).item()


def test_where_two_axes_have_that_size_each_framework_has_its_own_custom():
    x = np.random.default_rng(0).standard_normal((2, 3, 3), dtype=np.float32)
    labels = np.array([[0, 1, 2], [2, 2, 0]])
    for framework, axis in (("torch", 1), ("jax", -1)):
        found = classification_scheme(linear(framework), 3).loss_fn(array(framework, x), array(framework, labels)).item()
        assert found == pytest.approx(float(lossopt.get_loss("cross_entropy", axis=axis)(x.astype(float), labels)), rel=1e-6)


def test_a_binary_mask_without_a_class_axis():
    outputs, mask = torch.randn(2, 4, 5), torch.randint(0, 2, (2, 4, 5))
    found = segmentation_scheme(linear("torch"), num_classes=1).loss_fn(outputs, mask)
    assert found.item() == lossopt.get_loss("dice_ce_loss", axis=None)(outputs, mask).item()


# ------------------------------------------------------------------------------------------------- metric learning
EMBEDDINGS = np.random.default_rng(0).standard_normal((7, 3))
LABELS = np.array([0, 1, 0, 2, 1, 0, 3])


def by_hand(loss: str) -> float:
    """The mean over every choice that the labels allow, one at a time, by the definition in float64."""
    definition, e, n = lossopt.get_loss(loss), EMBEDDINGS, range(len(LABELS))
    if loss == "contrastive_loss":
        return np.mean([float(definition(e[i], e[j], np.array(int(LABELS[i] == LABELS[j])))) for i in n for j in n if i < j])
    return np.mean([float(definition(e[a], e[p], e[k])) for a in n for p in n for k in n
                    if a != p and LABELS[a] == LABELS[p] and LABELS[a] != LABELS[k]])  # fmt: skip


@BOTH
@pytest.mark.parametrize(("loss_type", "loss"), [("triplet", "triplet_margin_loss"), ("contrastive", "contrastive_loss")])
def test_a_batch_makes_every_triplet_and_pair(framework, loss_type, loss):
    loss_fn = metric_learning_scheme(linear(framework), loss_type).loss_fn
    e, labels = array(framework, EMBEDDINGS.astype(np.float32)), array(framework, LABELS)
    assert loss_fn(e, labels).item() == pytest.approx(by_hand(loss), rel=1e-6)
    chosen = (e[:2], e[2:4], e[4:6]) if loss_type == "triplet" else (e[:2], e[2:4], labels[:2])
    assert loss_fn(*chosen).item() == lossopt.get_loss(loss)(*chosen).item()


@pytest.mark.parametrize("loss_type", ["triplet", "contrastive"])
def test_under_jit_the_labels_are_not_looked_at_and_nothing_is_compiled_again(loss_type):
    loss_fn = metric_learning_scheme(linear("jax"), loss_type).loss_fn
    traces = []

    @jax.jit
    def compiled(e, labels):
        traces.append(1)
        return loss_fn(e, labels)

    e = jnp.asarray(EMBEDDINGS, jnp.float32)
    for labels in (LABELS, LABELS[::-1].copy()):
        assert compiled(e, jnp.asarray(labels)).item() == pytest.approx(loss_fn(e, jnp.asarray(labels)).item(), rel=1e-6)
    assert len(traces) == 1


@BOTH
def test_a_batch_without_a_triplet_costs_nothing(framework):
    loss_fn = metric_learning_scheme(linear(framework)).loss_fn
    assert loss_fn(array(framework, EMBEDDINGS.astype(np.float32)), array(framework, np.arange(7))).item() == 0


# ------------------------------------------------------------------------------------------------- the scheduler in JAX
HALVED = {"optimizer": {"name": "sgd", "lr": 1.0}, "scheduler": {"name": "exponential", "gamma": 0.5}}


def test_the_learning_rate_is_live_and_the_update_is_compiled_once():
    model = nnx.Linear(2, 1, rngs=nnx.Rngs(0))
    _, optimizer, scheduler = regression_scheme(model, **HALVED)
    traces, moved = [], []

    @nnx.jit
    def update(model, optimizer):
        traces.append(1)
        optimizer.update(model, nnx.grad(lambda m: m.bias[...].sum())(model))

    for _ in range(4):
        before = model.bias[...].item()
        update(model, optimizer)
        moved.append(before - model.bias[...].item())
        scheduler.step()
    assert moved == [1.0, 0.5, 0.25, 0.125]
    assert len(traces) == 1


def test_a_tree_of_parameters_gets_a_transformation_whose_state_is_the_callers():
    params = {"params": {"kernel": jnp.ones((2, 1)), "bias": jnp.zeros(1)}}
    _, tx, scheduler = regression_scheme(params, **HALVED)
    assert isinstance(tx, optax.GradientTransformationExtraArgs)
    state = scheduler.apply(tx.init(params))
    grads = jax.tree.map(jnp.ones_like, params)
    for lr in (1.0, 0.5, 0.25):
        updates, state = tx.update(grads, state, params)
        assert updates["params"]["bias"].item() == -lr
        state = scheduler.step(state=state)
    with pytest.raises(ArgumentError) as raised:
        scheduler.step()
    assert str(raised.value) == "a transformation holds no state: write opt_state = scheduler.step(state=opt_state)"


def test_a_scheduler_goes_on_from_its_saved_numbers():
    def make():
        return classification_scheme(nnx.Linear(2, 3, rngs=nnx.Rngs(0)), 3, steps=10)

    _, _, first = make()
    for _ in range(3):
        first.step()
    _, optimizer, second = make()
    second.load_state_dict(first.state_dict())
    assert optimizer.opt_state.hyperparams["learning_rate"][...] == np.float32(first.get_last_lr()[0])
    first.step(), second.step()
    assert first.get_last_lr() == second.get_last_lr()


def test_an_optimizer_whose_rate_is_a_schedule_has_none_to_be_set():
    scheduled = lossopt.get_optimizer("sgd", "jax", lr=lossopt.schedules.cosine(lr=0.1, T_max=3))
    optimizer = nnx.Optimizer(linear("jax"), scheduled, wrt=nnx.Param)
    with pytest.raises(ArgumentError) as raised:
        lossopt.LearningRateSchedulers.step_scheduler(optimizer)
    assert str(raised.value) == (
        "this optimizer has no live learning rate: give it a number rather than a schedule, "
        "with lossopt.get_optimizer(..., backend='jax', lr=1e-3) or optax.inject_hyperparams"
    )


# ------------------------------------------------------------------------------------------------- errors
MODEL = nn.Linear(4, 3)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        pytest.param(lambda: classification_scheme(MODEL, 5).loss_fn(torch.zeros(6, 3), torch.zeros(6, dtype=torch.int64)), InputError,
                     "classification_scheme was made for 5 classes, but outputs of shape (6, 3) have no class axis of that size: "
                     "write num_classes=... as the model has them, or loss={'name': ..., 'axis': ...}", id="outputs of other classes"),
        pytest.param(lambda: classification_scheme(MODEL, 1), HyperparameterError,
                     "classification_scheme: num_classes must be a whole number, at least 2, got 1", id="one class"),
        pytest.param(lambda: classification_scheme(MODEL, 3, steps=0), HyperparameterError,
                     "steps must be a whole number, at least 1, got 0", id="no steps"),
        pytest.param(lambda: classification_scheme(MODEL, 3, steps=3, scheduler="constant"), ArgumentError,
                     "steps is the length of the scheme's own schedule; with another scheduler leave it out", id="steps and scheduler"),
        pytest.param(lambda: classification_scheme(MODEL, 3, loss={"gamma": 2.0}), ArgumentError,
                     "which loss? Write {'name': ..., 'gamma'}", id="loss without a name"),
        pytest.param(lambda: classification_scheme(MODEL, 3, optimizer={"lr": 2.0}), ArgumentError,
                     "which optimizer? Write {'name': ..., 'lr'}", id="optimizer without a name"),
        pytest.param(lambda: classification_scheme(MODEL, 3, loss=3), ArgumentError,
                     "a loss is a name such as 'cross_entropy' or a function (outputs, targets), got 3", id="loss 3"),
        pytest.param(lambda: classification_scheme(MODEL, 3, lr=-1.0), HyperparameterError,
                     "adamw: lr must be positive or zero, and finite, got -1.0", id="negative lr"),
        pytest.param(lambda: metric_learning_scheme(MODEL, "tripplet"), HyperparameterError,
                     "metric_learning_scheme: loss_type must be 'triplet' or 'triplets' or 'contrastive' or 'pairs', got 'tripplet'; "
                     "did you mean 'triplet'?", id="loss_type"),
        pytest.param(lambda: metric_learning_scheme(MODEL).loss_fn(torch.zeros(6, 3), torch.zeros(5)), InputError,
                     "triplet_margin_loss: embeddings (N, D) go with labels (N,), got (6, 3) and (5,)", id="labels of another batch"),
        pytest.param(lambda: metric_learning_scheme(MODEL).loss_fn(torch.zeros(2, 3), torch.zeros(2)), InputError,
                     "triplet_margin_loss: a batch of 2 makes no triplet; give at least 3 samples", id="two samples"),
    ],
)  # fmt: skip
def test_errors_say_what_to_type(run, error, message):
    with pytest.raises(error) as raised:
        run()
    assert str(raised.value) == message
