"""Is a tumour benign?  569 samples of 30 measurements of cell nuclei, which come with scikit-learn.

W. Wolberg, O. Mangasarian, N. Street, W. Street, Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning
Repository, 1995.
"""

from __future__ import annotations

from lossopt.tasks.bundled import from_sklearn, held_out, standardised
from lossopt.tasks.scores import binary_accuracy
from lossopt.tasks.task import Data, Task, uniform_fan_in


def data() -> Data:
    """Standardised measurements, shape (N, 30), and 1.0 for benign, shape (N, 1): one logit answers."""
    measured, benign = from_sklearn("breast_cancer")
    test = held_out(len(benign))
    x, y = standardised(measured, test), benign[:, None].astype(float)
    return Data(train=(x[~test], y[~test]), test=(x[test], y[test]))


task = Task(name="breast_cancer", data=data, models="mlp", sizes=(30, 1), initial=uniform_fan_in, score=binary_accuracy)
