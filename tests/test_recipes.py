"""Recipes from files: what is read, and for everything that is wrong the exact line."""

from __future__ import annotations

import pytest

from lossopt.errors import ArgumentError, ConfigError, HyperparameterError, LossoptError
from lossopt.losses import cross_entropy
from lossopt.optimizers import adamw, sgd
from lossopt.recipes import Recipe, load_recipe, parse_recipe
from lossopt.recipes.document import MAX_BYTES, MAX_DEPTH, parse
from lossopt.schedules import cosine, one_cycle
from lossopt.tasks import BUILT_IN
from lossopt.transforms import chain, clip_by_global_norm, clip_by_value

FULL = """\
task: digits
loss: {name: cross_entropy, label_smoothing: 0.1}
optimizer: {name: adamw, lr: 1e-3, weight_decay: 0.05, betas: [0.8, 0.95]}
schedule: {name: cosine, T_max: 500}
clip: {global_norm: 1.0}
steps: 500
batch_size: 32
seed: 7
dtype: float32
"""
SHORT = "loss: mse_loss\noptimizer: sgd\n"


def test_every_key_arrives():
    recipe = parse_recipe(FULL)
    assert recipe == Recipe(
        loss=cross_entropy.configure(label_smoothing=0.1),
        optimizer=chain(clip_by_global_norm(max_norm=1.0), adamw(lr=1e-3, weight_decay=0.05, betas=(0.8, 0.95))),
        schedule=cosine(T_max=500), task="digits", steps=500, batch_size=32, seed=7, precision="float32",
    )  # fmt: skip


def test_defaults():
    recipe = parse_recipe(SHORT)
    assert (recipe.optimizer, recipe.schedule, recipe.steps, recipe.precision) == (sgd(), None, 200, None)


@pytest.mark.parametrize(("text", "value"), [
    ("1e-3", 1e-3), ("1E+3", 1e3), ("1.5e-3", 1.5e-3), ("-.5", -0.5), ("+3", 3), ("5.", 5.0), ("007", 7), ("1_000", "1_000"),
    ("true", True), ("on", "on"), ("yes", "yes"), ("no", "no"), ("12:30:45", "12:30:45"), ("0x10", "0x10"), ("~", None), ("", None),
    ("'1e-3'", "1e-3"), (".inf", float("inf")), ("2024-01-01", "2024-01-01"), ("NaN", "NaN"), ("[1, 2e0]", (1, 2.0)),
])  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text, value):
    found = parse(f"key: {text}").value["key"].plain()
    assert found == value
    assert type(found) is type(value)


def test_a_bare_name_and_foreign_spellings():
    recipe = parse_recipe("loss: softmax_cross_entropy_with_integer_labels\noptimizer: {name: AdamW, learning_rate: 0.1, b1: 0.8}")
    assert recipe.optimizer == adamw(lr=0.1, betas=(0.8, 0.999))
    assert recipe.loss.definition is cross_entropy


def test_a_peak_in_the_schedule_is_the_base():
    recipe = parse_recipe(SHORT.replace("sgd", "{name: adamw, lr: 1e-3}") + "schedule: {name: one_cycle, max_lr: 1e-2, total_steps: 50}")
    assert recipe.optimizer.flat["lr"] == 1e-2
    assert recipe.schedule == one_cycle(total_steps=50)


def test_clip_takes_both():
    assert parse_recipe(SHORT + "clip: {value: 0.5, global_norm: 2}").optimizer == chain(
        clip_by_value(max_value=0.5), clip_by_global_norm(max_norm=2), sgd()
    )


def test_the_schedule_drives_lr_and_momentum_at_any_depth():
    recipe = Recipe(cross_entropy.configure(), chain(clip_by_global_norm(), adamw(lr=0.5)), one_cycle(total_steps=10))
    driven = recipe.scheduled_optimizer().flat
    assert driven["lr"](2) == one_cycle(lr=0.5, total_steps=10)(2)
    assert driven["betas"][0](2) == one_cycle(total_steps=10).momentum(2)
    assert driven["betas"][1] == 0.999


