"""The planted suite: what differs between two runs is found, and rounding is not taken for a difference."""

from __future__ import annotations

import pytest
from planted.confusion import judge
from planted.pairs import EQUAL, PAIRS


def test_the_suite_is_large_enough():
    assert len(PAIRS) >= 60
    assert len(EQUAL) >= 40
    assert len({p.name for p in (*PAIRS, *EQUAL)}) == len(PAIRS) + len(EQUAL)
    assert {o.framework for p in PAIRS for o in (p.a, p.b)} == {"torch", "jax"}
    assert len({p.a.optimizer for p in PAIRS}) >= 6


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p.name)
def test_the_first_broken_link_and_its_cause(pair):
    judged = judge(pair, told=True)
    assert judged.link in pair.links, judged.found.verdict.sentence
    assert judged.found.verdict.cause in pair.causes, judged.found.verdict.sentence


@pytest.mark.parametrize("pair", EQUAL, ids=lambda p: p.name)
def test_rounding_is_no_difference(pair):
    judged = judge(pair, told=True)
    assert judged.found.equal, judged.found.verdict.sentence
