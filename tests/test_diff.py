"""``lossopt diff``: lining up, the sentence, the report, the command."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from planted.simulate import Options, changed, recorded, run
from planted.truth import Told, optimizer, teller

from lossopt.cli.main import main
from lossopt.diff import diff
from lossopt.diff.align import align
from lossopt.diff.causes import CAUSES, ROWS
from lossopt.diff.schedule import why
from lossopt.errors import InputError
from lossopt.parity.disagreements import topics
from lossopt.recording import Parameter, Recording, RunInfo, Step
from lossopt.recording.contents import checksum
from lossopt.recording.plan import places
from lossopt.registry import definition

SHORT = Options(steps=6)


def recording(framework: str, arrays: dict[str, np.ndarray], label: str, *, samples: dict[str, np.ndarray] | None = None, **step) -> Recording:
    """One step of these parameters."""
    at = samples or {}
    held = {f"param/{n}": x.ravel()[at[n]] if n in at else x for n, x in arrays.items()} | {f"index/{n}": i for n, i in at.items()}
    info = RunInfo(framework, tuple(Parameter(n, x.shape, samples=len(at[n]) if n in at else None) for n, x in arrays.items()))
    steps = (Step(0, **{"param_norms": {n: float(np.linalg.norm(x)) for n, x in arrays.items()}, **step}),)
    return Recording(info, steps, (0,), {0: held}.__getitem__, label)


def draw(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name.replace("__", "."): rng.normal(size=shape) for name, shape in shapes.items()}


# ------------------------------------------------------------------------------------------------- lining up
def test_torch_and_flax_are_lined_up_by_the_mapping():
    x = draw(0, conv__weight=(4, 2, 3, 3), fc__weight=(5, 4), norm__weight=(4,))
    flax = {"conv.kernel": np.moveaxis(x["conv.weight"], (0, 1), (-1, -2)), "fc.kernel": x["fc.weight"].T, "norm.scale": x["norm.weight"]}
    al = align(recording("torch", x, "a"), recording("jax", flax, "b"))
    assert list(al.pairs) == ["conv.weight", "fc.weight", "norm.weight"]
    for name, (u, v) in al.arrays("param", 0).items():
        assert np.array_equal(u, v), name
    assert al.names("fc.weight") == "fc.weight (fc.kernel)"


def test_sampled_parameters_are_compared_at_the_places_that_both_have():
    x = draw(0, fc__weight=(60, 50), other__weight=(7, 7))
    flax = {"fc.kernel": x["fc.weight"].T, "other.kernel": x["other.weight"].T}
    a = recording("torch", x, "a", samples={"fc.weight": places((60, 50), 200)})
    b = recording("jax", flax, "b", samples={"fc.kernel": places((50, 60), 200)})
    u, v = align(a, b).arrays("param", 0)["fc.weight"]
    assert u.size >= 200
    assert np.array_equal(u, v)


def test_wrappers_of_names_are_taken_off():
    x = draw(0, fc__weight=(5, 4))
    a, b = recording("torch", x, "a"), recording("torch", {"_orig_mod.fc.weight": x["fc.weight"]}, "b")
    assert list(align(a, b).pairs) == ["fc.weight"]


def test_other_names_are_paired_by_equal_weights():
    x = draw(0, head__weight=(5, 4), head__bias=(5,), body__weight=(4, 4))
    flax = {"layers.0.kernel": x["head.weight"].T, "layers.0.bias": x["head.bias"], "body.kernel": x["body.weight"].T}
    al = align(recording("torch", x, "a"), recording("jax", flax, "b"))
    assert al.guessed == dict.fromkeys(("head.weight", "head.bias"), "because their initial weights are equal")
    assert al.only_a == al.only_b == ()


def test_sampled_parameters_are_paired_by_their_samples():
    x = draw(0, head__weight=(60, 50))
    a = recording("torch", x, "a", samples={"head.weight": places((60, 50), 200)})
    b = recording("jax", {"dense.kernel": x["head.weight"].T, "other.kernel": x["head.weight"].T + 1}, "b",
                  samples=dict.fromkeys(("dense.kernel", "other.kernel"), places((50, 60), 200)))  # fmt: skip
    al = align(a, b)
    assert {n: pair[1].own for n, pair in al.pairs.items()} == {"head.weight": "dense.kernel"}
    assert al.only_b == ("other.kernel",)


def test_sequences_modules_and_single_shapes_are_paired():
    x = draw(0, body__0__weight=(5, 4), body__0__bias=(5,), head__weight=(3, 5), head__bias=(3,), one=(2,), two=(2,))
    y = draw(1, body__layers__0__kernel=(4, 5), body__layers__0__bias=(5,), dense__kernel=(5, 3), dense__bias=(3,), un=(2,), deux=(2,))
    al = align(recording("torch", x, "a"), recording("jax", y, "b"))
    assert {n: (pair[1].own, al.guessed[n]) for n, pair in al.pairs.items()} == {
        "body.0.weight": ("body.layers.0.kernel", "by their place in a sequence"),
        "body.0.bias": ("body.layers.0.bias", "by their place in a sequence"),
        "head.weight": ("dense.kernel", "because no others have their shapes"),
        "head.bias": ("dense.bias", "because no others have their shapes"),
    }
    assert (al.only_a, al.only_b) == (("one", "two"), ("un", "deux"))


def test_rules_rename_with_wildcards():
    x = draw(0, blocks__0__weight=(5, 4), blocks__1__weight=(4, 5))
    y = draw(1, layers__0__kernel=(4, 5), layers__1__kernel=(5, 4))
    al = align(recording("torch", x, "a"), recording("jax", y, "b"), {"layers.*.kernel": "blocks.*.weight"})
    assert {n: pair[1].own for n, pair in al.pairs.items()} == {"blocks.0.weight": "layers.0.kernel", "blocks.1.weight": "layers.1.kernel"}


WRONG = {
    "a rule for nothing": ({"fc3.kernel": "fc.weight"}, "--map: 'fc3.kernel' matches no parameter of b; the nearest is 'fc.kernel'"),
    "a name that is not there": ({"fc.kernel": "fcc.weight"}, "--map: 'fc.kernel' makes 'fc.kernel' into 'fcc.weight', which a does not have; the nearest is 'fc.weight'"),
    "two for one": ({"*.kernel": "fc.weight"}, "--map: two parameters of b become 'fc.weight', 'out.kernel' and another; each needs its own"),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "message"), WRONG.values(), ids=WRONG)
def test_rules_are_strict(rules, message):
    a = recording("torch", draw(0, fc__weight=(5, 4), out__weight=(3, 5)), "a")
    b = recording("jax", draw(1, fc__kernel=(4, 5), out__kernel=(5, 3)), "b")
    with pytest.raises(InputError) as error:
        align(a, b, rules)
    assert str(error.value) == message


def test_no_common_parameter_is_an_error_that_says_what_to_write():
    a, b = recording("torch", draw(0, left=(3,)), "a"), recording("torch", draw(1, right=(4,)), "b")
    with pytest.raises(InputError) as error:
        align(a, b)
    assert str(error.value) == ("a and b have no parameter in common (left; right); say which is which in a YAML file, {name in the second run: "
                                "name in the first}, and give it as --map FILE")  # fmt: skip


# ------------------------------------------------------------------------------------------------- single links
def test_a_parameter_that_one_run_lacks():
    x = draw(0, fc__weight=(5, 4), fc__bias=(5,))
    found = diff(recording("torch", x, "a", update_norms={"fc.bias": 1.0}), recording("torch", {"fc.weight": x["fc.weight"]}, "b"))
    assert (found.first.link, found.verdict.cause) == ("parameters", "missing parameter")
    assert found.first.finding.parameters == ("fc.bias",)


def test_a_shape_the_other_way_round_is_a_transposed_kernel():
    x, y = draw(0, fc__weight=(5, 4)), draw(1, fc__weight=(4, 5))
    assert diff(recording("torch", x, "a"), recording("torch", y, "b")).verdict.cause == "transposed kernel"


def test_batches_that_are_written_in_another_way_do_no_harm():
    x = draw(0, fc__weight=(5, 4))
    a = recording("torch", x, "a", loss=1.0, batch=((1.0, 2.0, 0.5, 0.2), (5.0, 9.0, 1.0, 1.0)))
    b = recording("torch", x, "b", loss=1.0, batch=((1.0, 2.0, 0.5, 0.2), (4.0, 4.0, 0.3, 0.1)))
    found = diff(a, b)
    assert found.equal
    assert next(o.notes for o in found.outcomes if o.link == "data") == ("the batches are written in another way (labels as numbers or as one-hot rows, "
                                                                         "another scale); the loss is the same",)  # fmt: skip


def test_other_batches_and_another_loss_are_data():
    x = draw(0, fc__weight=(5, 4))
    a = recording("torch", x, "a", loss=1.0, batch=((1.0, 2.0, 0.5, 0.2),))
    b = recording("torch", x, "b", loss=1.1, batch=((1.5, 3.0, 0.1, 0.9),))
    assert diff(a, b).first.link == "data"


def of_inputs(framework: str, inputs: list[np.ndarray], label: str) -> Recording:
    """A run that says of its data alone what they are; the labels are the number of the step."""
    steps = tuple(Step(t, batch=(checksum(x), checksum(np.arange(t, t + 4)))) for t, x in enumerate(inputs))
    return Recording(RunInfo(framework, (Parameter("weight", (2,)),)), steps, (), {}.__getitem__, label)


PIXELS = [np.random.default_rng(t).integers(256, size=(4, 30)).astype(np.float32) for t in range(6)]

SCALES = {
    "/ 255": (PIXELS, [x / 255 for x in PIXELS], "the inputs of a are 255 times those of b; the labels are equal",
              "in JAX x = x.astype(jnp.float32) * 255, or scale the other side (ToTensor divides by 255); "
              "in PyTorch x = x.float() / 255, or scale the other side (ToTensor divides by 255)"),
    "/ 127.5": ([x / np.float32(127.5) for x in PIXELS], PIXELS, "the inputs of b are 127.5 times those of a; the labels are equal",
                "in JAX x = x.astype(jnp.float32) / 127.5, or scale the other side; "
                "in PyTorch x = x.float() * 127.5, or scale the other side"),
    "* 2": ([2 * x for x in PIXELS], PIXELS, "the inputs of a are 2 times those of b; the labels are equal",
            "in JAX x = x.astype(jnp.float32) * 2, or scale the other side; in PyTorch x = x.float() / 2, or scale the other side"),
    "a mean and a standard deviation": (
        [(x / 255 - np.float32(0.1307)) / np.float32(0.3081) for x in PIXELS], [x / 255 for x in PIXELS],
        "the inputs of a are those of b less 0.1307, over 0.3081; the labels are equal",
        "in JAX x = (x.astype(jnp.float32) - 0.1307) / 0.3081, or scale the other side; "
        "in PyTorch x = x.float() * 0.3081 + 0.1307, or scale the other side"),
    "the other way round": (
        PIXELS, [x / np.float32(127.5) - 1 for x in PIXELS], "the inputs of b are those of a less 127.5, over 127.5; the labels are equal",
        "in JAX x = x.astype(jnp.float32) * 127.5 + 127.5, or scale the other side; "
        "in PyTorch x = (x.float() - 127.5) / 127.5, or scale the other side"),
}  # fmt: skip


@pytest.mark.parametrize(("x", "y", "what", "typed"), SCALES.values(), ids=SCALES)
def test_the_scale_of_the_inputs_is_told_as_it_was_measured(x, y, what, typed):
    verdict = diff(of_inputs("torch", x, "a"), of_inputs("jax", y, "b")).verdict
    assert verdict.cause == "input scale"
    assert verdict.sentence == f"From step 0 on {what}: {typed}."


def test_in_one_framework_the_scale_is_that_of_the_second_run():
    verdict = diff(of_inputs("torch", PIXELS, "a"), of_inputs("torch", [x / 2 for x in PIXELS], "b")).verdict
    assert verdict.remedy == (("", "x = x.float() * 2, or scale the other side"),)


def test_inputs_that_are_no_multiple_are_another_preprocessing():
    verdict = diff(of_inputs("torch", PIXELS, "a"), of_inputs("jax", [np.sqrt(x) for x in PIXELS], "b")).verdict
    assert verdict.cause == "preprocessing"


CURVES = {
    "base learning rate": (lambda t: 0.1, lambda t: 0.05),
    "schedule off by one": (lambda t: 0.9**t, lambda t: 0.9 ** max(t - 1, 0)),
    "warm-up from zero": (lambda t: min(1, (t + 1) / 5), lambda t: min(1, t / 5)),
    "schedule by epoch": (lambda t: 1 - t / 50, lambda t: 1 - (t // 5) / 50),
    "drops at other steps": (lambda t: 0.1 ** (t // 10), lambda t: 0.1 ** (t // 12)),
    "past the end": (lambda t: max(0.0, 1 - t / 20), lambda t: abs(1 - t / 20)),
    "schedule length": (lambda t: 1 - t / 40, lambda t: 1 - t / 80),
    "schedule": (lambda t: 1.0, lambda t: 1.0 if t < 7 else 1 + 0.3 * np.sin(0.5 * t)),
}


@pytest.mark.parametrize("cause", CURVES)
@pytest.mark.parametrize("turned", [False, True])
def test_the_kinds_of_schedules(cause, turned):
    x, y = (np.array([curve(t) for t in range(40)]) for curve in CURVES[cause][:: -1 if turned else 1])
    at = int(np.argmax(np.abs(x - y) > 1e-9))
    assert why(x, y, ("a", "b"), at)[0] == cause


# ------------------------------------------------------------------------------------------------- the verdict
def test_the_sentence_says_what_differs_and_what_to_type_on_either_side(tmp_path):
    a, b = Options(hyper={"weight_decay": 1e-2}, steps=6), Options(hyper={"weight_decay": 1e-4}, steps=6, framework="jax")
    folders = run(tmp_path / "torch_run", a), run(tmp_path / "jax_run", b)
    found = diff(*folders, identify=teller({"torch_run": a, "jax_run": b}))
    assert found.verdict.sentence == (
        "From step 0 on weight_decay is 0.01 in torch_run and 0.0001 in jax_run (adamw): write adamw() in JAX in jax_run, or "
        "adamw(weight_decay=0.0001) in torch_run (lossopt/parity/DIFFERENCES.md#adamw-weight-decay)."
    )
    assert found.verdict.known == {"torch_run": "adamw()", "jax_run": "adamw(weight_decay=0.0001)"}
    assert found.verdict.link.endswith("#adamw-weight-decay")


def test_without_an_identification_the_sentence_says_what_is_not_known():
    a, b = changed(SHORT, hyper={"betas": (0.9, 0.999)}), changed(SHORT, hyper={"betas": (0.8, 0.999)})
    x, y = recorded(a), recorded(b)
    verdict = diff(x, y, identify=lambda *_: None).verdict
    assert verdict.cause == "optimizer"
    assert verdict.open == (f"which optimizer {x.label} and {y.label} have was not looked for",)
    assert verdict.sentence.endswith(f"; not known: which optimizer {x.label} and {y.label} have was not looked for.")


def test_what_goes_beside_the_optimizer_of_one_run_is_the_difference():
    a, b = changed(SHORT, hyper={"correct": True}), changed(SHORT, hyper={"correct": False}, framework="jax")
    x, y = recorded(a), recorded(b)
    told = {x.label: (), y.label: ("the bias of the moments is not corrected",)}

    def identify(recording, what):
        parts = (SimpleNamespace(told=told[recording.label]),)
        return SimpleNamespace(best=Told(optimizer(changed(a, hyper={}))), parts=parts)

    verdict = diff(x, y, identify=identify).verdict
    assert verdict.cause == "bias_correction"
    assert verdict.sentence == (f"From step 0 on in {y.label} the bias of the moments is not corrected; {x.label} is without that: "
                                f"write adamw() in JAX in {y.label}.")


def test_equal_runs_say_that_they_are_and_in_what():
    a, b = recorded(SHORT), recorded(changed(SHORT, framework="jax"))
    sentence = diff(a, b).verdict.sentence
    assert sentence.startswith(f"{a.label} and {b.label} are equal to rounding over 6 steps, in parameters, initial weights, data, loss, gradient, ")


def test_every_row_that_is_linked_is_there():
    assert ({cause.row for cause in CAUSES.values()} - {""}) | set(ROWS.values()) <= {topic.slug for topic in topics()}
    for name, hyperparameter in ROWS:
        found = definition(name, "loss", "optimizer")
        assert hyperparameter in {*found.defaults, "reduction"}, name


# ------------------------------------------------------------------------------------------------- the command
@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    room = tmp_path_factory.mktemp("runs")
    late = changed(SHORT, framework="jax", lr=2e-3)
    return {"torch": run(room / "torch", SHORT), "jax": run(room / "jax", changed(SHORT, framework="jax")), "late": run(room / "late", late)}


def test_the_command_on_equal_runs(capsys, folders):
    assert main(["diff", str(folders["torch"]), str(folders["jax"])]) == 0
    out = capsys.readouterr().out
    assert "torch and jax are equal to rounding over 6 steps" in out
    assert "breaks first" not in out


def test_the_command_on_runs_that_differ(capsys, folders, tmp_path):
    picture = tmp_path / "apart.png"
    assert main(["diff", str(folders["torch"]), str(folders["late"]), "--plot", str(picture)]) == 1
    out = capsys.readouterr().out
    assert "From step 0 on the learning rate of torch is 0.5 times that of late.\n" in out
    assert "to make them equal  in JAX      the same learning_rate=" in out
    assert out.count("breaks first") == 1
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_command_as_json(capsys, folders):
    assert main(["diff", str(folders["torch"]), str(folders["late"]), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is False
    assert told["first"]["link"] == "learning rate"
    assert told["first"]["finding"]["numbers"] == {"ratio": 0.5}
    assert [link["link"] for link in told["links"]] == ["parameters", "initial weights", "data", "loss", "gradient", "clipping", "learning rate",
                                                         "update", "evaluation"]  # fmt: skip
    assert told["parameters"]["fc1.weight"] == ["fc1.weight", "fc1.kernel"]


def test_wrong_input_is_one_line_and_exit_2(capsys, folders, tmp_path):
    assert main(["diff", str(folders["torch"]), str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"lossopt: {tmp_path} holds no recording (no run.json); lossopt.record(...) makes one\n"
    other = tmp_path / "newer"
    other.mkdir()
    (other / "run.json").write_text('{"version": 7}')
    assert main(["diff", str(folders["torch"]), str(other)]) == 2
    assert capsys.readouterr().err == f"lossopt: {other} was recorded in format 7, this lossopt reads 1; upgrade lossopt\n"
    rules = tmp_path / "rules.yaml"
    rules.write_text("fc1.kernl: fc1.weight\n")
    assert main(["diff", str(folders["torch"]), str(folders["jax"]), "--map", str(rules)]) == 2
    assert capsys.readouterr().err == "lossopt: --map: 'fc1.kernl' matches no parameter of jax; the nearest is 'fc1.kernel'\n"
    rules.write_text("- a\n")
    assert main(["diff", str(folders["torch"]), str(folders["jax"]), "--map", str(rules)]) == 2
    assert capsys.readouterr().err == f"lossopt: --map: {rules} must map names of the second run to names of the first, a line each: fc.kernel: head.weight\n"
    assert main(["diff", str(folders["torch"]), str(folders["jax"]), "--map", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err == f"lossopt: --map: there is no file {tmp_path / 'none.yaml'}\n"


def test_diff_needs_no_framework(python, folders):
    ran = python("-c", f"import sys; from lossopt.diff import diff; diff({str(folders['torch'])!r}, {str(folders['jax'])!r}); "
                       "print([m for m in ('torch', 'jax', 'flax', 'optax') if m in sys.modules])")  # fmt: skip
    assert ran.stdout == "[]\n", ran.stderr
