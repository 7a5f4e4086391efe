"""A model ported from one framework to the other, checked stage by stage.

>>> import lossopt
>>> found = lossopt.port_check(make_torch, make_jax)  # doctest: +SKIP
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossopt.port_check.check import PortCheck

__all__ = ["port_check"]


def port_check(make_torch: Callable[[], Any], make_jax: Callable[[], Any], *, steps: int = 100, copy_weights: str | None = None,
               rules: Mapping[str, str] | str | Path | None = None, keep: str | Path | None = None) -> PortCheck:  # fmt: skip
    """Train both sides in this process and name the first stage at which they part.

    The stages, in order: initial weights, one batch, forward (the outputs of the first batch), loss, gradients, one update, ten
    updates, `steps` updates.  Both loops are recorded by `lossopt.record` and compared by `lossopt.diff`, whose bounds these are;
    training ends soon after the first stage that breaks.

    **What both functions return**: a dict, or any object with these attributes.

    - ``model``: called with every array of a batch but the last: ``outputs = model(*inputs)``.  What it returns, or its
      attribute ``logits``, is compared; of several arrays the first of floating-point numbers.
    - ``loss``: ``loss(outputs, labels)``, one number; the labels are the last array of the batch.
    - ``optimizer``: see below.
    - ``batches``: an iterable of tuples ``(inputs, ..., labels)`` of NumPy arrays or the framework's own.  NumPy arrays of
      floating-point numbers take the precision of the model's first parameter.  One is taken for each update, so it must be as
      long as `steps`, or the later stages are not reached.  Images may be (N, C, H, W) in PyTorch and (N, H, W, C) in JAX.

    **PyTorch**: ``model`` is a ``torch.nn.Module``, in training or evaluation mode as you leave it; ``optimizer`` a
    ``torch.optim.Optimizer`` of its parameters.  May be given: ``scheduler``, whose ``step()`` follows every update;
    ``before_step``, called with the model between ``backward()`` and ``optimizer.step()``, for clipping.

    **JAX**: ``model`` is an ``nnx.Module``, or in its place stand ``apply`` and ``params``: ``outputs = apply(params, *inputs)``, for
    linen (``apply=model.apply, params=variables``; collections that change, such as batch_stats, belong into `apply`'s closure)
    and for plain functions.  ``optimizer`` is an optax transformation, or a list of them that is chained, which lets clipping be
    told apart: ``[optax.clip_by_global_norm(1.0), optax.adamw(1e-3)]``.  May be given: ``lr``, the number or schedule that the
    transformation was made with, for optax does not keep it.

    Neither side is given random numbers: what a model draws for itself (dropout) is drawn by its own framework, and differs.

    Args:
        make_torch, make_jax: take nothing and return one side.
        steps: the most updates.
        copy_weights: ``"torch"`` gives the JAX model PyTorch's initial weights, and running statistics of normalisations;
            ``"jax"`` the other way round.  None leaves both as they are.
        rules: ``{JAX's parameter name: PyTorch's}``, with ``*`` for any part, where the names do not correspond by
            themselves; or a YAML file of them.
        keep: a folder to keep both recordings in, for ``lossopt diff`` and ``lossopt identify``; None keeps nothing.

    Returns:
        A `PortCheck`: ``equal``, ``stages``, ``verdict``, ``notes``; it prints its verdict.

    Raises:
        InputError: what a function returns is not what is described above, or it raises; the message says where.
        ArgumentError: `steps` or `copy_weights` is not one of what is allowed.
        MissingBackendError: a framework is not installed.
    """
    from lossopt.port_check.check import check
    from lossopt.port_check.source import Maker

    makers = tuple(Maker(make, getattr(make, "__name__", type(make).__name__)) for make in (make_torch, make_jax))
    return check(*makers, steps=steps, copy_weights=copy_weights, rules=rules, keep=keep)


class _Verb(types.ModuleType):
    """`lossopt.port_check` is this package as soon as one of its pages was imported; it can be called all the same."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return port_check(*args, **kwargs)


sys.modules[__name__].__class__ = _Verb
