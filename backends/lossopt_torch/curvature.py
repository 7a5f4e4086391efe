"""The diagonal of a Hessian, estimated: what sophia is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from lossopt import noise
from lossopt_torch.words import words


def hutchinson(loss_fn: Callable[[], Tensor], params: Iterable[Any], *, step: int = 0, samples: int = 1, seed: int = 0) -> list[Tensor]:
    """Hutchinson's estimate of the Hessian's diagonal: the mean of ``s * (H s)`` over vectors s of random signs.

    It costs about two gradients for each vector, and writes to no ``p.grad``:
    ``optimizer.step(hessian=lambda step: hutchinson(loss_fn, model.named_parameters(), step=step))``.  The signs are those of the other
    backends, for parameters of the same name and shape: a weight that Flax stores transposed draws others there.

    Args:
        loss_fn: computes the loss at the parameters, without ``backward()``.
        params: ``model.named_parameters()``, or tensors.
        step: which signs are drawn: another one for each estimate.
        samples: how many vectors are averaged.
        seed: of the signs.

    Returns:
        A tensor for each parameter, zero where the gradient does not depend on it.

    Example:
        >>> import torch
        >>> p = torch.tensor([1.0, -2.0], requires_grad=True)
        >>> hutchinson(lambda: (p**4).sum() / 4, [p])
        [tensor([ 3., 12.])]
    """
    named = [p if isinstance(p, tuple) else (str(i), p) for i, p in enumerate(params)]
    trained = [(n, p) for n, p in named if p.requires_grad]
    found = {n: torch.zeros_like(p) for n, p in named}
    with torch.enable_grad():
        grads = torch.autograd.grad(loss_fn(), [p for _, p in trained], create_graph=True, materialize_grads=True)
        for sample in range(samples):
            drawn = [words.normal(p.detach(), noise.key_of(seed, n), step * samples + sample) for n, p in trained]
            signs = [torch.where(x < 0, -1.0, 1.0).to(x) for x in drawn]
            product = sum((g * s).sum() for g, s in zip(grads, signs, strict=True))
            if not isinstance(product, Tensor) or not product.requires_grad:  # a linear loss
                break
            columns = torch.autograd.grad(product, [p for _, p in trained], retain_graph=True, materialize_grads=True)
            for (n, _), s, column in zip(trained, signs, columns, strict=True):
                found[n] += s * column / samples
    return list(found.values())


def for_optimizer(optimizer: torch.optim.Optimizer, loss_fn: Callable[[], Tensor], step: int, seed: int = 0) -> list[Tensor]:
    """The estimate for an optimizer's parameters, in the order of its groups."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    names = [n for group in optimizer.param_groups for n in group.get("param_names", ())]
    return hutchinson(loss_fn, zip(names, params, strict=True) if len(names) == len(params) else params, step=step, seed=seed)
