"""``lossopt COMMAND``: the commands, and what becomes of errors."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from lossopt.errors import LossoptError, suggest

COMMANDS = ("compare", "diff", "identify", "port-check", "parity", "validate", "show", "groups", "plot-schedule", "schema", "list",
            "explain", "doctor", "bench")  # fmt: skip
"""In the order of ``lossopt --help``; each is a page of this folder, light enough to import for the help alone."""

EXIT = """exit status:
  0  all is well
  1  the check that was asked for failed, or a run diverged
  2  wrong usage or bad input; one line on standard error says what to type"""


class Parser(argparse.ArgumentParser):
    """argparse, with one line per error and a suggestion in it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"lossopt: {message} ({self.prog} --help shows the usage)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    >>> main(["--version"])  # doctest: +ELLIPSIS
    lossopt ...
    0
    """
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse: --help, --version, wrong usage
        return stop.code if isinstance(stop.code, int) else 0
    except LossoptError as error:
        return _say(*map(str, getattr(error, "problems", (error,))))
    except BrokenPipeError:
        # Whoever read the output has left (`lossopt list | head`); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return 130


def parser() -> Parser:
    """The whole command line."""
    import lossopt

    about = (lossopt.__doc__ or "").partition("\n")[0].removeprefix("lossopt: ")
    top = Parser(prog="lossopt", description=about[:1].upper() + about[1:], epilog=EXIT, allow_abbrev=False,
                 formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    top.add_argument("--version", action="version", version=f"lossopt {lossopt.__version__}")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    for name in COMMANDS:
        importlib.import_module(f"lossopt.cli.{name.replace('-', '_')}").add_parser(subparsers)
    return top


def _run(argv: Sequence[str]) -> int:
    top = parser()
    if not argv:
        top.print_help()
        return 2
    if argv[0] not in COMMANDS and argv[0] not in _options(top):
        if argv[0].startswith("-"):
            _refuse(top, argv[0])
        top.error(f"unknown command {argv[0]!r}{suggest(argv[0], COMMANDS) or '; it is one of ' + ', '.join(COMMANDS)}")
    args, unknown = top.parse_known_args(argv)
    if unknown:
        _refuse(_parser_of(top, args.command), unknown[0])
    return args.run(args)


def _refuse(taken: Parser, given: str) -> NoReturn:
    """An argument that the command does not take, with the closest one that it does."""
    near = suggest(given, _options(taken)) if re.match(r"--?\w", given) else ""
    taken.error(f"{taken.prog} takes no {given!r}{near}")


def _options(taken: Parser) -> list[str]:
    return [option for action in taken._actions for option in action.option_strings]


def _parser_of(top: Parser, command: str) -> Parser:
    return next(a for a in top._actions if isinstance(a, argparse._SubParsersAction)).choices[command]


def _say(*messages: str) -> int:
    """Each message on its line."""
    for message in messages:
        print(f"lossopt: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
