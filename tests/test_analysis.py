"""The analyses: the same numbers for the same model in both frameworks, right numbers, and nothing changed by looking."""

from __future__ import annotations

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from torch import nn

from lossopt import analysis, get_loss
from lossopt.analysis import analyze_gradient_flow, analyze_loss_landscape, check_optimization_convergence
from lossopt.errors import HyperparameterError, InputError

CROSS_ENTROPY, MSE = get_loss("cross_entropy"), get_loss("mse_loss")


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


class Net(nn.Module):
    """A convolution, a normalisation, and a Sequential: every rule of names and layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.head = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.relu(self.norm(self.conv(x))).mean((2, 3)))


class FlaxNet(nnx.Module):
    """The same in Flax, channels last."""

    def __init__(self) -> None:
        made = {"rngs": nnx.Rngs(0), "param_dtype": jnp.float64}
        self.conv, self.norm = nnx.Conv(2, 3, (3, 3), padding=1, use_bias=False, **made), nnx.BatchNorm(3, use_fast_variance=False, **made)
        self.norm.mean, self.norm.var = (nnx.BatchStat(fill(3, jnp.float64)) for fill in (jnp.zeros, jnp.ones))  # float32 by default
        self.head = nnx.Sequential(nnx.Linear(3, 8, **made), nnx.relu, nnx.Linear(8, 4, **made))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.head(nnx.relu(self.norm(self.conv(x))).mean((1, 2)))


def twins():
    """Two models of the same weights and the same batch, in each framework's layout."""
    torch.manual_seed(0)
    a, b = Net().double(), FlaxNet()
    values = {name: p.detach().numpy() for name, p in a.named_parameters()}
    b.conv.kernel[...] = jnp.asarray(values["conv.weight"].transpose(2, 3, 1, 0))
    for i in (0, 2):
        b.head.layers[i].kernel[...] = jnp.asarray(values[f"head.{i}.weight"].T)
        b.head.layers[i].bias[...] = jnp.asarray(values[f"head.{i}.bias"])
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((6, 2, 5, 5)), generator.integers(0, 4, 6)
    return (a, torch.from_numpy(x), torch.from_numpy(y)), (b, jnp.asarray(x.transpose(0, 2, 3, 1)), jnp.asarray(y))


FLAX_NAMES = {"conv.weight": "conv.kernel", "norm.weight": "norm.scale", "norm.bias": "norm.bias",
              "head.0.weight": "head.layers.0.kernel", "head.0.bias": "head.layers.0.bias",
              "head.2.weight": "head.layers.2.kernel", "head.2.bias": "head.layers.2.bias"}  # fmt: skip


# ------------------------------------------------------------------------------------------------- the same in both
@pytest.mark.parametrize("how", [{}, {"dimensions": 1}, {"seed": 3, "radius": 0.2}, {"move_vectors": True}], ids=str)
def test_the_same_landscape_in_both_frameworks(how):
    in_torch, in_flax = (analyze_loss_landscape(*twin, CROSS_ENTROPY, num_points=20, **how) for twin in twins())
    np.testing.assert_array_equal(in_torch["points"], in_flax["points"])
    np.testing.assert_allclose(in_flax["losses"], in_torch["losses"], rtol=1e-12)  # measured: 1e-15
    assert in_flax["current_loss"] == pytest.approx(in_torch["current_loss"], rel=1e-13)
    assert len(set(in_torch["losses"])) == 20


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_the_same_gradient_flow_in_both_frameworks(training):
    (a, *of_a), (b, *of_b) = twins()
    for model in (a, b):
        model.train() if training else model.eval()
    in_torch, in_flax = analyze_gradient_flow(a, CROSS_ENTROPY, *of_a), analyze_gradient_flow(b, CROSS_ENTROPY, *of_b)
    assert in_flax["total_gradient_norm"] == pytest.approx(in_torch["total_gradient_norm"], rel=1e-12)
    assert set(in_flax["gradient_stats"]) == set(FLAX_NAMES.values())
    for name, stats in in_torch["gradient_stats"].items():
        assert in_flax["gradient_stats"][FLAX_NAMES[name]] == pytest.approx(stats, rel=1e-10, abs=1e-15)


