"""Does PyTorch work here?  What ``lossopt doctor`` asks of a backend."""

from __future__ import annotations

import torch

from lossopt import get_optimizer


def one_step(start: float, gradient: float, lr: float) -> float:
    """One parameter after one AdamW update at its defaults."""
    param = torch.nn.Parameter(torch.tensor([start]))
    param.grad = torch.tensor([gradient])
    get_optimizer("adamw", backend="torch", params=[param], lr=lr).step()
    return float(param.detach()[0])


def facts() -> dict[str, str]:
    """What decides about numbers and speed here."""
    accelerator = torch.accelerator.current_accelerator() if hasattr(torch, "accelerator") else None
    devices = ["cpu"] if accelerator is None else ["cpu", *(f"{accelerator.type}:{i}" for i in range(torch.accelerator.device_count()))]
    return {"devices": ", ".join(devices), "default dtype": str(torch.get_default_dtype()), "threads": str(torch.get_num_threads())}
