"""Parity: every definition, in every backend and convention, against the float64 referee and the originals."""

from __future__ import annotations

from lossopt.parity.engine import parity
from lossopt.parity.report import ParityReport

__all__ = ["ParityReport", "parity"]
