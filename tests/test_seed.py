"""The owner's document, snippet by snippet: as it stands with PyTorch, and its counterpart with Flax."""

from __future__ import annotations

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from flax import nnx
from torch import nn

import lossopt
from lossopt import (
    AdvancedLossOptimizationExamples,
    CustomLossOptimizationSchemes,
    LearningRateSchedulers,
    LossFunctions,
    LossOptimizationAnalyzer,
    Optimizers,
)
from lossopt.errors import ArgumentError, InputError, UnknownNameError

RANDOM = np.random.default_rng(0)


def arrays(framework: str, *shape: int, classes: int = 10):
    """Predictions (or data) of this shape, and one label for each row."""
    x, y = RANDOM.standard_normal(shape).astype(np.float32), RANDOM.integers(0, classes, shape[0])
    return (torch.from_numpy(x), torch.from_numpy(y)) if framework == "torch" else (jnp.asarray(x), jnp.asarray(y))


def perceptron(framework: str, *sizes: int):
    """Linear layers with rectifiers between them, as the document builds them."""
    if framework == "torch":
        torch.manual_seed(0)
        layers = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*layers[:-1])
    rngs = nnx.Rngs(0)
    layers = [part for a, b in itertools.pairwise(sizes) for part in (nnx.Linear(a, b, rngs=rngs), nnx.relu)]
    return nnx.Sequential(*layers[:-1])


@functools.cache
def flax_step(loss_fn):
    @nnx.jit
    def step(model, optimizer, data, targets):
        loss, grads = nnx.value_and_grad(lambda m: loss_fn(m(data), targets))(model)
        optimizer.update(model, grads)
        return loss

    return step


def train_step(model, loss_fn, optimizer, data, targets) -> float:
    """One step of each framework's usual loop."""
    if isinstance(model, nn.Module):
        optimizer.zero_grad()
        loss = loss_fn(model(data), targets)
        loss.backward()
        optimizer.step()
        return loss.item()
    return float(flax_step(loss_fn)(model, optimizer, data, targets))


BOTH = pytest.mark.parametrize("framework", ["torch", "flax"])


# ------------------------------------------------------------------------------------------------- quick start
@BOTH
def test_basic_loss_function_usage(framework):
    predictions, targets = arrays(framework, 100, 10)
    ce_loss = LossFunctions.cross_entropy_loss(predictions, targets)
    focal_loss = LossFunctions.focal_loss(predictions, targets)
    assert ce_loss.item() > focal_loss.item() > 0
    one_hot = {"torch": "torch.nn.functional.one_hot(targets, 10).float()", "flax": "jax.nn.one_hot(targets, 10)"}[framework]
    with pytest.raises(InputError) as raised:  # the document's own call; PyTorch: "size of tensor a (10) must match b (100)"
        LossFunctions.huber_loss(predictions, targets)
    assert str(raised.value) == (
        f"huber_loss: predictions are compared with numbers, and targets look like class labels, {targets.dtype!s} of shape (100,) "
        f"for predictions of shape (100, 10); use cross_entropy, or write {one_hot}"
    ).replace("torch.int64", "int64")
    corrected = nn.functional.one_hot(targets, 10).float() if framework == "torch" else jax.nn.one_hot(targets, 10)  # what it says
    assert 0 < LossFunctions.huber_loss(predictions, corrected).item() < 10


@BOTH
def test_basic_optimizer_usage(framework):
    model = perceptron(framework, 100, 200, 10)
    made = [Optimizers.sgd_optimizer(model, lr=0.01, momentum=0.9), Optimizers.adam_optimizer(model, lr=0.001),
            Optimizers.adamw_optimizer(model, lr=0.001)]  # fmt: skip
    if framework == "torch":
        assert [type(o) for o in made] == [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW]
    else:
        assert [type(o) for o in made] == [nnx.Optimizer] * 3
        assert [o.tx.spec.definition.name for o in made] == ["sgd", "adam", "adamw"]


@BOTH
def test_learning_rate_scheduler_usage(framework):
    optimizer = Optimizers.adam_optimizer(perceptron(framework, 100, 200, 10), lr=0.001)
    step = LearningRateSchedulers.step_scheduler(optimizer, step_size=30, gamma=0.1)
    cosine = LearningRateSchedulers.cosine_scheduler(optimizer, T_max=100)
    plateau = LearningRateSchedulers.reduce_lr_on_plateau_scheduler(optimizer, patience=10)
    assert [type(s).__name__ for s in (step, cosine, plateau)] == ["Scheduler", "Scheduler", "PlateauScheduler"]


