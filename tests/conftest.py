"""What every test may ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

collect_ignore = ["planted_rules.py"]
"""Looking for docstrings in it would define its rules; test_lint does that, and takes them back."""


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in a new process, with the packages of this checkout: ``python("-c", "import lossopt")``."""

    def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join((str(ROOT), str(ROOT / "backends")))
        env = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **environment}
        return subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True, timeout=300, check=False)

    return run


@pytest.fixture
def x64() -> Iterator[None]:
    """JAX in float64."""
    import jax  # here: a test that needs no JAX does not wait for it

    with jax.enable_x64(True):
        yield
