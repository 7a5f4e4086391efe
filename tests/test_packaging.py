"""What is installed: the wheel's contents, its requirements, and that the checkout's own files agree."""

from __future__ import annotations

import email.parser
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest

import lossopt

PACKAGES = ("lossopt", "lossopt_numpy", "lossopt_jax", "lossopt_torch")


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> zipfile.ZipFile:
    """A wheel of the checkout, built without a network."""
    to = tmp_path_factory.mktemp("wheel")
    ran = subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)], cwd=root, capture_output=True,
                         text=True, check=False)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    (built,) = to.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def metadata(wheel):
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return email.parser.Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_four_typed_packages_and_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {*PACKAGES, f"lossopt-{lossopt.__version__}.dist-info"}
    assert {f"{p}/py.typed" for p in PACKAGES} <= set(wheel.namelist())
    assert {name for name in wheel.namelist() if "dist-info" not in name and not name.endswith((".py", ".pyi", "py.typed"))} == set()


def test_the_wheel_holds_every_module_and_stub(root, wheel):
    sources = {p: root / (p if p == "lossopt" else f"backends/{p}") for p in PACKAGES}
    files = [(p, f.relative_to(folder)) for p, folder in sources.items() for f in folder.rglob("*.py*")]
    there = {f"{p}/{f.as_posix()}" for p, f in files if f.suffix in (".py", ".pyi")}
    assert {name for name in wheel.namelist() if name.endswith((".py", ".pyi"))} == there


def test_the_core_needs_three_small_packages(metadata):
    needed = metadata.get_all("Requires-Dist")
    core = {re.split(r"[<>=\[ ;]", r)[0] for r in needed if "extra ==" not in r}
    assert core == {"numpy", "pyyaml", "rich"}


def test_version_and_entry_point(metadata, wheel):
    assert metadata["Version"] == lossopt.__version__
    assert metadata["License-Expression"] == "MIT"
    entry = next(n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert wheel.read(entry).decode().split() == ["[console_scripts]", "lossopt", "=", "lossopt.cli.main:main"]


def test_extras_are_the_documented_ones(project):
    assert sorted(project["project"]["optional-dependencies"]) == ["all", "compare", "dev", "jax", "record", "torch"]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=\[ ;]", requirement)[0].lower().replace("_", "-")


def pins(root) -> dict[str, str]:
    lines = [line for line in (root / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == [], "no hosts, no builds"
    return {name_of(line): line.partition("==")[2] for line in lines}


def test_constraints_pin_every_requirement_within_its_range(root, project):
    from packaging.requirements import Requirement

    pinned = pins(root)
    extras = [r for group in project["project"]["optional-dependencies"].values() for r in group if not r.startswith("lossopt[")]
    for requirement in map(Requirement, [*project["project"]["dependencies"], *extras, *project["build-system"]["requires"]]):
        name = name_of(requirement.name)
        assert name in pinned, f"constraints.txt has no {name}"
        assert requirement.specifier.contains(pinned[name]), requirement


def test_this_environment_is_the_pinned_one(root):
    """The suite's figures hold for these versions; `make test` installs them."""
    from importlib.metadata import PackageNotFoundError, version

    wrong = {}
    for name, pinned in pins(root).items():
        try:
            found = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
        if found != pinned:
            wrong[name] = (found, pinned)
    assert wrong == {}
