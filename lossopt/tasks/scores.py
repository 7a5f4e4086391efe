"""How good predictions are: each ``(predictions, targets) -> number``, on the held-out data.  Higher is better, but for bits."""

from __future__ import annotations

import numpy as np


def accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    """The fraction of samples whose largest prediction is at the target.

    >>> accuracy(np.array([[0.1, 2.0], [3.0, 1.0]]), np.array([1, 1]))
    0.5
    """
    return float((predictions.argmax(-1) == targets).mean())


def binary_accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    """The fraction of logits on the target's side of zero.

    >>> binary_accuracy(np.array([[0.1], [-3.0]]), np.array([[1.0], [1.0]]))
    0.5
    """
    return float(((predictions > 0) == (targets > 0.5)).mean())


def r_squared(predictions: np.ndarray, targets: np.ndarray) -> float:
    """The share of the targets' variance that is explained; 0 for predicting their mean.

    >>> r_squared(np.array([1.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    0.5
    """
    unexplained = np.square(targets - predictions).sum()
    return float(1 - unexplained / np.square(targets - targets.mean()).sum())


def mean_dice(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Dice of the predicted and the true masks, over all samples together, averaged over the classes; class 0, the background, is left out.

        2 |P and T| / (|P| + |T|)

    A class that is neither predicted nor there counts as 1.

    Args:
        predictions: logits, shape (N, C, H, W).
        targets: labels, shape (N, H, W).

    >>> logits = np.array([[[[0.0, 0.0, 1.0]], [[1.0, 1.0, 0.0]]]])
    >>> round(mean_dice(logits, np.array([[[0, 1, 0]]])), 4)
    0.6667
    """
    found = predictions.argmax(1)
    dice = []
    for label in range(1, predictions.shape[1]):
        p, t = found == label, targets == label
        size = p.sum() + t.sum()
        dice.append(2 * (p & t).sum() / size if size else 1.0)
    return float(np.mean(dice))


def recall_at_1(embeddings: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of samples whose nearest other sample has the same label.

    Args:
        embeddings: shape (N, D); Euclidean distances.
        labels: shape (N,).

    >>> recall_at_1(np.array([[0.0], [1.0], [3.0]]), np.array([5, 5, 7]))
    0.6666666666666666
    """
    squares = np.square(embeddings).sum(1)
    distances = squares[:, None] + squares - 2 * embeddings @ embeddings.T
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(1)] == labels).mean())


def bits_per_character(predictions: np.ndarray, targets: np.ndarray) -> float:
    """The mean cross-entropy of the next character, in bits: lower is better.

    Args:
        predictions: logits, shape (N, T, C).
        targets: characters, shape (N, T).

    >>> bits_per_character(np.zeros((1, 2, 8)), np.array([[0, 7]]))
    3.0
    """
    shifted = predictions - predictions.max(-1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(-1))
    return float((log_sums - np.take_along_axis(shifted, targets[..., None], -1)[..., 0]).mean() / np.log(2))
