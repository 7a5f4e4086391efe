"""1,797 handwritten digits of 8 by 8 pixels, which come with scikit-learn: real data and no download.

E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

import numpy as np

from lossopt.tasks.bundled import from_sklearn, held_out
from lossopt.tasks.task import Data, Task, uniform_fan_in


def data() -> Data:
    """Images as rows of 64 numbers from 0 to 1, and their labels."""
    images, labels = from_sklearn("digits")
    images, labels = images / 16.0, labels.astype(np.int64)
    test = held_out(len(labels))
    return Data(train=(images[~test], labels[~test]), test=(images[test], labels[test]))


task = Task(name="digits", data=data, models="mlp", sizes=(64, 10), initial=uniform_fan_in)
