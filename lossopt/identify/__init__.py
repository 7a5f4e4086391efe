"""What a run really did: the optimizer, convention and hyperparameters that made its recorded updates.

>>> import lossopt
>>> found = lossopt.identify("runs/a")  # doctest: +SKIP
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossopt.identify.identification import Identification
    from lossopt.recording import Recording

__all__ = ["identify"]


def identify(recording: Recording | str | Path) -> Identification:
    """The definition whose replay gives the recorded updates, and what the data say of each of its numbers.

    Every optimizer under every setting of its switches is run in float64 on the recorded parameters and gradients; its
    continuous hyperparameters are fitted; residuals are counted in roundings of the recorded numbers.  Parameters that are
    treated differently (not decayed, frozen, another learning rate, another rule) are told apart, and so are clipping,
    gathering of gradients, late updates and moments in bfloat16.

    Args:
        recording: a recording, or its folder; of the first 20 steps it holds parameters, gradients and updates.

    Returns:
        An `Identification`: ``best`` (None where nothing explains the run), ``ranking``, ``groups``, ``schedule``.

    Raises:
        InputError: the recording holds too little.

    Example:
        >>> import numpy as np, lossopt
        >>> from lossopt.recording import Parameter, Recording, RunInfo, Step
        >>> rng, optimizer = np.random.default_rng(0), lossopt.get_optimizer("adam", "numpy", lr=0.01, betas=(0.8, 0.99))
        >>> p, arrays = {"w": rng.normal(size=(8, 4))}, []
        >>> state = optimizer.init(p)
        >>> for t in range(12):
        ...     g = {"w": rng.normal(size=(8, 4))}
        ...     u, state = optimizer.update(g, state, p)
        ...     arrays.append({"param/w": p["w"], "grad/w": g["w"], "update/w": u["w"]})
        ...     p = {"w": p["w"] + u["w"]}
        >>> info = RunInfo("torch", (Parameter("w", (8, 4), "float64"),))
        >>> steps = tuple(Step(t, lr=(0.01,)) for t in range(12))
        >>> lossopt.identify(Recording(info, steps, tuple(range(12)), arrays.__getitem__)).best.spec
        adam(lr=0.01, betas=(0.8, 0.99))
    """
    from lossopt.identify.identification import identification
    from lossopt.recording import read_recording

    return identification(read_recording(recording) if isinstance(recording, str | Path) else recording)


class _Verb(types.ModuleType):
    """`lossopt.identify` is this package as soon as one of its pages was imported; it can be called all the same."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return identify(*args, **kwargs)


sys.modules[__name__].__class__ = _Verb
