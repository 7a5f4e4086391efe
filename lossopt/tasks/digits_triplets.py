"""Metric learning from triplets: a handwritten digit is to lie nearer to an equal one than to another.

The loss takes three embeddings, anchor, positive and negative, and no targets: triplet_margin_loss.  The score is
recall@1 among the held-out digits: is an image's nearest neighbour the same digit?
"""

from __future__ import annotations

import numpy as np

from lossopt.tasks import digits
from lossopt.tasks.scores import recall_at_1
from lossopt.tasks.task import Data, Task, uniform_fan_in

TRIPLETS = 8000


def data() -> Data:
    """Triplets, shape (8000, 3, 64), and the anchor's label; single held-out images and their labels."""
    found = digits.data()
    return Data(train=triplets(*found.train, TRIPLETS, np.random.default_rng(0)), test=found.test)


def triplets(images: np.ndarray, labels: np.ndarray, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many triplets, and the labels of their anchors."""
    anchors = generator.integers(len(labels), size=count)
    others = [[generator.choice(np.flatnonzero((labels == labels[i]) == same)) for same in (True, False)] for i in anchors]
    return images[np.column_stack([anchors, others])], labels[anchors]


task = Task(name="digits_triplets", data=data, models="embedding", sizes=(64, 16), initial=uniform_fan_in, score=recall_at_1,
            score_name="recall@1", arguments=lambda embeddings, _: tuple(embeddings[:, i] for i in range(3)))  # fmt: skip
