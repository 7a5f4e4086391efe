"""YAML as a tree that remembers where everything stands; strict, and safe to read from strangers.

Numbers are those of YAML 1.2 (``1e-3`` is a number, ``on`` is a word).  Duplicate keys, aliases, tags, a second
document, deep nesting and large files are errors.  Nothing in a file can name code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lossopt.errors import ConfigError

MAX_BYTES, MAX_DEPTH = 1 << 18, 16

_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


@dataclass(frozen=True)
class Place:
    """Where something stands: ``recipe.yaml:7:9``, lines and columns from 1."""

    file: str
    line: int
    column: int

    def error(self, message: str, key: str = "") -> ConfigError:
        """A ConfigError that says where."""
        return ConfigError(f"{self} {key + ': ' if key else ''}{message}", (self.line, self.column))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Node:
    """A value and its place: a scalar, a list of nodes, or a dict of nodes with the places of its keys."""

    value: Any
    place: Place
    keys: dict[str, Place]

    def plain(self) -> Any:
        """The value without places; a list becomes a tuple."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        return tuple(v.plain() for v in self.value) if isinstance(self.value, list) else self.value


def read(path: str | Path) -> Node:
    """The document in a file.

    Raises:
        ConfigError: it cannot be read, or it is no plain YAML.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    return parse(content, str(path))


def parse(content: str | bytes, file: str = "recipe.yaml") -> Node:
    """The document in a text."""
    if isinstance(content, str):
        content = content.encode()
    start = Place(file, 1, 1)
    if len(content) > MAX_BYTES:
        raise start.error(f"a recipe has at most {MAX_BYTES:,} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Place(file, line, error.start - content.rfind(b"\n", 0, error.start)).error("this is not UTF-8 text") from None
    try:
        return _Reader(yaml.parse(text, Loader=yaml.SafeLoader), file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = start if mark is None else Place(file, mark.line + 1, mark.column + 1)
        quotes = "; a pattern stands in quotes: '*.bias'" if error.context == "while scanning an alias" else ""
        raise place.error(f"no valid YAML: {error.problem or error.context}{quotes}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise Place(file, line, column).error(f"the character {chr(error.character)!r} is not allowed in YAML") from None


class _Reader:
    def __init__(self, events: Iterator[Any], file: str) -> None:
        self.events, self.file = events, file

    def document(self) -> Node:
        next(self.events)  # the stream begins
        if isinstance(first := next(self.events), yaml.StreamEndEvent):
            raise self.at(first).error("the file is empty; a recipe has at least a loss and an optimizer")
        node = self.node(next(self.events), 0)
        next(self.events)  # the document ends
        if not isinstance(more := next(self.events), yaml.StreamEndEvent):
            raise self.at(more).error("a second document; a recipe is one")
        return node

    def at(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def node(self, event: Any, depth: int) -> Node:
        place = self.at(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise place.error("anchors (&) and aliases (*) have no place in a recipe: write the value out")
        if event.tag not in (None, "!"):
            raise place.error(f"the tag {event.tag!r}: a recipe is plain data, without tags")
        if depth > MAX_DEPTH:
            raise place.error(f"nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.ScalarEvent):
            return Node(scalar(event.value) if event.implicit[0] else event.value, place, {})
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(event, depth + 1))
            return Node(items, place, {})
        return self.mapping(place, depth)

    def mapping(self, place: Place, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = self.at(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise at.error("a key is a word")
            self.node(event, depth)
            if event.value in keys:
                raise at.error(f"the key {event.value!r} stands twice; the first is in line {keys[event.value].line}")
            keys[event.value] = at
            values[event.value] = self.node(next(self.events), depth + 1)
        return Node(values, place, keys)


def scalar(text: str) -> Any:
    """What an unquoted word stands for: a number, true, false, nothing, or itself."""
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdigit() and len(text) < 20 else float(text)
