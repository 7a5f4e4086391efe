"""Every topic, by section of the page; their slugs, and links to their rows."""

from __future__ import annotations

from collections.abc import Mapping

from lossopt.errors import UnknownNameError, suggest
from lossopt.parity.disagreements import kinks, losses, losses_in_keras, optimizers, optimizers_in_keras, schedules, transforms
from lossopt.parity.disagreements.topic import Topic
from lossopt.parity.engine import names_in

PAGE = "lossopt/parity/DIFFERENCES.md"
"""Where the rows stand, from the root of the repository."""

SECTIONS: Mapping[str, tuple[Topic, ...]] = {
    "Optimizers": optimizers.TOPICS,
    "Optimizers in Keras": optimizers_in_keras.TOPICS,
    "Schedules": schedules.TOPICS,
    "Losses": losses.TOPICS,
    "Losses in Keras": losses_in_keras.TOPICS,
    "Derivatives where there are two": kinks.TOPICS,
    "Transforms": transforms.TOPICS,
}


def topics() -> list[Topic]:
    """What is compared, in the order of the page."""
    return [topic for section in SECTIONS.values() for topic in section]


def slugs(definition: str | None = None) -> list[str]:
    """The anchors of all rows, or of those that are about one definition, by its canonical name.

    >>> slugs("lion")
    ['lion-weight-decay']
    """
    return [t.slug for t in topics() if definition is None or any(definition in names_in(side.case) for side in t.sides)]


def topic_link(slug: str) -> str:
    """The page and the anchor of one row, from the root of the repository.

    >>> topic_link("adamw-weight-decay")
    'lossopt/parity/DIFFERENCES.md#adamw-weight-decay'

    Raises:
        UnknownNameError: there is no such row.
    """
    known = slugs()
    if slug not in known:
        near = suggest(slug, known) or "; lossopt.parity.disagreements.slugs() lists all"
        raise UnknownNameError(f"no row of {PAGE} is called {slug!r}{near}")
    return f"{PAGE}#{slug}"
