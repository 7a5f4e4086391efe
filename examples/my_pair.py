"""Your own pair of models, on your own data: lossopt compare configs/digits_classification.yaml --task examples/my_pair.py

A file like this defines `task`.  Nothing about your models has to be known to lossopt: a function that makes the PyTorch
module, a function that makes the Flax module, which parameter is which where the names differ, and arrays.
"""

import jax
import numpy as np
from flax import nnx
from torch import nn

from lossopt.tasks import Data, Task

SIZE, CLASSES, WIDTH = 12, 3, 32


def data() -> Data:
    """Which of three tones is in a noisy signal?"""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, 1000)
    phases = generator.uniform(0, 2 * np.pi, (1000, 1))
    signals = np.sin(phases + (labels[:, None] + 1) * np.arange(SIZE)) + 0.8 * generator.standard_normal((1000, SIZE))
    return Data(train=(signals[:800], labels[:800]), test=(signals[800:], labels[800:]))


def torch_model() -> nn.Module:
    """The model as it stands in the PyTorch code: its parameters are called 0.weight, 1.weight, 3.weight, ..."""
    return nn.Sequential(nn.Linear(SIZE, WIDTH), nn.LayerNorm(WIDTH, eps=1e-6), nn.GELU(approximate="tanh"), nn.Linear(WIDTH, CLASSES))


class FlaxModel(nnx.Module):
    """The same model as it was ported: layer_in.kernel, norm.scale, layer_out.kernel, ...

    Two defaults differ: Flax's LayerNorm has eps=1e-6 where PyTorch's has 1e-5, and Flax's GELU is the tanh
    approximation.  The PyTorch model above says so; leave one out, and the comparison tells that the predictions differ.
    """

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.layer_in = nnx.Linear(SIZE, WIDTH, rngs=rngs)
        self.norm = nnx.LayerNorm(WIDTH, use_fast_variance=False, rngs=rngs)
        self.layer_out = nnx.Linear(WIDTH, CLASSES, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.layer_out(nnx.gelu(self.norm(self.layer_in(x))))


task = Task(
    name="tones",
    data=data,
    models={"torch": torch_model, "jax": FlaxModel},
    names={"0": "layer_in", "1": "norm", "3": "layer_out"},  # kernel and scale are known to be PyTorch's weight
)
