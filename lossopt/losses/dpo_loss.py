"""Direct preference optimization: the policy against a reference on pairs of a chosen and a rejected answer."""

from __future__ import annotations

from typing import Annotated, Literal

from lossopt.definition import loss
from lossopt.errors import InputError
from lossopt.hyper import Number, Positive, Range
from lossopt.losses.shared import checks
from lossopt.ops import Array, LossOps

LossType = Literal["sigmoid", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "apo_zero", "apo_down", "sppo_hard"]
SMOOTHED = ("sigmoid", "robust", "exo_pair")


def _check(ops: LossOps, policy_chosen: Array, policy_rejected: Array, reference_chosen: Array, reference_rejected: Array, *,
           loss_type: str, label_smoothing: Number, **_: object) -> None:  # fmt: skip
    given = {"policy_chosen": policy_chosen, "policy_rejected": policy_rejected, "reference_chosen": reference_chosen,
             "reference_rejected": reference_rejected}  # fmt: skip
    checks.floating(**given)
    checks.same_shape(**given)
    if loss_type == "exo_pair" and label_smoothing == 0:
        raise InputError("loss_type='exo_pair' takes log(label_smoothing), so that it must not be 0; write label_smoothing=1e-3")
    if loss_type not in SMOOTHED and label_smoothing != 0:
        raise InputError(f"loss_type={loss_type!r} has no label_smoothing; leave it out, or take one of {', '.join(map(repr, SMOOTHED))}")


@loss(
    check=_check,
    elsewhere={"also": "direct_preference_optimization, DPOLoss"},
)
def dpo_loss(ops: LossOps, policy_chosen: Array, policy_rejected: Array, reference_chosen: Array, reference_rejected: Array, *,
             beta: Positive = 0.1, loss_type: LossType = "sigmoid", label_smoothing: Annotated[float, Range(0, 0.5, open_high=True)] = 0.0,
             reference_free: bool = False) -> Array:  # fmt: skip
    """Direct preference optimization: the policy against a reference on pairs of a chosen and a rejected answer.

    With c and r the logarithms of policy over reference for the chosen and the rejected answer, h = c - r, e =
    label_smoothing and s the sigmoid:

        l = -(1 - e) log s(beta h) - e log s(-beta h)                                          "sigmoid": DPO, cDPO
        l = max(0, 1 - beta h)                                                                 "hinge": SLiC
        l = (h - 1 / (2 beta))**2                                                              "ipo"
        l = (-(1 - e) log s(beta h) + e log s(-beta h)) / (1 - 2 e)                            "robust"
        l = s(beta h) log(s(beta h) / (1 - e)) + s(-beta h) log(s(-beta h) / e)                "exo_pair"
        l = -log s(beta c) - (log s(-beta c) + log s(-beta r)) / 2                             "nca_pair"
        l = 1 - s(beta c) + s(beta r)                                                          "apo_zero"
        l = s(beta c) + 1 - s(beta h)                                                          "apo_down"
        l = (c - 1 / (2 beta))**2 + (r + 1 / (2 beta))**2                                      "sppo_hard"

    Args:
        policy_chosen, policy_rejected: the policy's log-probability of each answer, summed over its tokens (for "ipo"
            averaged over them), floating, shape (N,).
        reference_chosen, reference_rejected: the reference's, in that shape.  No gradient is meant to flow into them.
        beta: how far the policy may leave the reference, positive: smaller is further; 0.1 to 0.5.  For "ipo" and
            "sppo_hard" the weight of the regularisation.
        loss_type: which of the above.
        label_smoothing: e in [0, 0.5), the share of preferences that are taken to be the wrong way round: "sigmoid",
            "robust" and "exo_pair" (which needs it above 0).
        reference_free: take a uniform reference: what is given for it is not read.

    Returns:
        With reduction "none" the inputs' shape, else a scalar, in the floating dtype of the inputs.

    Raises:
        InputError: shapes that differ, integer inputs, label_smoothing where the loss_type has none.

    At the hinge's kink the derivative is that of the falling side, as PyTorch's clamp has it.

    References:
        Rafailov, Sharma, Mitchell et al.: Direct Preference Optimization: Your Language Model is Secretly a Reward Model,
        2023, arXiv:2305.18290 (sigmoid).
        Mitchell: A note on DPO with noisy preferences and relationship to IPO, 2023 (label_smoothing).
        Zhao, Joshi, Liu et al.: SLiC-HF: Sequence Likelihood Calibration with Human Feedback, 2023, arXiv:2305.10425 (hinge).
        Azar, Rowland, Piot et al.: A General Theoretical Paradigm to Understand Learning from Human Preferences, 2023,
        arXiv:2310.12036 (ipo).
        Chowdhury, Kini, Natarajan: Provably Robust DPO: Aligning Language Models with Noisy Feedback, 2024,
        arXiv:2403.00409 (robust).
        Ji, Lu, Niu et al.: Towards Efficient Exact Optimization of Language Model Alignment, 2024, arXiv:2402.00856 (exo_pair).
        Chen, He, Yuan et al.: Noise Contrastive Alignment of Language Models with Explicit Rewards, 2024,
        arXiv:2402.05369 (nca_pair).
        D'Oosterlinck, Xu, Develder et al.: Anchored Preference Optimization and Contrastive Revisions, 2024,
        arXiv:2408.06266 (apo_zero, apo_down).
        Wu, Sun, Yuan et al.: Self-Play Preference Optimization for Language Model Alignment, 2024, arXiv:2405.00675 (sppo_hard).

    Example:
        >>> import numpy as np
        >>> from lossopt.losses import dpo_loss
        >>> chosen, rejected, reference = np.array([-1.0]), np.array([-3.0]), np.array([-2.0])
        >>> round(float(dpo_loss(chosen, rejected, reference, reference)), 4)
        0.5981
    """
    chosen = policy_chosen if reference_free else policy_chosen - reference_chosen
    rejected = policy_rejected if reference_free else policy_rejected - reference_rejected
    if loss_type == "nca_pair":
        return ops.softplus(-beta * chosen) + 0.5 * (ops.softplus(beta * chosen) + ops.softplus(beta * rejected))
    if loss_type == "apo_zero":
        return ops.sigmoid(-beta * chosen) + ops.sigmoid(beta * rejected)
    if loss_type == "sppo_hard":
        return (chosen - 0.5 / beta) ** 2 + (rejected + 0.5 / beta) ** 2
    margin = chosen - rejected
    if loss_type == "apo_down":
        return ops.sigmoid(beta * chosen) + ops.sigmoid(-beta * margin)
    if loss_type == "ipo":
        return (margin - 0.5 / beta) ** 2
    if loss_type == "hinge":
        return ops.clamp_min(1 - beta * margin, 0.0)
    kept, flipped = ops.softplus(-beta * margin), ops.softplus(beta * margin)
    if loss_type == "robust":
        return ((1 - label_smoothing) * kept - label_smoothing * flipped) / (1 - 2 * label_smoothing)
    if loss_type == "exo_pair":
        right, wrong = ops.log(ops.array(1 - label_smoothing, margin)), ops.log(ops.array(label_smoothing, margin))
        return ops.sigmoid(beta * margin) * (-kept - right) + ops.sigmoid(-beta * margin) * (-flipped - wrong)
    return (1 - label_smoothing) * kept + label_smoothing * flipped
