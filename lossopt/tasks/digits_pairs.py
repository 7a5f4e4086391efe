"""Metric learning from pairs: two handwritten digits, the same or not; equal digits are to lie near each other.

Half of the pairs are of the same digit.  The loss takes the two embeddings and the answer: contrastive_loss.  The score
is recall@1 among the held-out digits: is an image's nearest neighbour the same digit?
"""

from __future__ import annotations

import numpy as np

from lossopt.tasks import digits
from lossopt.tasks.scores import recall_at_1
from lossopt.tasks.task import Data, Task, uniform_fan_in

PAIRS = 8000


def data() -> Data:
    """Pairs, shape (8000, 2, 64), and 1 for the same digit, else 0; single held-out images and their labels."""
    found = digits.data()
    return Data(train=pairs(*found.train, PAIRS, np.random.default_rng(0)), test=found.test)


def pairs(images: np.ndarray, labels: np.ndarray, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many pairs and whether their labels agree."""
    same = np.arange(count) % 2
    first = generator.integers(len(labels), size=count)
    second = [generator.choice(np.flatnonzero((labels == labels[i]) == s)) for i, s in zip(first, same, strict=True)]
    return images[np.stack([first, second], 1)], same


task = Task(name="digits_pairs", data=data, models="embedding", sizes=(64, 16), initial=uniform_fan_in, score=recall_at_1,
            score_name="recall@1", arguments=lambda embeddings, same: (embeddings[:, 0], embeddings[:, 1], same))  # fmt: skip