@BOTH
def test_task_specific_schemes(framework):
    model = perceptron(framework, 20, 30, 10)
    made = {
        "cross_entropy": CustomLossOptimizationSchemes.classification_scheme(model, num_classes=10),
        "mse_loss": CustomLossOptimizationSchemes.regression_scheme(model, loss_type="mse"),
        "dice_ce_loss": CustomLossOptimizationSchemes.segmentation_scheme(model, num_classes=5),
        "triplet_margin_loss": CustomLossOptimizationSchemes.metric_learning_scheme(model),
    }
    for name, (loss_fn, optimizer, scheduler) in made.items():
        assert loss_fn.__name__ == name
        assert type(optimizer).__name__ == {"torch": "AdamW", "flax": "Optimizer"}[framework]
        if framework == "torch":
            optimizer.step()
        scheduler.step()


# ------------------------------------------------------------------------------------------------- advanced features
@BOTH
def test_loss_landscape_analysis(framework):
    model, batch = perceptron(framework, 20, 50, 10), arrays(framework, 100, 20)
    found = LossOptimizationAnalyzer.analyze_loss_landscape(model, *batch, LossFunctions.cross_entropy_loss, num_points=100)
    assert found["loss_range"][0] < found["current_loss"] < found["loss_range"][1]
    assert found["loss_std"] < 1.0


@BOTH
def test_gradient_flow_analysis(framework):
    model = perceptron(framework, 20, 50, 10)
    found = LossOptimizationAnalyzer.analyze_gradient_flow(model, LossFunctions.cross_entropy_loss, *arrays(framework, 100, 20))
    assert found["total_gradient_norm"] > 1e-6
    assert found["loss_value"] > 0
    assert len(found["gradient_stats"]) == 4
    squares = sum(stats["norm"] ** 2 for stats in found["gradient_stats"].values())
    assert squares == pytest.approx(found["total_gradient_norm"] ** 2, rel=1e-9)
    assert all(abs(stats["mean"]) < stats["norm"] for stats in found["gradient_stats"].values())


@BOTH
def test_optimization_convergence_analysis(framework):
    model, (data, targets) = perceptron(framework, 20, 50, 10), arrays(framework, 100, 20)
    loss_fn, optimizer = LossFunctions.cross_entropy_loss, Optimizers.adam_optimizer(model, lr=0.001)
    losses, told = [], []
    for epoch in range(50):
        losses.append(train_step(model, loss_fn, optimizer, data, targets))
        if epoch % 10 == 0:
            told.append(LossOptimizationAnalyzer.check_optimization_convergence(losses, patience=10, tolerance=1e-6)["converged"])
    assert told == [False] * 5
    assert losses[-1] < losses[0]


@BOTH
def test_custom_loss_functions(framework):
    def custom_combined_loss(predictions, targets, alpha=0.5):
        return alpha * LossFunctions.cross_entropy_loss(predictions, targets) + (1 - alpha) * LossFunctions.focal_loss(predictions, targets)

    batch = arrays(framework, 100, 10)
    expected = custom_combined_loss(*batch, alpha=0.7).item()
    by_function = LossFunctions.custom_loss(custom_combined_loss, alpha=0.7)
    assert (by_function.__name__, by_function(*batch).item()) == ("custom_combined_loss", expected)
    by_weights = LossFunctions.custom_loss({"cross_entropy": 0.7, "focal_loss": 0.3})
    assert by_weights(*batch).item() == pytest.approx(expected, rel=1e-6)
    by_name = LossFunctions.custom_loss("focal_loss", gamma=0.0)
    assert by_name(*batch).item() == pytest.approx(LossFunctions.cross_entropy_loss(*batch).item(), rel=1e-6)


# ------------------------------------------------------------------------------------------------- models, debugging
class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.output = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.rnn(x)[0][:, -1])


