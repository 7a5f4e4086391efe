"""Assertions about numbers; chex is behind them, and nowhere else."""

from __future__ import annotations

from typing import Any

import chex
import numpy as np

from lossopt.parity import ParityReport


def assert_close(found: Any, expected: Any, *, rtol: float = 1e-12, atol: float = 0.0) -> None:
    """Two trees of arrays of any framework have the same structure, and numbers within the tolerance."""
    chex.assert_trees_all_close(_numpy(found), _numpy(expected), rtol=rtol, atol=atol)


def assert_same(found: Any, expected: Any) -> None:
    """Two trees of arrays of any framework have the same structure, dtypes and bits."""
    chex.assert_trees_all_equal(_numpy(found), _numpy(expected), strict=True)


def assert_ok(report: ParityReport) -> None:
    """Every comparison is within its bound; the message is the report's own."""
    assert report.rows, "the report has no rows"
    assert report.ok, "\n".join(["", *report.notes()])


def _numpy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _numpy(v) for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        return [_numpy(v) for v in tree]
    return np.asarray(tree.detach() if hasattr(tree, "detach") else tree)
