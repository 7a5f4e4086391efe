"""The replay executor: a singular rule, recorded once on symbols and replayed in place without temporaries.

=============  ===================================================================================================
`numbers`      host numbers (lr, betas, the step): recorded as Python source, run in float64 once per step
`graph`        tensor operations as nodes; what torch does in one call is fused into one node
`symbols`      what a rule sees while it is recorded: ``coefficient * node``, and the words over it
`schedule`     in which order the nodes run, and what each one overwrites: a slot, or a scratch register
`program`      the schedule as printable Python: one for blocks of large tensors, one for lists of small ones
`executor`     `Replay`, which buckets parameters, keeps plans and scratch, and runs them; `why_not`
=============  ===================================================================================================

>>> import torch
>>> from lossopt.optimizers import adamw
>>> from lossopt_torch.replay import Replay
>>> replay = Replay(adamw(weight_decay=0.0))
>>> param, grad = torch.ones(4096), torch.ones(4096)
>>> slots = {"exp_avg": torch.zeros(4096), "exp_avg_sq": torch.zeros(4096), "step": 0}
>>> replay.step([(dict(replay.spec.flat), param, grad, slots)])
>>> slots["step"], round(param[0].item(), 6)
(1, 0.999)
>>> print(replay.plans[0].blocks.source, end="")
def run(tensors, k0, k1, k2, k3):
    for blocks in tensors:
        for param, grad, exp_avg, exp_avg_sq, r0 in blocks:
            torch.lerp(exp_avg, grad, k0, out=exp_avg)
            torch.mul(grad, grad, out=r0)
            torch.lerp(exp_avg_sq, r0, k1, out=exp_avg_sq)
            torch.sqrt(exp_avg_sq, out=r0)
            torch.add(r0, k2, out=r0)
            torch.addcdiv(param, exp_avg, r0, value=k3, out=param)
"""

from __future__ import annotations

from lossopt_torch.replay.executor import Replay, why_not

__all__ = ["Replay", "why_not"]
