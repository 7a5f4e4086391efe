"""One model and one training loop under a precision, in both frameworks: the loops have the same methods."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from lossopt import get_loss, get_optimizer
from lossopt.precision import Precision

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 64))
Y = RNG.integers(0, 10, 24)


class TorchNet(torch.nn.Module):
    """Two layers over the same weights as JaxNet's."""

    def __init__(self) -> None:
        super().__init__()
        generator = np.random.default_rng(1)
        self.up, self.norm, self.down = torch.nn.Linear(64, 48).double(), torch.nn.LayerNorm(48), torch.nn.Linear(48, 10).double()
        with torch.no_grad():
            for layer in (self.up, self.down):
                layer.weight.copy_(torch.tensor(generator.normal(size=layer.weight.shape) / 8))
                layer.bias.copy_(torch.tensor(generator.normal(size=layer.bias.shape) / 8))

    def forward(self, x: Any) -> Any:
        return self.down(self.norm(torch.tanh(self.up(x))))


class JaxNet(nnx.Module):
    def __init__(self) -> None:
        generator, rngs = np.random.default_rng(1), nnx.Rngs(0)
        self.up, self.down = nnx.Linear(64, 48, rngs=rngs), nnx.Linear(48, 10, rngs=rngs)
        self.norm = nnx.LayerNorm(48, epsilon=1e-5, rngs=rngs)
        for layer in (self.up, self.down):
            shape = layer.kernel.shape
            layer.kernel.set_value(jnp.asarray(generator.normal(size=shape[::-1]).T / 8))
            layer.bias.set_value(jnp.asarray(generator.normal(size=shape[-1]) / 8))

    def __call__(self, x: Any) -> Any:
        return self.down(self.norm(jnp.tanh(self.up(x))))


class Torch:
    """One training loop; `Jax` has the same methods."""

    backend = "torch"

    def __init__(self, precision: Any, spec: Any, reduction: str = "mean") -> None:
        self.policy = Precision.of(precision).part("torch")
        self.model = self.policy.cast_model(TorchNet())
        self.optimizer = get_optimizer(self.policy.rule(spec), "torch", params=self.model.named_parameters())
        self.loss, self.reduction = get_loss("cross_entropy", "torch", reduction=reduction), reduction

    def loss_of(self, model: Any, x: Any, y: Any) -> Any:
        predictions = self.policy.forward(model, x)
        self.predictions = predictions.dtype
        return self.loss(predictions, y)

    def step(self, x: np.ndarray, y: np.ndarray, parts: int = 1) -> float:
        batch = torch.tensor(x, dtype=self.policy.params), torch.tensor(y)
        loss = self.policy.step(self.model, self.optimizer, self.loss_of, *batch, parts=parts, reduction=self.reduction)
        assert not loss.requires_grad
        return float(loss)

    def gradients(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        self.policy.gradients(self.loss_of, self.model, torch.tensor(x, dtype=self.policy.params), torch.tensor(y))
        self.policy.unscale(self.optimizer)
        return {n: p.grad.float().numpy() for n, p in self.model.named_parameters()}

    def parameters(self) -> dict[str, Any]:
        return {n: p.detach() for n, p in self.model.named_parameters()}

    def scale(self) -> float:
        return self.policy.loss_scale(self.optimizer)


class Jax:
    backend = "jax"

    def __init__(self, precision: Any, spec: Any, reduction: str = "mean") -> None:
        self.policy = Precision.of(precision).part("jax")
        self.model = self.policy.cast_model(JaxNet())
        self.optimizer = nnx.Optimizer(self.model, get_optimizer(self.policy.rule(spec), "jax"), wrt=nnx.Param)
        self.loss, self.reduction = get_loss("cross_entropy", "jax", reduction=reduction), reduction
        self.compiled = nnx.jit(self.policy.step, static_argnames=("loss_of", "parts", "reduction"), static_argnums=(2,))

    def loss_of(self, model: Any, x: Any, y: Any) -> Any:
        predictions = self.policy.forward(model, x)
        self.predictions = predictions.dtype
        return self.loss(predictions, y)

    def step(self, x: np.ndarray, y: np.ndarray, parts: int = 1) -> float:
        batch = jnp.asarray(x, self.policy.params), jnp.asarray(y)
        return float(self.compiled(self.model, self.optimizer, self.loss_of, *batch, parts=parts, reduction=self.reduction))

    def gradients(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        batch = jnp.asarray(x, self.policy.params), jnp.asarray(y)
        _, gradients = self.policy.gradients(self.loss_of, self.model, self.optimizer, *batch)
        return named(self.policy.unscale(gradients, self.optimizer))

    def parameters(self) -> dict[str, Any]:
        return named(nnx.state(self.model, nnx.Param))

    def scale(self) -> float:
        return float(self.policy.loss_scale(self.optimizer))


TO_TORCH = {"kernel": "weight", "scale": "weight", "bias": "bias"}


def named(state: Any) -> dict[str, Any]:
    """PyTorch's names and layouts."""
    found = {}
    for module, leaves in nnx.to_pure_dict(state).items():
        for name, x in leaves.items():
            found[f"{module}.{TO_TORCH[name]}"] = (x.T if name == "kernel" else x).astype(jnp.promote_types(x.dtype, jnp.float32))
    return found


BOTH = pytest.mark.parametrize("make", [Torch, Jax], ids=["torch", "jax"])
