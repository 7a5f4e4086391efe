"""Which pixel belongs to which digit?  Scenes of two handwritten digits, composed from those that come with scikit-learn.

A scene has 16 by 16 pixels.  Two digits of 8 by 8 stand in it at random places, one in the left half and one in the
right.  A pixel's class is 0 on the background and 1 + the digit on its strokes: finding the strokes is easy, and telling
whose they are is not.  Scenes to train on and scenes held out are made from different digits, always the same.
"""

from __future__ import annotations

import numpy as np

from lossopt.tasks import digits
from lossopt.tasks.scores import mean_dice
from lossopt.tasks.task import Data, Task, uniform_fan_in

SIDE, DIGIT = 16, 8
STROKE = 0.3
"""What is darker than this belongs to a stroke."""


def data() -> Data:
    """Scenes, shape (N, 1, 16, 16), and the class of each pixel, from 0 to 10, shape (N, 16, 16)."""
    found = digits.data()
    generator = np.random.default_rng(0)
    return Data(train=scenes(*found.train, 3000, generator), test=scenes(*found.test, 200, generator))


def scenes(images: np.ndarray, labels: np.ndarray, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many scenes and the class of each pixel.

    Args:
        images: rows of 64 numbers from 0 to 1.
        labels: which digit each is.
        count: how many scenes.
        generator: draws the digits and their places.
    """
    pictures, classes = np.zeros((count, SIDE, SIDE)), np.zeros((count, SIDE, SIDE), np.int64)
    for picture, kind in zip(pictures, classes, strict=True):
        for left in (0, DIGIT):
            chosen, top = generator.integers(len(images)), generator.integers(SIDE - DIGIT + 1)
            digit = images[chosen].reshape(DIGIT, DIGIT)
            at = slice(top, top + DIGIT), slice(left, left + DIGIT)
            picture[at], kind[at] = digit, np.where(digit > STROKE, 1 + labels[chosen], 0)
    return pictures[:, None], classes


task = Task(name="digits_segmentation", data=data, models="unet", sizes=(1, 11), initial=uniform_fan_in, score=mean_dice,
            score_name="mean Dice")  # fmt: skip
