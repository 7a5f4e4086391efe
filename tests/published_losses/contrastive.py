"""Losses of all the pairs in a batch, written as the papers have them: with exponentials of the similarities, and no shift."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from published_losses import Values


def _unit(rows: Any, eps: float, normalize: bool = True) -> Any:
    return np.array([row / max(math.hypot(*row), eps) for row in rows]) if normalize else rows


def ntxent_loss(embeddings: Any, labels: Any, *, temperature: float, eps: float) -> Values:
    """Chen et al. 2020, equation 1, whose positive pairs are those of one label, and whose negatives those of another."""
    z, n = _unit(embeddings, eps), len(labels)
    grown = [[math.exp(z[i] @ z[j] / temperature) for j in range(n)] for i in range(n)]
    values, pairs = [], 0
    for i in range(n):
        friends = [j for j in range(n) if j != i and labels[j] == labels[i]]
        others = sum(grown[i][k] for k in range(n) if labels[k] != labels[i])
        values.append(sum(-math.log(grown[i][j] / (grown[i][j] + others)) for j in friends))
        pairs += len(friends)
    return np.array(values, float), pairs


def supcon_loss(embeddings: Any, labels: Any, *, temperature: float, base_temperature: float, normalize: bool, eps: float) -> Values:
    """Khosla et al. 2020, equation 2 (L_out), and the factor of the authors' code."""
    z, n = _unit(embeddings, eps, normalize), len(labels)
    grown = [[math.exp(z[i] @ z[a] / temperature) for a in range(n)] for i in range(n)]
    values, anchors = [], 0
    for i in range(n):
        friends = [p for p in range(n) if p != i and labels[p] == labels[i]]
        everyone = sum(grown[i][a] for a in range(n) if a != i)
        terms = [math.log(grown[i][p] / everyone) for p in friends]
        values.append(-temperature / base_temperature * sum(terms) / len(friends) if friends else 0.0)
        anchors += bool(friends)
    return np.array(values), anchors


def info_nce_loss(queries: Any, keys: Any, *, temperature: float, logit_scale: float | None, symmetric: bool, normalize: bool,
                  eps: float) -> Values:  # fmt: skip
    """van den Oord et al. 2018, equation 4, with an exponential of the scaled product for f; both ways, Radford et al. 2021, figure 3."""
    q, k = _unit(queries, eps, normalize), _unit(keys, eps, normalize)
    scale = 1 / temperature if logit_scale is None else logit_scale
    f = np.array([[math.exp(scale * (a @ b)) for b in k] for a in q])
    forth = [-math.log(f[i, i] / sum(f[i])) for i in range(len(q))]
    if not symmetric:
        return np.array(forth), len(q)
    back = [-math.log(f[i, i] / sum(f[:, i])) for i in range(len(q))]
    return (np.array(forth) + np.array(back)) / 2, len(q)


def siglip_loss(queries: Any, keys: Any, *, logit_scale: float, logit_bias: float, normalize: bool, eps: float) -> Values:
    """Zhai et al. 2023, section 3.2: log(1 / (1 + e^(z (-t x.y - b)))), with b added to t x.y."""
    x, y = _unit(queries, eps, normalize), _unit(keys, eps, normalize)

    def one(i: int, j: int) -> float:
        z = 1 if i == j else -1
        return -math.log(1 / (1 + math.exp(-z * (logit_scale * (x[i] @ y[j]) + logit_bias))))

    return np.array([sum(one(i, j) for j in range(len(y))) for i in range(len(x))]), len(x)


def arcface_loss(embeddings: Any, centers: Any, targets: Any, *, scale: float, margin: float, margin_on: str, easy_margin: bool,
                 eps: float) -> Values:  # fmt: skip
    """Deng et al. 2018, equation 3; beyond the largest angle as in the authors' code.  Wang et al. 2018, equation 4."""
    x, w = _unit(embeddings, eps), _unit(centers, eps)

    def turned(cosine: float) -> float:
        angle = math.acos(cosine)
        if margin_on == "cosine":
            return cosine - margin
        if easy_margin:
            return math.cos(angle + margin) if angle < math.pi / 2 else cosine
        return math.cos(angle + margin) if angle + margin < math.pi else cosine - margin * math.sin(margin)

    def one(row: Any, y: int) -> float:
        cosines = [float(row @ center) for center in w]
        own = math.exp(scale * turned(cosines[y]))
        return -math.log(own / (own + sum(math.exp(scale * c) for j, c in enumerate(cosines) if j != y)))

    return np.array([one(row, y) for row, y in zip(x, targets, strict=True)]), len(x)


PUBLISHED: Mapping[str, Callable[..., Values]] = {
    "arcface_loss": arcface_loss,
    "clip_loss": info_nce_loss,
    "cosface_loss": arcface_loss,
    "info_nce_loss": info_nce_loss,
    "ntxent_loss": ntxent_loss,
    "siglip_loss": siglip_loss,
    "supcon_loss": supcon_loss,
}
