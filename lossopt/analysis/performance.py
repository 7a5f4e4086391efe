"""How long a training step takes, how many samples pass, and how much memory it needs."""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypedDict

import numpy as np

from lossopt import loop, registry
from lossopt.errors import HyperparameterError, InputError


class Performance(TypedDict):
    """What `PerformanceMonitor.summary` tells; times in seconds, memory in bytes."""

    steps: int
    step_time: float
    step_time_quartiles: tuple[float, float]
    first_step_time: float
    throughput: float | None
    peak_memory: int | None
    memory_of: str
    times: list[float]


class PerformanceMonitor:
    """Times the steps of a training loop, in PyTorch and in JAX.

    As a callback, around the function that is a step; or as a context, which is told what the step has computed:

        train_step = monitor.watch(train_step, samples=64)        # then call it as before
        with monitor.step(samples=len(x)) as done:
            loss = train_step(x, y)
            done(loss)

    JAX, and PyTorch on an accelerator, return before they have computed: the clock stops when what `done` was given is
    there.  The first steps compile and allocate; they are timed apart.

    Args:
        warmup: how many first steps to leave out of the statistics, a whole number, 0 or more.

    Example:
        >>> from lossopt.analysis import PerformanceMonitor
        >>> monitor = PerformanceMonitor()
        >>> for _ in range(5):
        ...     with monitor.step(samples=32) as done:
        ...         total = done(sum(range(1000)))
        >>> found = monitor.summary()
        >>> found["steps"], found["step_time"] > 0, found["throughput"] > 0
        (5, True, True)
    """

    def __init__(self, warmup: int = 1) -> None:
        if isinstance(warmup, bool) or not isinstance(warmup, int) or warmup < 0:
            raise HyperparameterError(f"PerformanceMonitor: warmup must be a whole number, 0 or more, got {warmup!r}")
        self.warmup = warmup
        self.times: list[float] = []
        self.samples: list[int | None] = []
        self._device: tuple[str, int] | None = None

    @contextlib.contextmanager
    def step(self, samples: int | None = None) -> Iterator[Callable[[Any], Any]]:
        """Time what happens inside; call what it gives with the step's results, which it returns when they are there."""
        computed: list[Any] = []

        def done(result: Any) -> Any:
            computed.append(result)
            return self._wait(result)

        begin = time.perf_counter()
        yield done
        self.times.append(time.perf_counter() - begin)
        self.samples.append(samples)
        for result in computed:
            self._measure(result)

    def watch(self, train_step: Callable[..., Any], samples: int | None = None) -> Callable[..., Any]:
        """The same function, timed whenever it is called."""

        @functools.wraps(train_step)
        def watched(*args: Any, **named: Any) -> Any:
            with self.step(samples) as done:
                return done(train_step(*args, **named))

        return watched

    def summary(self) -> Performance:
        """The steps so far.

        Returns:
            A dict: ``steps``; ``step_time``, the median, and ``step_time_quartiles``, after the warm-up;
            ``first_step_time``; ``throughput``, samples per second at the median (None where a step did not say how
            many it had); ``peak_memory``, and ``memory_of``, the accelerator, else "process"; ``times`` of all steps.

        Raises:
            InputError: no step has been timed after the warm-up.
        """
        timed = np.array(self.times[self.warmup:])
        if len(timed) == 0:
            raise InputError(f"{len(self.times)} steps are timed and {self.warmup} of them are warm-up: time more, or write warmup=0")
        low, median, high = (float(q) for q in np.quantile(timed, [0.25, 0.5, 0.75]))
        counted = [s / t for s, t in zip(self.samples[self.warmup:], timed, strict=True) if s is not None]
        owner, peak = self._device or ("process", _process_peak())
        return Performance(steps=len(self.times), step_time=median, step_time_quartiles=(low, high), first_step_time=self.times[0],
                           throughput=float(np.median(counted)) if len(counted) == len(timed) else None,
                           peak_memory=peak, memory_of=owner, times=list(self.times))  # fmt: skip

    def _wait(self, result: Any) -> Any:
        framework = loop.framework_among(result)
        if framework is not None:
            registry.backend(framework).part("analysis").wait(result)
        return result

    def _measure(self, result: Any) -> None:
        framework = loop.framework_among(result)
        found = None if framework is None else registry.backend(framework).part("analysis").device_peak(result)
        if found is not None and (self._device is None or found[1] > self._device[1]):
            self._device = found


def _process_peak() -> int | None:
    """The most memory this process has held, in bytes; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
