"""Who imports whom: the core no framework, a backend no other backend, a definition no other definition."""

from __future__ import annotations

import ast
import json

import pytest

FRAMEWORKS = ("jax", "jaxlib", "optax", "flax", "chex", "torch", "lion_pytorch")
BACKENDS = ("lossopt_numpy", "lossopt_jax", "lossopt_torch")

LOADED = f"""
import json, sys
watched = {(*FRAMEWORKS, *BACKENDS, "numpy", "yaml", "rich", "matplotlib")}
print(json.dumps([name for name in watched if name in sys.modules]))
"""

PAGES = """
import importlib, pkgutil
import lossopt
for page in pkgutil.walk_packages(lossopt.__path__, "lossopt."):
    if not page.name.endswith("__main__"):
        importlib.import_module(page.name)
"""

EXPLAIN_ALL = """
import lossopt
for names in (lossopt.list_losses(), lossopt.list_optimizers(), lossopt.list_schedules(), lossopt.list_transforms()):
    for name in names:
        str(lossopt.explain(name))
"""

CLI = """
import contextlib, io
from lossopt.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    assert main({argv!r}) == 0
"""


def loaded(python, program: str) -> set[str]:
    ran = python("-c", program + LOADED)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("program", "allowed"),
    [
        pytest.param("import lossopt", set(), id="import"),
        pytest.param(PAGES, {"numpy", "yaml", "rich", "matplotlib"}, id="every module"),
        pytest.param(CLI.format(argv=["--help"]), set(), id="help"),
        pytest.param(CLI.format(argv=["list"]), {"numpy", "rich"}, id="list"),
        pytest.param(CLI.format(argv=["explain", "adamw"]), {"numpy", "rich", "lossopt_numpy"}, id="explain"),
        pytest.param(EXPLAIN_ALL, {"numpy", "lossopt_numpy"}, id="explain everything"),
    ],
)
def test_the_core_loads_no_framework(python, program, allowed):
    assert loaded(python, program) <= allowed


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_loads_no_other_backend(python, backend):
    own = {"lossopt_jax": {"jax", "jaxlib", "optax", "flax"}, "lossopt_torch": {"torch", "lion_pytorch"}}.get(backend, set())
    pages = f"""
import importlib, pkgutil
import {backend}
for page in pkgutil.walk_packages({backend}.__path__, "{backend}."):
    importlib.import_module(page.name)
"""
    # optax reaches chex, and torch's compiler looks at numpy: what they load is theirs.
    assert loaded(python, pages) - {"numpy", "yaml", "rich", "chex"} <= own | {backend}


SHARED = {"lossopt.definition", "lossopt.hyper", "lossopt.ops", "lossopt.vector", "lossopt.errors", "lossopt.noise"}
OF_LOSSES = {"lossopt.losses.reduction", "lossopt.losses.spec", "lossopt.schedules.spec"}
"""What losses and schedules are made into; mathematics that pages share stands in their folder's ``shared``."""


def imported_modules(source: str) -> set[str]:
    """Every lossopt module that a text imports from, wherever the statement stands, but for the docstrings' examples."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            is_folder = node.module.count(".") == 1 and node.module.partition(".")[2] in ("losses", "optimizers", "schedules", "transforms")
            found |= {f"{node.module}.{alias.name}" for alias in node.names} if is_folder else {node.module}
    return {name for name in found if name.startswith("lossopt")}


@pytest.mark.parametrize("folder", ["losses", "optimizers", "schedules", "transforms"])
def test_a_definition_imports_no_other_definition(root, folder):
    pages = {p.stem: p for p in (root / "lossopt" / folder).glob("*.py") if p.stem not in ("__init__", "functions", "reduction", "spec")}
    assert len(pages) > 5
    foreign = {name: imported_modules(page.read_text()) - SHARED - OF_LOSSES for name, page in pages.items()}
    assert {name: found for name, modules in foreign.items() if (found := {m for m in modules if ".shared" not in m})} == {}


def test_the_import_reader_sees_another_definition():
    assert imported_modules("from lossopt.losses import l1_loss, mse_loss") == {"lossopt.losses.l1_loss", "lossopt.losses.mse_loss"}
    assert imported_modules("def f():\n    from lossopt.optimizers.adam import adam") == {"lossopt.optimizers.adam"}


FORBIDDEN = [("lossopt", name) for name in (*FRAMEWORKS, *BACKENDS)]
FORBIDDEN += [(f"backends/{b}", other) for b in BACKENDS for other in BACKENDS if other != b]
FORBIDDEN += [("backends/lossopt_numpy", "jax"), ("backends/lossopt_numpy", "torch")]
FORBIDDEN += [("backends/lossopt_jax", "torch"), ("backends/lossopt_torch", "jax"), ("backends/lossopt_torch", "optax")]


@pytest.mark.parametrize(("folder", "name"), FORBIDDEN, ids=[f"{f}-{n}" for f, n in FORBIDDEN])
def test_ruff_refuses_a_forbidden_import_even_inside_a_function(root, tmp_path, folder, name):
    import subprocess
    import sys

    source = f"def late() -> object:\n    import {name}\n\n    return {name}\n"
    ran = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", "--output-format", "concise",
                          "--stdin-filename", str(root / folder / "planted.py"), "-"],
                         input=source, cwd=root, capture_output=True, text=True, check=False)  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert f"`{name}` is banned" in ran.stdout
