"""Which parameters a list of patterns names."""

from __future__ import annotations

import fnmatch

from lossopt.errors import InputError, suggest


def selected(owner: str, names: tuple[str, ...], patterns: tuple[str, ...]) -> tuple[int, ...]:
    """The indices of the parameters that a pattern matches.

    Raises:
        InputError: a pattern that matches none, with the nearest name.
    """
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            near = suggest(pattern.strip("*."), names) or "."
            raise InputError(f"{owner}: the pattern {pattern!r} matched 0 of {len(names)} parameters{near}"
                             + (f" Names are like {names[0]!r}" if names else ""))  # fmt: skip
    return tuple(i for i, name in enumerate(names) if any(fnmatch.fnmatchcase(name, p) for p in patterns))
