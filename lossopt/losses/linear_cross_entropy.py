"""Cross-entropy of a linear projection, which need not hold all its logits at once."""

from __future__ import annotations

from typing import Any

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.hyper import Count, UnitInterval
from lossopt.losses.shared import checks, parts
from lossopt.losses.shared.parts import shape_of
from lossopt.ops import Array, LossOps


def _check(ops: LossOps, input: Array, linear_weight: Array, targets: Array, *, linear_bias: Any = None, weight: Any = None,
           ignore_index: int | None = None, **_: Any) -> None:  # fmt: skip
    checks.floating(input=input, linear_weight=linear_weight)
    samples, matrix = shape_of(input), shape_of(linear_weight)
    if not samples:
        raise InputError("input must have the features on its last axis, got shape (); write input.reshape((1, -1))")
    if len(matrix) != 2 or matrix[0] == 0 or matrix[1] != samples[-1]:
        remedy = "; write linear_weight.T" if len(matrix) == 2 and matrix[0] == samples[-1] else ""
        raise InputError(f"linear_weight must have shape (classes, {samples[-1]}) for input of shape {samples}, got {matrix}{remedy}")
    checks.per_class("linear_bias", linear_bias, input, matrix[0])
    checks.per_class("weight", weight, input, matrix[0])
    labels = samples[:-1]
    if checks.is_floating(targets):
        if shape_of(targets) != (*labels, matrix[0]):
            raise InputError(f"targets of class probabilities must have shape {(*labels, matrix[0])}, got {shape_of(targets)}")
        return
    if not checks.is_integer(targets):
        raise InputError(f"targets must be integer labels or floating-point probabilities, got {checks.dtype_of(targets)}")
    if shape_of(targets) != labels:
        raise InputError(f"targets must hold one label per sample, shape {labels}, got {shape_of(targets)}")
    checks.labels_within(ops, targets, matrix[0], ignore_index)


@loss(
    check=_check,
    conventions={"torch": {}, "optax": {"ignore_index": None, "reduction": "none"}},
    elsewhere={
        "torch": "torch.nn.functional.linear_cross_entropy, torch.nn.LinearCrossEntropyLoss; chunked with options, and then without "
        "label_smoothing, probabilities, torch.func and second derivatives; its weight may have more axes",
        "also": "fused_linear_cross_entropy",
    },
)
def linear_cross_entropy(ops: LossOps, input: Array, linear_weight: Array, targets: Array, *, linear_bias: Any = None, weight: Any = None,
                         ignore_index: int | None = -100, label_smoothing: UnitInterval = 0.0,
                         chunk_size: Count | None = None) -> Any:  # fmt: skip
    """Cross-entropy of a linear projection, which need not hold all its logits at once.

        l = cross_entropy(input @ linear_weight.T + linear_bias, targets)

    with cross_entropy's weight, ignore_index, label_smoothing and mean.  The logits of a large vocabulary are the largest
    array of a language model's training step.  PyTorch and JAX take `chunk_size` samples at a time: with "mean" and "sum"
    each chunk's gradient is taken while its logits are there, with "none" the backward pass computes them once more.
    What fits one chunk is computed whole.

    Args:
        input: features, floating, shape (..., H).
        linear_weight: the projection, floating, shape (C, H).
        targets: integer labels in [0, C), input's shape without the last axis; or probabilities, shape (..., C).
        linear_bias: one number per class, added to the logits, shape (C,); None is 0.
        weight: one factor per class, a list or an array of shape (C,); None is 1 each.
        ignore_index: the label that counts nowhere, neither in the sum nor in the mean; None ignores no label.  The
            mean where every label is ignored is NaN.
        label_smoothing: in [0, 1], the share of the target that is spread over all classes.
        chunk_size: how many samples' logits are held at a time, at least 1; None is as many as make 8 Mi logits.

    Returns:
        With reduction "none" input's shape without its last axis, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that do not fit, integer input, labels outside [0, C).  Labels that cannot be seen (traced, or
            on an accelerator) give NaN where they are outside.

    Where `weight` or probabilities are themselves differentiated, and in PyTorch's second derivatives, the logits are
    held whole.

    References:
        Wijmans, Huval, Hertzberg, Koltun, Kraehenbuehl: Cut Your Losses in Large-Vocabulary Language Models, 2024,
        arXiv:2411.09009.
        Hsu, Dai, Kothapalli et al.: Liger Kernel: Efficient Triton Kernels for LLM Training, 2024, arXiv:2410.10989
        (gradients in the forward pass).

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import linear_cross_entropy
        >>> features, matrix = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [0.0, 0.0]])
        >>> print(linear_cross_entropy(features, matrix, np.array([0, 1]), reduction="none").round(4))
        [0.1269 0.6931]
    """
    logits = ops.inner(input, linear_weight)
    if linear_bias is not None:
        logits = logits + ops.array(linear_bias, input)
    return parts.cross_entropy(ops, logits, targets, weight, ignore_index, label_smoothing, len(logits.shape) - 1)
