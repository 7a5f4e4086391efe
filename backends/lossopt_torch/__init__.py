"""Definitions as PyTorch objects: torch.optim optimizers, LR schedulers and losses."""
