"""A recording as a folder: ``run.json``, ``steps.jsonl``, and one ``arrays/<step>.safetensors`` for each step that has arrays.

Crash-safe: a line of steps.jsonl is flushed as soon as its step is known, an array file is complete or not there, and the
reader leaves out what a crash cut off.  Of the numbers of the optimizer's groups a line has those that have changed since the
line before, the first line all; the reader fills them in.
"""

from __future__ import annotations

import functools
import importlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from lossopt.errors import InputError, MissingBackendError
from lossopt.recording.contents import FRAMEWORKS, VERSION, Arrays, Parameter, Recording, RunInfo, Step
from lossopt.recording.numbers import Numbers, changed, filled, said


def safetensors() -> Any:
    """The library that holds the arrays.

    Raises:
        MissingBackendError: it is not installed.
    """
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError:
        raise MissingBackendError("recordings need safetensors, which is not installed: pip install 'lossopt[record]'") from None


class FolderWriter:
    """Writes a run as it happens.

    Args:
        folder: made if it is not there.
        overwrite: whether a recording that is there may be replaced.

    Raises:
        InputError: the folder holds something, and `overwrite` is False.
    """

    def __init__(self, folder: str | Path, *, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        safetensors()
        found = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        if found and not (overwrite and (self.folder / "run.json").is_file()):
            what = "a recording" if (self.folder / "run.json").is_file() else f"{found[0].name}"
            raise InputError(f"{self.folder} holds {what} already; name another folder, or write overwrite=True to replace a recording")
        for old in (self.folder / "arrays").glob("*.safetensors"):
            old.unlink()
        (self.folder / "arrays").mkdir(parents=True, exist_ok=True)
        self._lines = open(self.folder / "steps.jsonl", "w", encoding="utf-8")  # noqa: SIM115 - open as long as the run
        self._begun = False
        self._numbers: Numbers = {}

    def begin(self, info: RunInfo) -> None:
        """Say what is recorded; once, before the first step."""
        text = json.dumps({"version": VERSION, **asdict(info)}, indent=1)
        _replace(self.folder / "run.json", text.encode())
        self._begun = True

    def write(self, step: Step, arrays: Arrays | None = None) -> None:
        """One step, its arrays first."""
        if arrays:
            whole = {name: np.ascontiguousarray(x) for name, x in arrays.items()}
            _replace(self.folder / "arrays" / f"{step.step:08d}.safetensors", safetensors().save(whole))
        self._lines.write(_line({**step.to_dict(), "numbers": changed(step.numbers, self._numbers)}))
        self._lines.flush()
        self._numbers = step.numbers

    def close(self) -> None:
        self._lines.close()


def read_recording(folder: str | Path) -> Recording:
    """The recording in a folder.

    Raises:
        InputError: there is none, a newer lossopt wrote it, or one of its files is not what was written.

    Example:
        >>> import tempfile
        >>> from lossopt.recording import FolderWriter, Parameter, RunInfo, Step
        >>> folder = tempfile.mkdtemp()
        >>> writer = FolderWriter(folder)
        >>> writer.begin(RunInfo("torch", (Parameter("weight", (2,)),)))
        >>> writer.write(Step(0, loss=0.5), {"grad/weight": np.ones(2, np.float32)})
        >>> writer.close()
        >>> found = read_recording(folder)
        >>> found.steps[0].loss, found.of("grad", 0)
        (0.5, {'weight': array([1., 1.])})
    """
    folder = Path(folder)
    try:
        told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} holds no recording (no run.json); lossopt.record(...) makes one") from None
    except ValueError as problem:
        raise InputError(f"{folder / 'run.json'} is not JSON: {problem}") from None
    version = told.get("version") if isinstance(told, dict) else None
    if isinstance(version, int) and version != VERSION:
        raise InputError(f"{folder} was recorded in format {version}, this lossopt reads {VERSION}; upgrade lossopt")
    try:
        parameters = tuple(Parameter(**{**p, "shape": tuple(p["shape"])}) for p in told["parameters"])
        info = RunInfo(told["framework"], parameters, told["told"])
    except (TypeError, KeyError):
        raise InputError(f"{folder / 'run.json'} is not as lossopt.record(...) writes it; record the run again") from None
    if info.framework not in FRAMEWORKS:
        raise InputError(f"{folder / 'run.json'} says framework {info.framework!r}, and recordings are of {' or '.join(FRAMEWORKS)}; "
                         "record the run with lossopt.record(...)")  # fmt: skip
    files = {int(f.stem): f for f in sorted((folder / "arrays").glob("*.safetensors")) if f.stem.isdecimal()}
    steps = _steps(folder / "steps.jsonl")
    known = {s.step for s in steps}

    def load(step: int) -> Arrays:
        library, content = safetensors(), files[step].read_bytes()
        try:
            found = library.load(content)
        except Exception as problem:  # its own class, which older versions of the library call otherwise
            raise InputError(f"{files[step]} is not a whole safetensors file ({problem}); remove it, and the rest of the run "
                             "can be read without the arrays of that step") from None  # fmt: skip
        return {name: _wide(x) for name, x in found.items()}

    return Recording(info, steps, tuple(s for s in files if s in known), load, label=folder.name)


def _steps(file: Path) -> tuple[Step, ...]:
    found = []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        try:
            told = _from_json(json.loads(line))
            told["lr"], told["losses"] = tuple(told["lr"]), tuple(told.get("losses", ()))
            told["batch"] = tuple(map(tuple, told["batch"]))
            told["numbers"] = said(told.get("numbers", {}))
            found.append(Step(**told))
        except (ValueError, TypeError, KeyError, AttributeError):
            if number == len(lines):  # cut off by a crash
                break
            raise InputError(f"{file}, line {number}, is no step as lossopt.record(...) writes it; record the run again") from None
    return tuple(replace(step, numbers=numbers) for step, numbers in zip(found, filled([s.numbers for s in found]), strict=True))


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _replace(file: Path, content: bytes) -> None:
    """The file whole, or not at all."""
    part = file.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, file)


def _line(told: Mapping[str, Any]) -> str:
    """A step as JSON.  Norms, the most of it, are written by a pattern: in nine digits, which tell float32, in a third of the time."""
    try:
        parts = [f'"{key}": {_norms(x) if key.endswith("_norms") else json.dumps(x, allow_nan=False)}' for key, x in told.items()]
        return f"{{{', '.join(parts)}}}\n"
    except ValueError:  # something is not finite
        return json.dumps(_to_json(told), allow_nan=False) + "\n"


def _norms(by_name: Mapping[str, float]) -> str:
    if not math.isfinite(sum(by_name.values())):
        raise ValueError
    return _pattern(tuple(by_name)) % tuple(by_name.values())


@functools.lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> str:
    return "{" + ", ".join(json.dumps(name).replace("%", "%%") + ": %.9g" for name in names) + "}"


def _to_json(x: Any) -> Any:
    """JSON has no NaN and no infinity: they are strings."""
    if isinstance(x, float) and not np.isfinite(x):
        return str(x)
    if isinstance(x, Mapping):
        return {k: _to_json(v) for k, v in x.items()}
    return [_to_json(v) for v in x] if isinstance(x, list | tuple) else x


def _from_json(x: Any) -> Any:
    if isinstance(x, str) and x in ("nan", "inf", "-inf"):
        return float(x)
    if isinstance(x, Mapping):
        return {k: _from_json(v) for k, v in x.items()}
    return [_from_json(v) for v in x] if isinstance(x, list) else x
