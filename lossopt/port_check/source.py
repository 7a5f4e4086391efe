"""The user's own code: a function of a file, and what becomes of the exceptions that it raises."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from lossopt.errors import InputError, LossoptError, suggest

LONGEST = 400
"""Of an exception's message: JAX's can go on for a page."""

LIBRARIES = (sysconfig.get_path("stdlib"), *sysconfig.get_paths().values(), str(Path(__file__).parents[1]))


@dataclass(frozen=True)
class Maker:
    """A function that makes one side.

    Attributes:
        make: takes nothing.
        label: what to call it in errors: ``a.py:make``.
        folder: of its file; None for a function that was given as such.
    """

    make: Callable[[], Any]
    label: str
    folder: Path | None = None

    def __call__(self) -> Any:
        if needed := _needed(self.make):
            raise InputError(f"{self.label} needs {', '.join(needed)}, and is called without arguments; name a function that takes none")
        with imports_from(self.folder), told(f"{self.label}()"):
            return self.make()


def _needed(make: Callable[[], Any]) -> list[str]:
    """The arguments that a function cannot be called without."""
    try:
        parameters = inspect.signature(make).parameters.values()
    except ValueError:  # some that are written in C do not say
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def load(option: str, given: str) -> Maker:
    """The function that ``--torch a.py:make`` names.  This runs the file.

    Raises:
        InputError: no such file or function, or the file raises.
    """
    path, _, name = given.rpartition(":") if ".py:" in given else (given, "", "make")
    file = Path(path)
    if file.suffix != ".py" or not name.isidentifier():
        raise InputError(f"{option} takes FILE.py:FUNCTION, got {given!r}; write {option} port.py:make")
    if not file.is_file():
        raise InputError(f"{option}: there is no file {path}")
    with imports_from(file.parent), told(f"{option}: {path}"):
        module = _run(file, option)
    make = getattr(module, name, None)
    if not callable(make):
        functions = [n for n, x in vars(module).items() if callable(x) and getattr(x, "__module__", None) == module.__name__]
        has = suggest(name, functions) or (f"; it defines {', '.join(functions[:5])}" if functions else "")
        raise InputError(f"{option}: {path} defines no function {name!r}{has}")
    return Maker(make, f"{path}:{name}", file.parent)


def _run(file: Path, option: str) -> ModuleType:
    # A name of its own, for both sides may be called port.py; and in sys.modules, where dataclasses look for it.
    name = f"lossopt_port_check_{option.strip('-')}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def imports_from(folder: Path | None) -> Iterator[None]:
    """Imports find the files beside the user's, as they do where it is run as a script.

    What was found there is then forgotten, for the other side may have a model.py of its own.
    """
    if folder is None:
        yield
        return
    here, before = str(folder.resolve()), set(sys.modules)
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if Path(file).is_relative_to(here) and not _of_library(file) and not name.startswith("lossopt"):
                del sys.modules[name]


@contextlib.contextmanager
def told(doing: str) -> Iterator[None]:
    """An exception of the user's code as one line: its type, message, file and line; the exception itself is the cause."""
    try:
        yield
    except LossoptError:
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
        text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
        raise InputError(f"{doing} raised {type(error).__name__}{f': {text}' if text else ''} ({_where(error)})") from error


def _where(error: BaseException) -> str:
    """The innermost line of the user's; where there is none, the innermost."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [f for f in frames if not _of_library(f.filename)] or frames
    return f"{theirs[-1].filename}, line {theirs[-1].lineno}"


def _of_library(file: str) -> bool:
    inside = file.startswith(("<", *LIBRARIES)) or "site-packages" in file
    return inside or any(part in ("lossopt_torch", "lossopt_jax") for part in Path(file).parts)