class FlaxRecurrent(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.rnn, self.output = nnx.RNN(nnx.OptimizedLSTMCell(8, 16, rngs=rngs)), nnx.Linear(16, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.output(self.rnn(x)[:, -1])


@BOTH
def test_integration_with_a_recurrent_model(framework):
    torch.manual_seed(0)
    model, (data, targets) = Recurrent() if framework == "torch" else FlaxRecurrent(), arrays(framework, 16, 6, 8, classes=5)
    loss_fn, optimizer, scheduler = CustomLossOptimizationSchemes.classification_scheme(model, num_classes=5, lr=1e-2, steps=20)
    losses = []
    for epoch in range(20):
        losses.append(train_step(model, loss_fn, optimizer, data, targets))
        scheduler.step()
        if LossOptimizationAnalyzer.check_optimization_convergence(losses)["converged"]:
            pytest.fail(f"converged at epoch {epoch}, while the loss falls")
    assert losses[-1] < 0.9 * losses[0]
    assert LossOptimizationAnalyzer.analyze_gradient_flow(model, loss_fn, data, targets)["total_gradient_norm"] > 0


@BOTH
def test_outputs_of_a_sequence_model_have_their_classes_last(framework):
    outputs, _ = arrays(framework, 2, 6, 1000)
    tokens = RANDOM.integers(0, 1000, (2, 6))
    tokens = torch.from_numpy(tokens) if framework == "torch" else jnp.asarray(tokens)
    loss_fn, *_ = CustomLossOptimizationSchemes.classification_scheme(perceptron(framework, 2, 2), num_classes=1000)
    assert loss_fn(outputs, tokens).item() == lossopt.get_loss("cross_entropy", axis=-1)(outputs, tokens).item()


@BOTH
def test_debugging_tools_on_an_instance(framework):
    analyzer, model, batch = LossOptimizationAnalyzer(), perceptron(framework, 20, 50, 10), arrays(framework, 100, 20)
    landscape = analyzer.analyze_loss_landscape(model, *batch, LossFunctions.cross_entropy_loss)
    gradients = analyzer.analyze_gradient_flow(model, LossFunctions.cross_entropy_loss, *batch)
    convergence = analyzer.check_optimization_convergence([1.0, 0.5])
    assert landscape["loss_variance"] == pytest.approx(landscape["loss_std"] ** 2, rel=1e-12)
    assert gradients["loss_value"] == pytest.approx(landscape["current_loss"], rel=1e-6)
    assert convergence["converged"] is False


# ------------------------------------------------------------------------------------------------- the document's tests
@BOTH
def test_cross_entropy_loss(framework):
    loss = LossFunctions.cross_entropy_loss(*arrays(framework, 10, 5, classes=5))
    assert loss.item() > 0
    assert not np.isnan(loss.item())


def test_optimizer_creation():
    optimizer = Optimizers.adam_optimizer(nn.Linear(10, 5), lr=0.001)
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.param_groups[0]["lr"] == 0.001


def test_optimizer_creation_in_flax():
    optimizer = Optimizers.adam_optimizer(nnx.Linear(10, 5, rngs=nnx.Rngs(0)), lr=0.001)
    assert isinstance(optimizer.tx, optax.GradientTransformationExtraArgs)
    assert optimizer.opt_state.hyperparams["learning_rate"][...] == np.float32(0.001)


@BOTH
def test_training_pipeline(framework):
    model, (data, targets) = perceptron(framework, 10, 5, 2), arrays(framework, 100, 10, classes=2)
    loss_fn, optimizer, scheduler = CustomLossOptimizationSchemes.classification_scheme(model, num_classes=2)
    loss = train_step(model, loss_fn, optimizer, data, targets)
    scheduler.step()
    assert loss > 0


# ------------------------------------------------------------------------------------------------- every method
PAIR = (8, 4)


def call(framework: str, method: str):
    (x, labels), (other, _) = arrays(framework, *PAIR, classes=4), arrays(framework, *PAIR)
    third, _ = arrays(framework, *PAIR)
    signs = (labels % 2) * 2 - 1
    log_softmax, softmax = (torch.log_softmax, torch.softmax) if framework == "torch" else (jax.nn.log_softmax, jax.nn.softmax)
    inputs = {
        "dice_loss": (x[:, :, None], labels[:, None]),
        "kl_divergence_loss": (log_softmax(x, -1), softmax(other, -1)),
        "cosine_embedding_loss": (x, other, signs),
        "triplet_loss": (x, other, third),
        "contrastive_loss": (x, other, labels % 2),
        "cross_entropy_loss": (x, labels),
        "focal_loss": (x, labels),
    }
    return getattr(LossFunctions, method)(*inputs.get(method, (x, other)))


LOSSES = ("cross_entropy_loss", "focal_loss", "mse_loss", "mae_loss", "huber_loss", "smooth_l1_loss", "dice_loss", "kl_divergence_loss",
          "cosine_embedding_loss", "triplet_loss", "contrastive_loss")  # fmt: skip


@BOTH
@pytest.mark.parametrize("method", LOSSES)
def test_every_loss_gives_one_positive_number(framework, method):
    loss = call(framework, method)
    assert tuple(loss.shape) == ()
    assert 0 < loss.item() < 10


def test_kl_divergence_is_per_sample():
    x, t = torch.log_softmax(torch.randn(6, 4), -1), torch.softmax(torch.randn(6, 4), -1)
    expected = nn.functional.kl_div(x, t, reduction="batchmean").item()
    assert LossFunctions.kl_divergence_loss(x, t).item() == pytest.approx(expected, rel=1e-6)


OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adadelta": "Adadelta",
              "lion": "RuleOptimizer"}  # fmt: skip


@BOTH
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_the_model(framework, name):
    model, batch = perceptron(framework, 20, 50, 10), arrays(framework, 64, 20)
    optimizer = getattr(Optimizers, f"{name}_optimizer")(model)
    assert type(optimizer).__name__ == (OPTIMIZERS[name] if framework == "torch" else "Optimizer")
    losses = [train_step(model, LossFunctions.cross_entropy_loss, optimizer, *batch) for _ in range(4)]
    assert losses[-1] < losses[0]


@BOTH
@pytest.mark.parametrize("given", ["name", "spec", "function", "entries"])
def test_custom_optimizer(framework, given):
    own = torch.optim.SGD if framework == "torch" else lambda lr: optax.inject_hyperparams(optax.sgd)(learning_rate=lr)
    choices = {"name": ("sgd", {"lr": 0.1}), "spec": (lossopt.optimizers.sgd(lr=0.1), {}), "function": (own, {"lr": 0.1}),
               "entries": ({"name": "sgd", "lr": 0.1}, {})}  # fmt: skip
    optimizer, hyperparameters = choices[given]
    model, batch = perceptron(framework, 20, 10), arrays(framework, 64, 20)
    made = Optimizers.custom_optimizer(model, optimizer, **hyperparameters)
    reference_model = perceptron(framework, 20, 10)
    reference = Optimizers.sgd_optimizer(reference_model, lr=0.1)
    for m, o in ((model, made), (reference_model, reference)):
        train_step(m, LossFunctions.cross_entropy_loss, o, *batch)
    after = [LossFunctions.cross_entropy_loss(m(batch[0]), batch[1]).item() for m in (model, reference_model)]
    assert after[0] == pytest.approx(after[1], rel=1e-6)


SCHEDULERS = {"step": {"step_size": 2}, "exponential": {}, "cosine": {"T_max": 8}, "cosine_warm_restart": {"T_0": 3},
              "one_cycle": {"total_steps": 9}}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_sets_the_same_learning_rates_in_both(name):
    more = {"cycle_momentum": False} if name == "one_cycle" else {}
    seen = {}
    for framework in ("torch", "flax"):
        optimizer = Optimizers.adam_optimizer(perceptron(framework, 4, 2), lr=0.01)
        scheduler = getattr(LearningRateSchedulers, f"{name}_scheduler")(optimizer, **SCHEDULERS[name], **more)
        seen[framework] = []
        for _ in range(8):
            live = optimizer.param_groups[0]["lr"] if framework == "torch" else optimizer.opt_state.hyperparams["learning_rate"][...].item()
            seen[framework].append((scheduler.get_last_lr()[0], np.float32(live)))
            if framework == "torch":
                optimizer.step()
            scheduler.step()
    assert seen["torch"] == seen["flax"]
    assert len({lr for lr, _ in seen["torch"]}) > 2


def test_plateau_scheduler_in_both():
    seen = {}
    for framework in ("torch", "flax"):
        optimizer = Optimizers.adam_optimizer(perceptron(framework, 4, 2), lr=0.01)
        scheduler = LearningRateSchedulers.reduce_lr_on_plateau_scheduler(optimizer, patience=1, factor=0.5)
        seen[framework] = []
        for metric in (3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0):
            scheduler.step(metric)
            seen[framework].append(scheduler.get_last_lr()[0])
    assert seen["torch"] == seen["flax"] == [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025]


@BOTH
def test_custom_scheduler(framework):
    for given, hyperparameters in ((lambda step: 0.5**step, {}), ("exponential", {"gamma": 0.5})):
        optimizer = Optimizers.adam_optimizer(perceptron(framework, 4, 2), lr=0.01)
        scheduler = LearningRateSchedulers.custom_scheduler(optimizer, given, **hyperparameters)
        if framework == "torch":
            optimizer.step()
        scheduler.step()
        assert scheduler.get_last_lr() == [0.005]


def test_one_cycle_in_jax_says_that_its_momentum_is_not_live():
    optimizer = Optimizers.adam_optimizer(nnx.Linear(2, 1, rngs=nnx.Rngs(0)))
    with pytest.raises(ArgumentError) as raised:
        LearningRateSchedulers.one_cycle_scheduler(optimizer)
    assert str(raised.value) == (
        "one_cycle: in JAX only the learning rate of an optimizer is live, and one_cycle cycles momentum too: write "
        "cycle_momentum=False, or give both schedules to the optimizer: lr=s, momentum=s.momentum"
    )


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        pytest.param(lambda: Optimizers.adam_optimizer(nn.Linear(2, 1).parameters()), InputError,
                     "a model is a torch.nn.Module, a flax.nnx.Module or a tree of JAX parameters, got generator; "
                     "give the model itself, not model.parameters()", id="parameters"),
        pytest.param(lambda: LearningRateSchedulers.step_scheduler(nn.Linear(2, 1)), ArgumentError,
                     "step drives a torch.optim.Optimizer, got Linear: get_schedule('step', 'torch', optimizer=optimizer, ...)",
                     id="no optimizer"),
        pytest.param(lambda: LearningRateSchedulers.step_scheduler(3), InputError,
                     "a scheduler drives a torch.optim.Optimizer or an nnx.Optimizer, got int", id="a number"),
        pytest.param(lambda: Optimizers.custom_optimizer(nn.Linear(2, 1), "adamww"), UnknownNameError,
                     "unknown optimizer 'adamww'; did you mean 'adamw'? (lossopt list optimizers shows all)", id="unknown optimizer"),
        pytest.param(lambda: Optimizers.custom_optimizer(nn.Linear(2, 1), 3), ArgumentError,
                     "an optimizer is a name such as 'adamw', a spec such as adamw(lr=1e-3) or a function, got 3", id="optimizer 3"),
        pytest.param(lambda: LossFunctions.custom_loss({}), ArgumentError,
                     "a sum of losses is {name: weight, ...}, with at least one name and no hyperparameters beside it; "
                     "for those add losses: 0.7 * get_loss('focal_loss', gamma=1.0) + ...", id="empty sum"),
    ],
)  # fmt: skip
def test_errors_say_what_to_type(run, error, message):
    with pytest.raises(error) as raised:
        run()
    assert str(raised.value) == message


