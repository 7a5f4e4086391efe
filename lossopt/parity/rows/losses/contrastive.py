"""Losses of all the pairs in a batch, beside optax's own and beside the papers' formulas in plain PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lossopt.parity.case import Allowed, LossCase
from lossopt.parity.loss_rows import case, faces, grouped, towers


def _optax_ntxent(temperature: float = 0.07) -> Any:
    return lambda optax, jnp, x, y: optax.losses.ntxent(x, y, temperature)


def _torch_ntxent(temperature: float = 0.07, reduction: str = "mean") -> Any:
    def call(torch: Any, x: Any, y: Any) -> Any:
        z = torch.nn.functional.normalize(x)
        s, costs, pairs = z @ z.T / temperature, [], 0
        for i in range(len(y)):
            friends = [j for j in range(len(y)) if j != i and y[j] == y[i]]
            others = s[i][y != y[i]]
            terms = [torch.logsumexp(torch.cat([s[i, j : j + 1], others]), 0) - s[i, j] for j in friends]
            costs.append(sum(terms, s.new_zeros(())))
            pairs += len(friends)
        found = torch.stack(costs)
        return {"none": found, "sum": found.sum(), "mean": found.sum() / pairs}[reduction]

    return call


def _torch_supcon(temperature: float = 0.07, base: float = 0.07, reduction: str = "mean") -> Any:
    def call(torch: Any, x: Any, y: Any) -> Any:
        z = torch.nn.functional.normalize(x)
        itself = torch.eye(len(y), dtype=torch.bool)
        log_p = torch.log_softmax((z @ z.T / temperature).masked_fill(itself, -math.inf), 1).masked_fill(itself, 0.0)
        alike = ((y[:, None] == y) & ~itself).to(x.dtype)
        found = -(temperature / base) * (alike * log_p).sum(1) / alike.sum(1).clamp_min(1)
        return {"none": found, "sum": found.sum(), "mean": found.sum() / (alike.sum(1) > 0).sum()}[reduction]

    return call


def _torch_info_nce(scale: float = 1 / 0.07, *, both: bool = False, bare: bool = False, reduction: str = "mean") -> Any:
    def call(torch: Any, q: Any, k: Any) -> Any:
        if not bare:
            q, k = torch.nn.functional.normalize(q), torch.nn.functional.normalize(k)
        logits, own = scale * q @ k.T, torch.arange(len(q))
        found = torch.nn.functional.cross_entropy(logits, own, reduction=reduction)
        return (found + torch.nn.functional.cross_entropy(logits.T, own, reduction=reduction)) / 2 if both else found

    return call


def _torch_siglip(t: float = 10.0, b: float = -10.0, reduction: str = "mean") -> Any:
    def call(torch: Any, q: Any, k: Any) -> Any:
        logits = t * torch.nn.functional.normalize(q) @ torch.nn.functional.normalize(k).T + b
        found = -torch.nn.functional.logsigmoid((2 * torch.eye(len(q), dtype=q.dtype) - 1) * logits).sum(1)
        return {"none": found, "sum": found.sum(), "mean": found.mean()}[reduction]

    return call


def _torch_arcface(scale: float = 64.0, margin: float = 0.5, *, easy: bool = False, cosine: bool = False, reduction: str = "mean") -> Any:
    def call(torch: Any, x: Any, centers: Any, y: Any) -> Any:
        c = torch.nn.functional.normalize(x) @ torch.nn.functional.normalize(centers).T
        turned = torch.cos(torch.acos(c) + margin)
        if cosine:
            turned = c - margin
        elif easy:
            turned = torch.where(c > 0, turned, c)
        else:
            turned = torch.where(c > math.cos(math.pi - margin), turned, c - margin * math.sin(math.pi - margin))
        hot = torch.nn.functional.one_hot(y, len(centers)).bool()
        return torch.nn.functional.cross_entropy(scale * torch.where(hot, turned, c), y, reduction=reduction)

    return call


GROUPS, TOWERS, FACES = grouped(9, 5, groups=4), towers(6, 5), faces(7, 5, classes=4)

SHARP: Mapping[str, Allowed] = {
    "float32": Allowed(3e-6, "a cosine's float32 error, 9e-8, is 1.3e-6 of a logit at temperature 0.07, and the largest of these losses "
                             "is 0.3: with JAX's float32 cosines and float64 after them the error is 9e-7"),
}  # fmt: skip

CASES: tuple[LossCase, ...] = (
    case("ntxent_loss", GROUPS, torch=_torch_ntxent(), optax=_optax_ntxent()),
    case("ntxent_loss", GROUPS, temperature=0.5, reduction="none", torch=_torch_ntxent(0.5, "none")),
    case("ntxent_loss", GROUPS, temperature=0.01, reduction="sum", torch=_torch_ntxent(0.01, "sum")),
    case("ntxent_loss", GROUPS, convention="optax", optax=_optax_ntxent()),
    case("ntxent_loss", grouped(12, 3, groups=3), convention="optax", temperature=0.5, optax=_optax_ntxent(0.5)),
    case("ntxent_loss", grouped(5, 3, groups=4), convention="optax", temperature=2.0, eps=1e-3, optax=_optax_ntxent(2.0)),
    case("supcon_loss", GROUPS, torch=_torch_supcon()),
    case("supcon_loss", GROUPS, temperature=0.1, reduction="none", torch=_torch_supcon(0.1, reduction="none")),
    case("supcon_loss", GROUPS, temperature=0.5, base_temperature=1.0, reduction="sum", torch=_torch_supcon(0.5, 1.0, "sum")),
    case("supcon_loss", GROUPS, convention="optax"),
    case("supcon_loss", GROUPS, convention="optax", temperature=1.0, normalize=False),
    case("supcon_loss", grouped(6, 3, groups=2), convention="optax", temperature=0.3, reduction="mean"),
    case("info_nce_loss", TOWERS, torch=_torch_info_nce(), allowed=SHARP),
    case("info_nce_loss", towers(5, 4, more=3), temperature=0.5, reduction="none", torch=_torch_info_nce(2.0, reduction="none")),
    case("info_nce_loss", TOWERS, logit_scale=2.0, symmetric=True, reduction="sum", torch=_torch_info_nce(2.0, both=True, reduction="sum")),
    case("info_nce_loss", TOWERS, temperature=1.0, normalize=False, torch=_torch_info_nce(1.0, bare=True)),
    case("info_nce_loss", TOWERS, convention="optax", allowed=SHARP),
    case("info_nce_loss", TOWERS, convention="optax", temperature=0.2, symmetric=True),
    case("info_nce_loss", towers(5, 4, more=2), convention="optax", logit_scale=0.5, normalize=False),
    case("clip_loss", TOWERS, torch=_torch_info_nce(both=True), allowed=SHARP),
    case("clip_loss", TOWERS, logit_scale=10.0, reduction="none", torch=_torch_info_nce(10.0, both=True, reduction="none")),
    case("clip_loss", TOWERS, temperature=0.3, reduction="sum", torch=_torch_info_nce(1 / 0.3, both=True, reduction="sum")),
    case("clip_loss", TOWERS, convention="optax", allowed=SHARP),
    case("clip_loss", TOWERS, convention="optax", temperature=0.5, normalize=False),
    case("clip_loss", towers(1, 3), convention="optax", logit_scale=5.0),
    case("siglip_loss", TOWERS, torch=_torch_siglip()),
    case("siglip_loss", TOWERS, logit_scale=20.0, logit_bias=-5.0, reduction="none", torch=_torch_siglip(20.0, -5.0, "none")),
    case("siglip_loss", TOWERS, logit_scale=1.0, logit_bias=0.0, reduction="sum", torch=_torch_siglip(1.0, 0.0, "sum")),
    case("siglip_loss", TOWERS, convention="optax"),
    case("siglip_loss", TOWERS, convention="optax", logit_scale=3.0, logit_bias=1.0),
    case("siglip_loss", TOWERS, convention="optax", normalize=False, logit_scale=1.0),
    case("arcface_loss", FACES, torch=_torch_arcface()),
    case("arcface_loss", FACES, scale=4.0, margin=1.2, reduction="none", torch=_torch_arcface(4.0, 1.2, reduction="none")),
    case("arcface_loss", FACES, scale=10.0, easy_margin=True, reduction="sum", torch=_torch_arcface(10.0, easy=True, reduction="sum")),
    case("arcface_loss", FACES, margin=0.0, scale=8.0, torch=_torch_arcface(8.0, 0.0)),
    case("arcface_loss", FACES, convention="optax"),
    case("arcface_loss", FACES, convention="optax", scale=16.0, margin=0.3, easy_margin=True),
    case("arcface_loss", FACES, convention="optax", scale=16.0, margin=0.3, margin_on="cosine"),
    case("cosface_loss", FACES, scale=16.0, reduction="sum", torch=_torch_arcface(16.0, 0.35, cosine=True, reduction="sum")),
    case("cosface_loss", FACES, torch=_torch_arcface(margin=0.35, cosine=True)),
    case("cosface_loss", FACES, scale=8.0, margin=0.1, reduction="none", torch=_torch_arcface(8.0, 0.1, cosine=True, reduction="none")),
    case("cosface_loss", FACES, convention="optax"),
    case("cosface_loss", FACES, convention="optax", margin=0.0),
    case("cosface_loss", FACES, convention="optax", scale=2.0, margin=0.2),
)  # fmt: skip
