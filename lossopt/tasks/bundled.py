"""Real data that other packages bring along: nothing is downloaded, and everyone has the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from lossopt.errors import InputError

HELD_OUT = 5
"""Every fifth sample is held out."""


def from_sklearn(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a data set of scikit-learn: ``"digits"``, ``"breast_cancer"`` or ``"diabetes"``.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise InputError(f"the {name} data come with scikit-learn, which is not installed: pip install 'lossopt[compare]'") from error
    load: Any = getattr(datasets, f"load_{name}")
    return load(return_X_y=True)


def held_out(count: int) -> np.ndarray:
    """Which samples are held out: a mask of so many.

    >>> held_out(6).tolist()
    [True, False, False, False, False, True]
    """
    return np.arange(count) % HELD_OUT == 0


def standardised(x: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Each column with mean 0 and standard deviation 1, both those of the training samples.

    Args:
        x: shape (N, D).
        test: the mask of the samples that are held out.
    """
    return (x - x[~test].mean(0)) / x[~test].std(0)