# ------------------------------------------------------------------------------------------------- demonstrations
def test_demonstrations_print_and_return_what_they_measured(capsys, monkeypatch):
    monkeypatch.setattr("lossopt.demonstrations.STEPS", 5)
    losses = LossFunctions.demonstrate_loss_optimization()
    assert losses["values"]["focal_loss"]["torch"] == pytest.approx(losses["values"]["focal_loss"]["jax"], rel=1e-6)
    examples = AdvancedLossOptimizationExamples(("torch",), steps=5)  # in JAX each training is compiled anew
    found = examples.run_all_advanced_examples()
    assert set(found) == {"task_specific_schemes", "custom_model_integration", "optimizers", "schedulers"}
    assert set(found["custom_model_integration"]) == {"mlp, torch", "cnn, torch"}
    assert all(len(row["losses"]) == 5 for rows in found.values() for row in rows.values())
    printed = capsys.readouterr().out
    assert "Schemes by task, 5 steps" in printed
    assert "held-out accuracy" in printed


def test_custom_model_integration_takes_models(capsys):
    x, y = RANDOM.standard_normal((40, 20)).astype(np.float32), RANDOM.integers(0, 3, 40)
    models = {f: (perceptron(f, 20, 8, 3), x, y, 3) for f in ("torch", "flax")}
    found = AdvancedLossOptimizationExamples(steps=30).demonstrate_custom_model_integration(models)
    assert set(found) == {"torch", "flax"}
    assert all(row["losses"][-1] < row["losses"][0] for row in found.values())
    assert "Sequential" in capsys.readouterr().out
