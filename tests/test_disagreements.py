"""The page of differences says what there is and what is measured; its rows can be pointed at; none is missing."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from pathlib import Path

import pytest

from lossopt import registry
from lossopt.errors import InputError, UnknownNameError
from lossopt.parity.disagreements import PAGE, Disagreement, disagreements, outdated, page, read, slugs, topic_link, topics, widest
from lossopt.parity.disagreements.page import ROUNDING, ROUNDING_FLOAT32
from lossopt.parity.disagreements.table import SECTIONS
from lossopt.parity.engine import names_in

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
AGREE = {"sgd-momentum"}
"""Where the frameworks do not differ: a measure of the measure."""


# ------------------------------------------------------------------------------------------------- what is measured
@pytest.mark.parametrize("section", SECTIONS)
def test_the_frameworks_differ_as_the_page_says_and_lossopt_does_not(section):
    rows = disagreements(SECTIONS[section])
    assert outdated(TEXT, rows) == []
    for row in rows:
        rounding = ROUNDING_FLOAT32 if row.topic.about == "float32" else ROUNDING
        assert row.ours < rounding, row.topic.slug
        assert (row.apart < rounding) == (row.topic.slug in AGREE), row.topic.slug
        for side, far in zip(row.topic.sides, row.sides, strict=True):  # what is said not to be copied is not there
            assert (far >= rounding) == bool(side.unlike), (row.topic.slug, side.shown, far)


# ------------------------------------------------------------------------------------------------- what is there
def test_every_convention_that_differs_from_another_frameworks_has_a_row():
    shown = {name for topic in topics() for side in topic.sides for name in names_in(side.case)}
    as_another = {"kl_divergence_with_log_targets": "kl_div"}
    missing = []
    for kind in registry.FOLDERS:
        for name in registry.own_names(kind):
            d = registry.definition(name, kind)
            own = [c for c in d.conventions if any(n.startswith(f"{c}.") for n in registry.foreign_names(d.elsewhere.get(c, ""), dotted=True))]
            said = {tuple(sorted((k, repr(v)) for k, v in d.conventions[c].items() if k not in ("lr", "reduction"))) for c in own}
            if len(said) > 1 and as_another.get(name, name) not in shown:
                missing.append(name)
    assert missing == []


def test_a_row_has_an_anchor_of_its_own():
    assert len(set(slugs())) == len(slugs()) == len(topics())
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs())
    assert [row.slug for row in read(TEXT)] == slugs()
    assert all(f'<a id="{slug}"></a>' in TEXT for slug in slugs())


def test_a_row_shows_whose_code_it_runs():
    words = {"torch": r"torch|F\.|LR\(|AveragedModel|backward|clamp|\.sum\(1\)", "optax": "optax|jnp", "keras": "keras"}
    for topic in topics():
        assert topic.left.framework != topic.right.framework
        for side in topic.sides:
            assert re.search(words[side.framework], side.shown), side.shown
            assert type(side.case) is type(topic.left.case)


def test_upstream_is_linked():
    found = {row.slug: row.cells[8] for row in read(TEXT)}
    assert found["rprop-stale-update"] == "[optax#1725](https://github.com/google-deepmind/optax/pull/1725)"
    assert found["adam-weight-decay"] == "[optax#417](https://github.com/google-deepmind/optax/issues/417)"


def test_rows_of_one_definition():
    assert slugs("rprop") == ["rprop-stale-update", "rprop-step-bounds"]
    assert slugs("no_such_definition") == []


def test_a_link_to_a_row():
    assert topic_link("amsgrad-maximum") == "lossopt/parity/DIFFERENCES.md#amsgrad-maximum"
    with pytest.raises(UnknownNameError) as caught:
        topic_link("amsgrad-maximun")
    assert str(caught.value) == "no row of lossopt/parity/DIFFERENCES.md is called 'amsgrad-maximun'; did you mean 'amsgrad-maximum'?"
    with pytest.raises(UnknownNameError) as caught:
        topic_link("zzz")
    assert str(caught.value) == "no row of lossopt/parity/DIFFERENCES.md is called 'zzz'; lossopt.parity.disagreements.slugs() lists all"


def test_the_verdict_that_the_readme_shows_is_the_examples():
    """Without the indentation that a terminal gives it: every line, in this order."""
    readme, example = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "examples/DISAGREEMENTS.md"))
    (shown,) = re.findall(r"```\n(From step 0 on weight_decay is .*?)```", readme, flags=re.S)
    printed = example.partition("## AdamW with everything left at its default\n")[2].partition("\n## ")[0]
    assert shown.count("\n") == 4
    assert "\n" + textwrap.indent(shown, "  ") in printed


# ------------------------------------------------------------------------------------------------- when the page is behind
def as_shown() -> dict[str, Disagreement]:
    """The rows as if they had been measured to be what the page says."""

    def number(cell: str) -> float:
        return float("inf") if cell == "not finite" else float(cell)

    found = {}
    for topic, row in zip(topics(), read(TEXT), strict=True):
        carried = number(row.cells[7]) if row.cells[7] else 0.0
        found[topic.slug] = Disagreement(topic, row.apart, number(row.cells[6]), (carried, carried))
    return found


def test_the_page_is_what_its_rows_write():
    rows = as_shown()
    assert page(rows.values()) == TEXT
    assert outdated(TEXT, rows.values()) == []


def test_a_page_that_is_behind_says_where():
    line = next(line for line in TEXT.splitlines() if 'id="lion-weight-decay"' in line)
    cases = {
        TEXT.replace(line + "\n", ""): "the row lion-weight-decay is missing",
        TEXT.replace(line, line + "\n" + line.replace("lion-weight-decay", "tiger")): "the row tiger is of nothing",
        TEXT.replace(line, line.replace("weight decay 0 or", "weight decay 1 or")): "the row lion-weight-decay has other words now",
        TEXT.replace("## Schedules\n", "## Rates\n"): "its introduction, sections or order are other ones now",
    }
    for text, what in cases.items():
        assert f"lossopt/parity/DIFFERENCES.md: {what}; type: make readme" in outdated(text)
    with pytest.raises(InputError) as caught:
        outdated("# Something else\n")
    assert str(caught.value) == "this is no page of differences: it has no rows; type: make readme"


@pytest.mark.parametrize(
    ("slug", "changed", "what"),
    [
        ("l2-loss-half", {"apart": 0.54}, "says 0.5 apart, measured 0.54"),
        ("l2-loss-half", {"apart": float("inf")}, "says 0.5 apart, measured not finite"),
        ("ctc-impossible", {"apart": 3.0}, "says not finite apart, measured 3"),
        ("sgd-momentum", {"apart": 1e-9}, None),
        ("lion-weight-decay", {"ours": 1e-3}, "under 'JAX to PyTorch', measured 0.001"),
        ("lion-weight-decay", {"sides": (0.0, 1e-3)}, "under 'carried over', measured 0.001"),
    ],
)  # fmt: skip
def test_a_number_that_is_another_one_now(slug, changed, what):
    row = dataclasses.replace(as_shown()[slug], **changed)
    (found,) = outdated(TEXT, [row])
    assert found.startswith(f"lossopt/parity/DIFFERENCES.md: the row {slug} says ")
    assert found.endswith("; type: make readme")
    assert what is None or what in found


@pytest.mark.parametrize(("apart"), [0.515, 0.485, 0.5 + 1e-9])
def test_two_digits_are_compared(apart):
    assert outdated(TEXT, [dataclasses.replace(as_shown()["l2-loss-half"], apart=apart)]) == []


def test_the_widest_rows_lead_to_their_rows():
    head, rule, *lines, _, more = widest(TEXT, 3).splitlines()
    assert more.startswith(f"These are the widest 3 of {len(topics())}; all stand in [lossopt/parity/DIFFERENCES.md]")
    assert head.count("|") == rule.count("|") == 8
    assert len(lines) == 3
    for line in lines:
        slug = re.match(r"\| \[[^]]+\]\(lossopt/parity/DIFFERENCES\.md#([a-z0-9-]+)\) \|", line).group(1)
        assert slug in slugs()
        assert line.count(" | ") == 6