def test_names_say_which_module_is_which():
    class Renamed(nnx.Module):
        def __init__(self, like: FlaxNet) -> None:
            self.first, self.second, self.mlp = like.conv, like.norm, like.head

        def __call__(self, x: jax.Array) -> jax.Array:
            return self.mlp(nnx.relu(self.second(self.first(x))).mean((1, 2)))

    in_torch, (model, x, y) = twins()
    expected = analyze_loss_landscape(*in_torch, CROSS_ENTROPY, num_points=5)["losses"]
    names = {"conv": "first", "norm": "second", "head.0": "mlp.layers.0", "head.2": "mlp.layers.2"}
    found = analyze_loss_landscape(Renamed(model), x, y, CROSS_ENTROPY, num_points=5, names=names)["losses"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# ------------------------------------------------------------------------------------------------- right numbers
def test_gradients_are_those_of_backward():
    (model, x, y), _ = twins()
    found = analyze_gradient_flow(model, CROSS_ENTROPY, x, y)
    CROSS_ENTROPY(model(x), y).backward()
    assert found["total_gradient_norm"] == pytest.approx(nn.utils.get_total_norm([p.grad for p in model.parameters()]).item(), rel=1e-12)
    for name, p in model.named_parameters():
        stats = found["gradient_stats"][name]
        assert stats["norm"] == pytest.approx(p.grad.norm().item(), rel=1e-12)
        assert stats["std"] == pytest.approx(p.grad.std(unbiased=False).item(), rel=1e-12)
        assert stats["max"] == pytest.approx(p.grad.abs().max().item(), rel=1e-12)


def test_each_filter_is_moved_by_its_own_length():
    model = nn.Linear(3, 2, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, 0.0, 4.0], [0.0, 0.1, 0.0]], dtype=torch.float64))
    start = model.weight.detach().clone()

    def distance(outputs, _):
        return ((outputs.T - start) ** 2).sum()

    found = analyze_loss_landscape(model, torch.eye(3, dtype=torch.float64), None, distance, num_points=11, dimensions=1, radius=2.0)
    np.testing.assert_allclose(found["losses"], found["points"][:, 0] ** 2 * (5**2 + 0.1**2), rtol=1e-12)
    assert (found["points"][0, 0], found["points"][-1, 0]) == (-2.0, 2.0)


def test_points_fill_the_disc():
    points = analyze_loss_landscape(nn.Linear(2, 1), torch.ones(1, 2), torch.ones(1, 1), MSE, num_points=400, radius=3.0)["points"]
    radii = np.linalg.norm(points, axis=1)
    assert radii.max() < 3
    assert np.mean(radii < 3 / 2**0.5) == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(points.mean(0), 0, atol=0.02)


def test_statistics_are_those_of_the_points():
    (model, x, y), _ = twins()
    found = analyze_loss_landscape(model, x, y, CROSS_ENTROPY, num_points=30)
    assert found["loss_variance"] == pytest.approx(found["losses"].var(), rel=1e-12)
    assert found["loss_std"] == pytest.approx(found["losses"].std(), rel=1e-12)
    assert found["loss_range"] == (found["losses"].min(), found["losses"].max())
    assert found["current_loss"] == pytest.approx(CROSS_ENTROPY(model(x), y).item(), rel=1e-12)


def test_losses_that_are_not_finite_are_an_infinite_variance():
    model = nn.Linear(2, 1, bias=False)
    x = torch.ones(3, 2)
    found = analyze_loss_landscape(model, x, None, lambda outputs, _: outputs.mean().log(), num_points=50, dimensions=1, radius=5)
    assert 0 < found["non_finite"] < 50
    assert (found["loss_std"], found["loss_range"][1]) == (float("inf"), float("inf"))


def test_an_unused_parameter_has_gradient_zero_in_both():
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused, self.frozen = nn.Linear(2, 1), nn.Linear(2, 1), nn.Linear(2, 1).requires_grad_(False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x) + self.frozen(x)

    stats = analyze_gradient_flow(Unused(), MSE, torch.ones(3, 2), torch.ones(3, 1))["gradient_stats"]
    assert list(stats) == ["used.weight", "used.bias", "unused.weight", "unused.bias"]
    assert stats["unused.weight"] == {"norm": 0.0, "mean": 0.0, "std": 0.0, "max": 0.0, "zero_fraction": 1.0, "finite": True}


def test_a_gradient_that_is_not_finite_says_so():
    model = nn.Linear(2, 1, bias=False)
    found = analyze_gradient_flow(model, lambda outputs, _: (outputs * 0).sqrt().sum(), torch.ones(1, 2), None)
    assert found["gradient_stats"]["weight"]["finite"] is False


