"""How far the frameworks stray from each other under one name, and what brings them together.

`topics` says what is compared, `disagreements` measures it, `page` writes the page and `widest` the README's share of it,
`outdated` says where a page is behind; `topic_link` is for what wants to point at one row.
"""

from __future__ import annotations

from lossopt.parity.disagreements.engine import Disagreement, disagreements
from lossopt.parity.disagreements.page import outdated, page, read, widest
from lossopt.parity.disagreements.table import PAGE, slugs, topic_link, topics
from lossopt.parity.disagreements.topic import Side, Topic

__all__ = ["PAGE", "Disagreement", "Side", "Topic", "disagreements", "outdated", "page", "read", "slugs", "topic_link", "topics", "widest"]
