"""Parity: every definition, in every backend and convention, against the float64 referee and the originals.

>>> from lossopt.parity import parity
>>> print(parity(["sgd"], dtypes=["float64"]).ok)  # doctest: +SKIP
True
"""

from __future__ import annotations

from lossopt.parity.engine import parity
from lossopt.parity.report import ParityReport

__all__ = ["ParityReport", "parity"]