def test_a_pair_of_function_and_parameters_is_a_model():
    params = {"w": jnp.asarray([[1.0], [2.0]])}
    flow = analyze_gradient_flow((lambda p, x: x @ p["w"], params), MSE, jnp.asarray([[1.0, 1.0]]), jnp.asarray([[0.0]]))
    assert flow["loss_value"] == 9.0
    assert flow["gradient_stats"]["w"]["norm"] == pytest.approx(6 * 2**0.5)


# ------------------------------------------------------------------------------------------------- nothing is changed
class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.norm, self.drop, self.rnn = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.LSTM(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rnn(self.drop(self.norm(self.inner(x))))[0]


class FlaxNoisy(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.inner, self.norm, self.drop = nnx.Linear(4, 3, rngs=rngs), nnx.BatchNorm(3, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.drop(self.norm(self.inner(x)))


LOOKS = {
    "landscape": lambda m, x, y: analyze_loss_landscape(m, x, y, CROSS_ENTROPY, num_points=4),
    "gradient flow": lambda m, x, y: analyze_gradient_flow(m, CROSS_ENTROPY, x, y),
}


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_torch_model_is_as_it_was(look, training):
    torch.manual_seed(0)
    model = Noisy().train(training)
    x, y = torch.randn(5, 4), torch.randint(0, 3, (5,))
    pending = CROSS_ENTROPY(model(x), y)  # a loss whose backward is still to come
    for p in list(model.parameters())[:2]:
        p.grad = torch.full_like(p, 7.0)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    identities, generator = [id(p) for p in model.parameters()], torch.get_rng_state()
    LOOKS[look](model, x, y)
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert all((p.grad is None) if g is None else torch.equal(p.grad, g) for p, g in zip(model.parameters(), grads, strict=True))
    assert [id(p) for p in model.parameters()] == identities
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(m.training is training for m in model.modules())
    pending.backward()


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_flax_model_is_as_it_was(look, training):
    model = FlaxNoisy()
    model.train() if training else model.eval()

    def seen():
        variables = [(path, np.asarray(jax.random.key_data(v) if jnp.issubdtype(v.dtype, jax.dtypes.prng_key) else v))
                     for path, v in jax.tree_util.tree_flatten_with_path(nnx.to_pure_dict(nnx.state(model)))[0]]  # fmt: skip
        return variables, model.norm.use_running_average, model.drop.deterministic

    before = seen()
    LOOKS[look](model, jnp.ones((5, 4)) * jnp.arange(5.0)[:, None], jnp.asarray([0, 1, 2, 0, 1]))
    after = seen()
    assert before[1:] == after[1:]
    assert len(before[0]) >= 8
    for (path, a), (_, b) in zip(before[0], after[0], strict=True):
        np.testing.assert_array_equal(a, b, err_msg=str(path))
    model(jnp.ones((5, 4)))  # no traced value was left inside


def test_every_point_sees_the_same_dropout():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 64), nn.Dropout(0.5), nn.Linear(64, 2))
    losses = analyze_loss_landscape(model, torch.randn(8, 4), torch.randn(8, 2), MSE, num_points=20, radius=1e-6)["losses"]
    assert losses.max() - losses.min() < 1e-4  # masks of their own would scatter by 0.1


# ------------------------------------------------------------------------------------------------- how it is called
@pytest.mark.parametrize("which", [0, 1], ids=["torch", "flax"])
def test_both_orders_of_arguments_are_understood(which):
    model, x, y = twins()[which]
    assert analyze_loss_landscape(model, CROSS_ENTROPY, x, y, num_points=3)["losses"].tolist() == (
        analyze_loss_landscape(model, x, y, CROSS_ENTROPY, num_points=3)["losses"].tolist()
    )
    assert analyze_gradient_flow(model, x, y, CROSS_ENTROPY) == analyze_gradient_flow(model, CROSS_ENTROPY, x, y)
    assert analyze_gradient_flow(model, loss_fn=CROSS_ENTROPY, data=x, targets=y) == analyze_gradient_flow(model, CROSS_ENTROPY, x, y)


MODEL, X, Y = nn.Linear(2, 1), torch.ones(3, 2), torch.ones(3, 1)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        pytest.param(lambda: analyze_gradient_flow(MODEL, X, MSE, Y), InputError,
                     "analyze_gradient_flow(model, data, targets, loss_fn) takes one function, loss_fn(outputs, targets), last, "
                     "or first: (model, loss_fn, data, targets); after the model it got Tensor, LossSpec, Tensor", id="function between"),
        pytest.param(lambda: analyze_loss_landscape(MODEL, X, Y, None), InputError,
                     "analyze_loss_landscape(model, data, targets, loss_fn) takes one function, loss_fn(outputs, targets), last, "
                     "or first: (model, loss_fn, data, targets); after the model it got Tensor, Tensor, NoneType", id="no function"),
        pytest.param(lambda: analyze_gradient_flow(MODEL, get_loss("mse_loss", reduction="none"), X, Y), InputError,
                     "loss_fn must return one number, got shape (3, 1); write reduction='mean'", id="many losses"),
        pytest.param(lambda: analyze_gradient_flow(nnx.Linear(2, 1, rngs=nnx.Rngs(0)), get_loss("mse_loss", reduction="none"),
                                                   jnp.ones((3, 2)), jnp.ones((3, 1))), InputError,
                     "loss_fn must return one number, got shape (3, 1); write reduction='mean'", id="many losses in JAX"),
        pytest.param(lambda: analyze_gradient_flow(nnx.Linear(2, 2, rngs=nnx.Rngs(0)), CROSS_ENTROPY, jnp.ones((1, 2)), jnp.asarray([5])),
                     InputError, "cross_entropy: targets has the label 5 at index (0,), but there are 2 classes, 0 to 1; "
                     "to leave it out of the loss write ignore_index=5", id="label in JAX"),
        pytest.param(lambda: analyze_gradient_flow({"w": jnp.ones(2)}, MSE, X, Y), InputError,
                     "the analysis of a JAX model takes a flax.nnx.Module, or a pair (apply, params) for apply(params, data), got dict",
                     id="dict"),
        pytest.param(lambda: analyze_loss_landscape(nn.BatchNorm1d(2), X, X, MSE), InputError,
                     "the model has no parameter of two or more axes, which are what is moved; write move_vectors=True to move the others",
                     id="vectors"),
        pytest.param(lambda: analyze_loss_landscape(MODEL, X, Y, MSE, num_points=1), HyperparameterError,
                     "analyze_loss_landscape: num_points must be a whole number, at least 2, got 1", id="num_points"),
        pytest.param(lambda: analyze_loss_landscape(MODEL, X, Y, MSE, radius=0), HyperparameterError,
                     "analyze_loss_landscape: radius must be positive, and finite, got 0", id="radius"),
        pytest.param(lambda: analyze_loss_landscape(MODEL, X, Y, MSE, dimensions=3), HyperparameterError,
                     "analyze_loss_landscape: dimensions must be 1 or 2, got 3", id="dimensions"),
        pytest.param(lambda: analyze_loss_landscape(MODEL, X, Y, MSE, names={"a": "b"}), InputError,
                     "names tells what the parameters of a Flax model are called in PyTorch; leave it out here", id="names"),
        pytest.param(lambda: check_optimization_convergence(["a"]), InputError,
                     "losses must be a list of numbers, oldest first: append loss.item() after every step "
                     "(could not convert string to float: 'a')", id="losses"),
        pytest.param(lambda: check_optimization_convergence([1.0], patience=0), HyperparameterError,
                     "check_optimization_convergence: patience must be a whole number, at least 1, got 0", id="patience"),
        pytest.param(lambda: check_optimization_convergence([1.0], tolerance=-1.0), HyperparameterError,
                     "check_optimization_convergence: tolerance must be positive or zero, and finite, got -1.0", id="tolerance"),
        pytest.param(lambda: analysis.PerformanceMonitor().summary(), InputError,
                     "0 steps are timed and 1 of them are warm-up: time more, or write warmup=0", id="nothing timed"),
    ],
)  # fmt: skip
def test_errors_say_what_to_type(run, error, message):
    with pytest.raises(error) as raised:
        run()
    assert str(raised.value) == message


