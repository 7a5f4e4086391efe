"""1,797 handwritten digits of 8 by 8 pixels, which come with scikit-learn: real data and no download.

E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

import numpy as np

from lossopt.errors import InputError
from lossopt.tasks.task import Data, Task, uniform_fan_in

HELD_OUT = 5
"""Every fifth image is held out."""


def data() -> Data:
    """Images as rows of 64 numbers from 0 to 1, and their labels."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise InputError("the digits come with scikit-learn, which is not installed: pip install 'lossopt[compare]'") from error
    images, labels = load_digits(return_X_y=True)
    images, labels = images / 16.0, labels.astype(np.int64)
    held_out = np.arange(len(labels)) % HELD_OUT == 0
    return Data(train=(images[~held_out], labels[~held_out]), test=(images[held_out], labels[held_out]))


task = Task(name="digits", data=data, models="mlp", sizes=(64, 10), initial=uniform_fan_in)
