"""What a comparison trains on: data, a pair of models, and how their parameters correspond."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from lossopt.errors import InputError, UnknownNameError, suggest
from lossopt.tasks.scores import accuracy
from lossopt.tasks.task import Data, Layout, Task

__all__ = ["Data", "Layout", "Task", "accuracy", "get_task", "load_task"]

BUILT_IN = {
    name: f"lossopt.tasks.{name}"
    for name in ("digits", "breast_cancer", "diabetes", "digits_segmentation", "digits_pairs", "digits_triplets", "characters")
}


def get_task(name: str) -> Task:
    """The built-in task of that name.

    Raises:
        UnknownNameError: with the closest name.
    """
    if name not in BUILT_IN:
        yours = "; your own task is code, and code is named on the command line: --task my_pair.py" if name.endswith(".py") else ""
        near = yours or suggest(name, BUILT_IN)
        raise UnknownNameError(f"unknown task {name!r}{near or '.'} It is one of: {', '.join(BUILT_IN)}")
    return importlib.import_module(BUILT_IN[name]).task


def load_task(path: str | Path) -> Task:
    """The ``task`` that a Python file defines.  This runs the file.

    Raises:
        InputError: there is no such file, or it defines no ``task = Task(...)``.
    """
    path = Path(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if path.suffix != ".py" or not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"--task takes a Python file that defines `task = Task(...)`; {str(path)!r} is no such file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, "task", None)
    if not isinstance(found, Task):
        given = "does not define `task`" if found is None else f"defines `task` as {type(found).__name__}"
        raise InputError(f"{path} {given}; write: from lossopt.tasks import Data, Task; task = Task(name=..., data=..., models=...)")
    return found
