"""Which pixel belongs to which digit?  Scenes of four handwritten digits, composed from those that come with scikit-learn.

A scene has 16 by 16 pixels and four digits of 8 by 8 in two rows.  A pixel's class is 0 on the background and 1 + the
digit on its strokes: finding the strokes is easy, and telling whose they are is not.  Scenes to train on and scenes held
out are made of different digits, always the same.
"""

from __future__ import annotations

import itertools

import numpy as np

from lossopt.tasks import digits
from lossopt.tasks.scores import mean_dice
from lossopt.tasks.task import Data, Task, uniform_he

SIDE, DIGIT = 16, 8
STROKE = 0.3
"""What is darker than this belongs to a stroke."""


def data() -> Data:
    """Scenes, shape (N, 1, 16, 16), and the class of each pixel, from 0 to 10, shape (N, 16, 16)."""
    found = digits.data()
    generator = np.random.default_rng(0)
    return Data(train=scenes(*found.train, 3000, generator), test=scenes(*found.test, 100, generator))


def scenes(images: np.ndarray, labels: np.ndarray, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many scenes and the class of each pixel.

    Args:
        images: rows of 64 numbers from 0 to 1.
        labels: which digit each is.
        count: how many scenes.
        generator: draws the digits.
    """
    pictures, classes = np.zeros((count, SIDE, SIDE)), np.zeros((count, SIDE, SIDE), np.int64)
    for picture, kind in zip(pictures, classes, strict=True):
        for top, left in itertools.product((0, DIGIT), repeat=2):
            chosen = generator.integers(len(images))
            digit, at = images[chosen].reshape(DIGIT, DIGIT), (slice(top, top + DIGIT), slice(left, left + DIGIT))
            picture[at], kind[at] = digit, np.where(digit > STROKE, 1 + labels[chosen], 0)
    return pictures[:, None], classes


task = Task(name="digits_segmentation", data=data, models="unet", sizes=(1, 11), initial=uniform_he, score=mean_dice,
            score_name="mean Dice")  # fmt: skip
