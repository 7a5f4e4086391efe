"""Losses of pairs and triplets of embeddings, beside the frameworks' own."""

from __future__ import annotations

from typing import Any

from lossopt.parity.case import LossCase
from lossopt.parity.loss_rows import case, own, pairs, same, triplets


def _torch_contrastive(torch: Any, a: Any, b: Any, y: Any) -> Any:
    d = torch.nn.functional.pairwise_distance(a, b, eps=0.0)
    return torch.where(y == 1, d**2, torch.relu(1 - d) ** 2).mean() / 2


CASES: tuple[LossCase, ...] = (
    same("cosine_embedding_loss", pairs(6, 4, other=-1)),
    same("cosine_embedding_loss", pairs(6, 4, other=-1), margin=0.3, reduction="sum"),
    same("cosine_embedding_loss", pairs(6, 4, other=-1), margin=-0.5, reduction="none"),
    case("cosine_embedding_loss", pairs(6, 4, other=-1), convention="optax"),
    same("triplet_margin_loss", triplets(6, 4)),
    same("triplet_margin_loss", triplets(6, 4), margin=2.0, p=1.0, reduction="none"),
    same("triplet_margin_loss", triplets(6, 4), p=3.0, eps=1e-3, swap=True, reduction="sum"),
    case("triplet_margin_loss", triplets(6, 4), convention="optax", optax=own("triplet_margin_loss")),
    case("triplet_margin_loss", triplets(6, 4), convention="optax", p=4.0, margin=0.3,
         optax=own("triplet_margin_loss", norm_degree=4, margin=0.3)),
    case("contrastive_loss", pairs(6, 4, other=0), torch=_torch_contrastive),
    case("contrastive_loss", pairs(6, 4, other=0), margin=3.0, reduction="sum"),
    case("contrastive_loss", pairs(6, 4, other=0), margin=3.0, convention="optax"),
)  # fmt: skip