# ------------------------------------------------------------------------------------------------- convergence
NOISE = np.random.default_rng(0).uniform(0, 0.1, 40)
HISTORIES = {
    "nothing": ([], "too short", False),
    "falling": (1 / np.arange(1, 40), "improving", False),
    "just short": ([1.0] * 10, "too short", False),
    "flat": ([1.0] * 11, "flat", True),
    "flat after a fall": ([3.0, 2.0] + [1.0] * 11, "flat", True),
    "scatter": (1 + NOISE, "stalled", True),
    "climbing": ([*np.linspace(5, 1, 20), *np.linspace(1, 4, 20)], "rising", False),
    "NaN": ([3.0, 2.0, 1.0] * 5 + [float("nan")], "not finite", False),
    "infinite": ([1.0] * 20 + [float("inf")], "not finite", False),
    "creeping": (1 - 1e-8 * np.arange(40), "flat", True),
    "creeping by more in all": (1 - 3e-7 * np.arange(40), "improving", False),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_convergence(name):
    losses, state, converged = HISTORIES[name]
    found = check_optimization_convergence(losses)
    assert (found["state"], found["converged"]) == (state, converged)


def test_convergence_tells_the_best_and_since_when():
    found = check_optimization_convergence(torch.tensor([3.0, 1.0, 2.0, 2.5]), patience=2)
    assert found == {"converged": False, "state": "rising", "why": "the last 2 losses climb", "best": 1.0, "best_at": 1, "since": 2}


def test_a_plateau_with_noise_is_seldom_taken_for_a_climb():
    generator = np.random.default_rng(1)
    states = [check_optimization_convergence([0.0, *generator.standard_normal(10) ** 2 + 1])["state"] for _ in range(1000)]
    assert states.count("rising") < 40  # measured: 19
    assert states.count("rising") + states.count("stalled") == 1000


# ------------------------------------------------------------------------------------------------- performance
def test_the_monitor_times_what_happens_inside():
    monitor = analysis.PerformanceMonitor()
    for seconds in (0.05, 0.01, 0.01, 0.01):
        with monitor.step(samples=20):
            time.sleep(seconds)
    found = monitor.summary()
    assert (found["steps"], len(found["times"])) == (4, 4)
    low, high = found["step_time_quartiles"]
    assert 0.01 <= low <= found["step_time"] <= high
    assert found["first_step_time"] >= 0.05
    assert found["throughput"] == pytest.approx(20 / found["step_time"], rel=0.2)
    assert found["memory_of"] == "process"
    assert found["peak_memory"] > 50 * 2**20


def test_the_monitor_waits_for_what_jax_computes():
    x = jnp.ones((500, 500))
    run = jax.jit(lambda x: {"loss": jnp.linalg.matrix_power(x / 500, 8).sum()})
    jax.block_until_ready(run(x))
    monitor = analysis.PerformanceMonitor(warmup=0)
    assert monitor.watch(run, samples=400)(x)["loss"].is_ready()
    with monitor.step(samples=400) as done:
        assert done(run(x))["loss"].is_ready()
    assert monitor.summary()["throughput"] > 0


def test_the_monitor_takes_tensors():
    monitor = analysis.PerformanceMonitor(warmup=0)
    assert monitor.watch(torch.square, samples=2)(torch.tensor(3.0)).item() == 9
    assert monitor.summary()["memory_of"] == "process"


def test_a_step_that_fails_is_not_timed():
    monitor = analysis.PerformanceMonitor()
    with pytest.raises(ZeroDivisionError), monitor.step():
        raise ZeroDivisionError
    assert monitor.times == []


def test_a_step_that_does_not_say_how_many_samples_leaves_the_throughput_open():
    monitor = analysis.PerformanceMonitor(warmup=0)
    with monitor.step():
        pass
    assert monitor.summary()["throughput"] is None


# ------------------------------------------------------------------------------------------------- pictures
def drawings():
    flow = {"total_gradient_norm": 1.0, "loss_value": 2.0, "gradient_stats": {
        f"layer{i}.weight": {"norm": n, "mean": 0.0, "std": 0.1, "max": n, "zero_fraction": 0.0, "finite": bool(np.isfinite(n))}
        for i, n in enumerate((1.0, 1e-3, 0.0, float("nan")))}}  # fmt: skip
    monitor = analysis.PerformanceMonitor(warmup=0)
    with monitor.step(samples=3):
        pass
    disc, line = (analyze_loss_landscape(MODEL, X, Y, MSE, num_points=9, dimensions=k) for k in (2, 1))
    return {
        "landscape": lambda path: analysis.draw_loss_landscape(disc, path),
        "landscape on a line": lambda path: analysis.draw_loss_landscape(line, path),
        "gradient flow": lambda path: analysis.draw_gradient_flow(flow, path),
        "convergence": lambda path: analysis.draw_convergence([3.0, 2.0, float("nan"), 1.0], path),
        "performance": lambda path: analysis.draw_performance(monitor.summary(), path),
    }


@pytest.mark.parametrize("name", drawings())
def test_each_analysis_has_a_picture(name, tmp_path, monkeypatch):
    drawings()[name](tmp_path / "picture.png")
    drawn = (tmp_path / "picture.png").read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) > 10_000
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError) as raised:
        drawings()[name](tmp_path / "picture.png")
    assert str(raised.value) == "the picture is drawn by matplotlib, which is not installed: pip install 'lossopt[compare]'"
