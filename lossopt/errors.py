"""What can go wrong, said once: every error tells what was given, what is allowed and what to type."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LossoptError(Exception):
    """The root of all errors that lossopt raises on purpose; the command line prints these without a traceback."""


class UnknownNameError(LossoptError, LookupError):
    """A loss, optimizer, schedule, backend or convention that nobody has defined."""


class ArgumentError(LossoptError, TypeError):
    """An argument that a definition does not take, or lacks."""


class HyperparameterError(LossoptError, ValueError):
    """A hyperparameter outside its range or of the wrong type."""


class InputError(LossoptError, ValueError):
    """Arrays that a loss or an update cannot take: shapes, dtypes, labels, mixed frameworks."""


class DefinitionError(LossoptError, TypeError):
    """A rule, loss or schedule written in a way that no backend could carry."""


class ConfigError(LossoptError, ValueError):
    """A recipe's file that does not say a valid recipe; the message begins with ``file:line:column key:``.

    Attributes:
        problems: one error for each thing that is wrong, in the order of the file; of one, the error itself.
        at: the line and column, from 1; (0, 0) where there is none.
    """

    problems: tuple[ConfigError, ...]

    def __init__(self, message: str, at: tuple[int, int] = (0, 0)) -> None:
        super().__init__(message)
        self.problems, self.at = (self,), at

    @classmethod
    def joined(cls, problems: Iterable[ConfigError]) -> ConfigError:
        """One error for several: a line for each."""
        found = tuple(sorted(problems, key=lambda problem: problem.at))
        if len(found) == 1:
            return found[0]
        made = cls("\n".join(map(str, found)))
        made.problems = found
        return made


class MissingBackendError(LossoptError, ImportError):
    """The framework behind a backend is not installed."""


def suggest(given: str, known: Iterable[str]) -> str:
    """``"; did you mean 'adamw'?"``, or nothing when no known name is near."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(given.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""
