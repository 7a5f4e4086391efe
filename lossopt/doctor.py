"""What works on this machine: versions, and one AdamW update really made by every backend."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lossopt import registry
from lossopt.registry import Backend

PACKAGES = ("numpy", "jax", "jaxlib", "optax", "flax", "torch", "lion-pytorch", "PyYAML", "rich", "matplotlib", "scikit-learn", "chex")

START, GRADIENT, LR = 1.0, 0.5, 0.1
AFTER_ONE_ADAMW_STEP = 0.899
"""``1 - lr * (1 + weight_decay)``: at the first step Adam moves by lr, and AdamW's decay takes 1 % of lr more."""

NEAR = 1e-6
"""float32 near 1 has steps of 6e-8, and the first step's ``eps`` changes it by 2e-9; this is a check that it runs."""


@dataclass(frozen=True)
class BackendHealth:
    """One backend.

    Attributes:
        installed: its framework is there.
        works: it made one update, with the right result; None where it is not installed.
        detail: what happened.
        facts: devices, precision, threads, as the backend tells them.
    """

    name: str
    installed: bool
    works: bool | None
    detail: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Diagnosis:
    """All that `diagnose` found.  `healthy` is False where something installed does not work."""

    lossopt: str
    python: str
    platform: str
    packages: Mapping[str, str | None]
    compiler: str | None
    backends: tuple[BackendHealth, ...]

    @property
    def healthy(self) -> bool:
        return all(b.works is not False for b in self.backends)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the same names."""
        return {**asdict(self), "healthy": self.healthy}


def diagnose() -> Diagnosis:
    """Look at everything.  Imports every framework that is installed.

    >>> diagnose().backends[0].detail
    'one AdamW update gives 0.899'
    """
    import lossopt

    return Diagnosis(
        lossopt=lossopt.__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages={name: _version(name) for name in PACKAGES},
        compiler=compiler(),
        backends=tuple(examine(b) for b in registry.backends().values()),
    )


def examine(backend: Backend) -> BackendHealth:
    """Try one backend.  Whatever a broken installation raises is the finding, so nothing is raised from here."""
    if backend.missing:
        needs, verb = " and ".join(backend.missing), "is" if len(backend.missing) == 1 else "are"
        return BackendHealth(backend.name, False, None, f"{needs} {verb} not installed: pip install 'lossopt[{backend.name}]'", {})
    try:
        page = backend.part("doctor")
        found = page.one_step(START, GRADIENT, LR)
        facts = page.facts()
    except Exception as error:
        return BackendHealth(backend.name, True, False, f"{type(error).__name__}: {' '.join(str(error).split())}", {})
    works = abs(found - AFTER_ONE_ADAMW_STEP) < NEAR
    told = f"one AdamW update gives {found:.6g}" + ("" if works else f", which should be {AFTER_ONE_ADAMW_STEP}")
    return BackendHealth(backend.name, True, works, told, facts)


def compiler() -> str | None:
    """The C++ compiler that torch.compile would use on a CPU: ``$CXX``, else what is on the path."""
    candidates = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "clang++", "c++"]
    return next((found for c in candidates if (found := shutil.which(c))), None)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