WRONG = {
    "misspelt optimizer": ("loss: mse_loss\noptimizer: {name: adamww}",
                           "2:19 optimizer.name: unknown optimizer 'adamww'; did you mean 'adamw'? (lossopt list optimizers shows all)"),
    "misspelt loss": ("loss: mse_los\noptimizer: sgd", "1:7 loss.name: unknown loss 'mse_los'; did you mean 'mse_loss'? "
                                                     "(lossopt list losses shows all)"),
    "negative lr": ("loss: mse_loss\noptimizer: {name: sgd, lr: -0.1}",
                    "2:28 optimizer.lr: must be positive or zero, and finite, got -0.1"),
    "quoted number": ("loss: mse_loss\noptimizer: {name: sgd, lr: '1e-3'}",
                      "2:28 optimizer.lr: must be a number, got '1e-3', a string: write 1e-3 without quotes"),
    "nan": ("loss: mse_loss\noptimizer: {name: sgd, lr: .nan}", "2:28 optimizer.lr: must be positive or zero, and finite, got nan"),
    "one of betas": ("loss: mse_loss\noptimizer: {name: adam, betas: [0.9, 1.0]}",
                     "2:38 optimizer.betas[1]: must be in [0, 1), got 1.0"),
    "unknown key": (SHORT + "setps: 3", "3:1 setps: unknown key; did you mean 'steps'? It is one of: "
                                        "task, loss, optimizer, schedule, clip, ema, groups, precision, steps, batch_size, seed, accumulate, "
                                        "checkpoint, analysis, monitoring"),
    "duplicate key": (SHORT + "loss: l1_loss", "3:1 the key 'loss' stands twice; the first is in line 1"),
    "no loss": ("optimizer: sgd", "1:1 a recipe has a loss, such as `loss: cross_entropy`"),
    "no optimizer": ("loss: mse_loss", "1:1 a recipe has an optimizer, such as `optimizer: adamw`"),
    "no name": ("loss: mse_loss\noptimizer: {lr: 1}", "2:12 optimizer: which optimizer? Write {name: ..., lr}"),
    "steps": (SHORT + "steps: 0", "3:8 steps: must be at least 1, and finite, got 0"),
    "half a step": (SHORT + "steps: 1.5", "3:8 steps: must be a whole number, got 1.5"),
    "precision": (SHORT + "precision: bfloat32", "3:12 precision: precision must be 'float32' or 'float64' or 'bfloat16' or 'float16', "
                                                 "got 'bfloat32'; did you mean 'float32'?"),
    "precision twice": (SHORT + "precision: float32\ndtype: float64", "4:8 dtype: precision is given already, in line 3: leave one out"),
    "loss scale": (SHORT + "precision: {compute: float16, loss_scale: 0}",
                   "3:43 precision.loss_scale: must be positive, and finite, got 0"),
    "task": (SHORT + "task: digit", "3:7 task: unknown task 'digit'; did you mean 'digits'? It is one of: " + ", ".join(BUILT_IN)),
    "code": (SHORT + "task: my_pair.py", "3:7 task: unknown task 'my_pair.py'; your own task is code, and code is named on the command "
                                         "line: --task my_pair.py It is one of: " + ", ".join(BUILT_IN)),
    "clip": (SHORT + "clip: {global_norm: -1}", "3:21 clip.global_norm: must be positive or zero, and finite, got -1"),
    "clip key": (SHORT + "clip: {norm: 1}", "3:8 clip.norm: unknown key. It is one of: global_norm, value"),
    "clip number": (SHORT + "clip: 1.0", "3:7 clip: expected keys and values, such as `clip: {global_norm: 1.0}`, got 1.0"),
    "missing": (SHORT + "schedule: cosine", "3:11 schedule: cosine() needs T_max (a whole number, at least 1, and finite): "
                                            "write cosine(T_max=...)"),
    "schedule lr": (SHORT + "schedule: {name: cosine, lr: 1, T_max: 5}",
                    "3:26 schedule.lr: a recipe's schedule starts from the optimizer's own: write optimizer.lr"),
    "plateau": (SHORT + "schedule: reduce_on_plateau",
                "3:11 schedule: reduce_on_plateau waits for a metric; a recipe's schedule is a function of the step"),
    "cycle": ("loss: mse_loss\noptimizer: {name: adagrad, lr: 1}\nschedule: {name: one_cycle, total_steps: 5}",
              "3:11 schedule: one_cycle: adagrad(lr=1) has neither momentum nor betas to cycle: write cycle_momentum=False"),
    "convention": ("loss: mse_loss\noptimizer: {name: adamw, convention: optaxx}", "2:38 optimizer.convention: adamw has no convention "
                   "'optaxx'; did you mean 'optax'? It has: torch, optax, keras"),
    "reduction": ("loss: {name: mse_loss, reduction: avg}\noptimizer: sgd",
                  "1:35 loss.reduction: mse_loss: reduction must be 'none' or 'mean' or 'sum', got 'avg'"),
    "name is a number": ("loss: 3\noptimizer: sgd", "1:7 loss.name: expected a name, got 3"),
    "a list": ("- loss", "1:1 expected keys and values, such as `loss: cross_entropy`, got ('loss',)"),
    "empty": ("", "1:1 the file is empty; a recipe has at least a loss and an optimizer"),
    "tag": ("loss: !!python/object/apply:os.system ['true']",
            "1:7 the tag 'tag:yaml.org,2002:python/object/apply:os.system': a recipe is plain data, without tags"),
    "anchor": ("loss: &a mse_loss\noptimizer: *a", "1:7 anchors (&) and aliases (*) have no place in a recipe: write the value out"),
    "alias": ("loss: *a", "1:7 anchors (&) and aliases (*) have no place in a recipe: write the value out"),
    "two documents": (SHORT + "---\nloss: l1_loss", "3:1 a second document; a recipe is one"),
    "key of keys": ("? {a: b}\n: c", "1:3 a key is a word"),
    "no YAML": ("loss: [1, 2\noptimizer: sgd", "2:10 no valid YAML: expected ',' or ']', but got ':'"),
    "tab": ("loss:\n\tname: mse_loss", "2:1 no valid YAML: found character '\\t' that cannot start any token"),
    "control character": ("loss: a\x07", "1:8 the character '\\x07' is not allowed in YAML"),
    "depth": ("a: " + "[" * 5000, f"1:{4 + MAX_DEPTH} nested more than {MAX_DEPTH} deep"),
    "size": ("a: " + "b" * MAX_BYTES, f"1:1 a recipe has at most {MAX_BYTES:,} bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_errors_say_where_what_and_how(text, message):
    with pytest.raises(ConfigError) as error:
        parse_recipe(text)
    assert str(error.value) == f"recipe.yaml:{message}"


def test_an_unknown_hyperparameter_points_at_its_name():
    with pytest.raises(ConfigError) as error:
        parse_recipe("loss: mse_loss\noptimizer: {name: adamw,weight_decai: 1}")
    assert str(error.value).startswith(
        "recipe.yaml:2:25 optimizer.weight_decai: adamw() has no 'weight_decai'; did you mean 'weight_decay'? It takes: lr, "
    )


def test_a_file_that_is_not_there_and_one_that_is_not_text(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: No such file or directory$"):
        load_recipe(tmp_path / "nowhere.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"loss: mse_loss\noptimizer: \xff")
    with pytest.raises(ConfigError) as error:
        load_recipe(bad)
    assert str(error.value) == f"{bad}:2:12 this is not UTF-8 text"


@pytest.mark.parametrize("length", range(0, len(FULL), 7))
def test_a_file_that_was_cut_off_never_gives_another_error(length):
    try:
        parse_recipe(FULL[:length])
    except LossoptError as error:
        assert str(error).startswith("recipe.yaml:")  # a cut may also leave a valid recipe


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"steps": 0}, HyperparameterError, "recipe: steps must be at least 1, and finite, got 0"),
    ({"seed": 2**31}, HyperparameterError, "recipe: seed must be at most 2147483647 in size (int32), got 2147483648"),
    ({"precision": "float8"}, HyperparameterError, "precision must be 'float32' or 'float64' or 'bfloat16' or 'float16', got 'float8'; "
                                                   "did you mean 'float64'?"),
    ({"schedule": cosine(lr=0.5, T_max=5)}, ArgumentError,
     "cosine has lr=0.5 and the optimizer lr=0.1; the optimizer's is the base: leave the other out"),
], ids=["steps", "seed", "precision", "two bases"])  # fmt: skip
def test_a_recipe_in_python_is_checked_too(changes, error, message):
    with pytest.raises(error) as found:
        Recipe(**{"loss": cross_entropy.configure(), "optimizer": sgd(lr=0.1), **changes})
    assert str(found.value) == message
