"""What of a recorded JAX run is on the host: the steps that come from the device meet what the user tells outside jit."""

from __future__ import annotations

import atexit
import queue
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer

from lossopt.errors import InputError
from lossopt.recording.contents import Parameter, Step, checksum
from lossopt.recording.log import Log, Part, fields_of, with_loss
from lossopt_jax.optimizers import split

KEPT = {"average": "ema", "buffers": "buffer"}
"""What a run is told of after its steps, and what its arrays are called."""

WAITING = 8
"""How many steps may wait to be written; then the device waits for the disk, and not the memory for both."""


class Arrived(NamedTuple):
    """A step from the device."""

    number: int
    seconds: float
    parts: tuple[Part, ...]
    numbers: np.ndarray
    arrays: dict[str, np.ndarray]


class Run:
    """A recording under way: where the steps that come from the device meet what the user tells.

    The k-th call of `loss`, and so of `batch`, `logits`, `average` and `buffers`, belongs to the k-th step.  A step is written
    when the next has come: whatever was told of it was told before that.  A thread writes, for the device waits as long as its
    callback takes.

    Attributes:
        log: the folder and the plan.
        told: what ``run.json`` says of the transformations; optax's do not tell their names.
    """

    def __init__(self, log: Log, accumulate: int = 1) -> None:
        self.log, self._accumulate = log, accumulate
        self.told: dict[str, Any] = {}
        self._begun: tuple[str, ...] | None = None
        self._calls = Counter[str]()
        self._first: int | None = None
        self._told: dict[str, deque[Any]] = {}
        self._queue: queue.Queue[Arrived | threading.Event | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._problem: BaseException | None = None
        if log.open:
            atexit.register(self.close)

    # -- what the user calls, outside jit
    def loss(self, loss: Any) -> None:
        """The loss of a step, after it."""
        self._tell("loss", _concrete("run.loss(loss)", loss))

    def batch(self, *arrays: Any) -> None:
        """The arrays of a batch, inputs first, before its step."""
        self._tell("batch", tuple(checksum(np.asarray(_concrete("run.batch(x, y)", x))) for x in jax.tree.leaves(arrays)))

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """The batches of a loader, each recorded as it passes."""
        for batch in loader:
            self.batch(batch)
            yield batch

    def logits(self, logits: Any, labels: Any = None) -> None:
        """The outputs of a step and their labels, after it; kept where the step has arrays."""
        given = {"logits/0": logits} if labels is None else {"logits/0": logits, "labels/0": labels}
        self._tell("logits", {name: _concrete("run.logits(logits, labels)", x) for name, x in given.items()})

    def average(self, params: Any) -> None:
        """The averaged weights (EMA) of a step, after it; kept where the step has arrays."""
        names, leaves, _ = split(params)
        for x in leaves:
            _concrete("run.average(params)", x)
        if self._begun is not None and (others := set(names) - set(self._begun)):
            known = ", ".join(self._begun[:3]) + (", ..." if len(self._begun) > 3 else "")
            raise InputError(f"run.average(params) has {min(others)!r}, which the recorded parameters have not: {known}; give it a tree "
                             "like the parameters")  # fmt: skip
        self._keep("average", dict(zip(names, leaves, strict=True)), self.log.positions)

    def buffers(self, batch_stats: Any) -> None:
        """What a model keeps beside its parameters, after a step: ``batch_stats``, any tree of arrays; the floating-point
        ones are kept where the step has arrays."""
        names, leaves, _ = split(batch_stats)
        arrays = [jnp.asarray(_concrete("run.buffers(batch_stats)", x)) for x in leaves]
        floating = {name: x for name, x in zip(names, arrays, strict=True) if jnp.issubdtype(x.dtype, jnp.floating)}
        self._keep("buffers", floating, self.log.buffers({name: x.shape for name, x in floating.items()}))

    def flush(self) -> None:
        """Wait until the steps that have come from the device are in the folder, but for the last: it is written when the next comes,
        or by `close`.  What is still being computed has not come: ``jax.block_until_ready(state)`` waits for that."""
        if self._thread is not None and self.log.open:
            done = threading.Event()
            self._queue.put(done)
            done.wait()
        self._raise()

    def close(self) -> None:
        """Wait for what is being computed, and write the last step."""
        if not self.log.open:
            return
        atexit.unregister(self.close)
        try:
            jax.block_until_ready([x for x in jax.live_arrays() if not x.is_deleted()])
        finally:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join()
            self.log.close()
        self._raise()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"recording of {self.log.written} steps in {self.log.folder}"

    # -- what the device calls
    def begin(self, names: tuple[str, ...], leaves: Sequence[Any]) -> None:
        """Name the parameters, while an update is traced."""
        if self._begun != names:
            self._begun = names
            found = [Parameter(name, tuple(x.shape), str(x.dtype)) for name, x in zip(names, leaves, strict=True)]
            self.log.begin(found, {"jax": jax.__version__, "optax": optax.__version__, **self.told})

    def receive(self, parts: tuple[Part, ...], names: tuple[str, ...], count: Any, numbers: Any, *arrays: Any) -> np.ndarray:
        """A step from the device, whose memory the arrays are in; gives 0."""
        if self.log.open:
            number = int(count)
            self._first = number if self._first is None else self._first
            kept = {name: np.array(x) for name, x in zip(names, arrays, strict=True)}
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name=f"recording {self.log.folder}", daemon=True)
                self._thread.start()
            self._queue.put(Arrived(number, self.log.seconds(), parts, np.array(numbers, np.float64), kept))
        return np.zeros((), np.int32)

    # -- where they meet
    def _keep(self, kind: str, arrays: Mapping[str, Any], places: Mapping[str, np.ndarray | None]) -> None:
        told, first = self._calls[kind], self._first
        self._calls[kind] += 1
        if first is not None and not self.log.plan.has_arrays(first + told):
            arrays = {}
        # copies: the loop may donate its own to the next step
        self._tell(kind, {name: jnp.array(some_of(x, places.get(name))) for name, x in arrays.items()})

    def _tell(self, kind: str, x: Any) -> None:
        self._raise()
        if not self.log.open:
            return
        if kind not in self._told:
            self.flush()
            if self.log.written:
                raise InputError(f"run.{kind} was first called after {self.log.written} steps had been written without it: call it "
                                 "once for every step, from the first")  # fmt: skip
            self._told[kind] = deque()
        self._told[kind].append(x)

    def _write_all(self) -> None:
        held: list[Arrived] = []
        while (came := self._queue.get()) is not None:
            if isinstance(came, threading.Event):
                came.set()
                continue
            if held and held[-1].number != came.number:
                self._write(held)
                held = []
            held = [*(before._replace(arrays={}) for before in held), came]
        self._write(held)

    def _write(self, told: list[Arrived]) -> None:
        """One step, which was told several times by optax.MultiSteps and by pmap: by the one at each batch, though only the last
        is an update, by the other from every device."""
        if not told or len(told) < self._accumulate or self._problem is not None:
            return
        try:
            step = told[-1]
            found = fields_of(step.parts, step.numbers.tolist())
            if self._accumulate > 1:
                each = [fields_of(one.parts, one.numbers.tolist()).get("losses", ()) for one in told]
                found["losses"] = [x / self._accumulate for losses in each for x in losses]
            found = with_loss(found)
            batch = [x for _ in range(self._accumulate) for x in self._next("batch", ())]
            loss, outputs = self._next("loss", None), self._next("logits", {})
            if loss is not None:
                found["loss"] = float(loss)
            given = {f"{kind}/{name}": x for call, kind in KEPT.items() for name, x in self._next(call, {}).items()}
            arrays = {**step.arrays, **outputs, **given} if step.arrays else {}
            kept = {name: _widened(np.asarray(x)) for name, x in arrays.items()}
            self.log.write(Step(step.number, seconds=step.seconds, batch=tuple(batch), **found), kept)
        except BaseException as problem:  # told in the user's own thread
            self._problem = problem

    def _next(self, kind: str, nothing: Any) -> Any:
        told = self._told.get(kind)
        return told.popleft() if told else nothing

    def _raise(self) -> None:
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem


def _concrete(call: str, x: Any) -> Any:
    """An array that is outside jit, as it is."""
    if isinstance(x, Tracer):
        instead = "call it where the compiled step is called, with what the step takes or returns"
        if call == "run.loss(loss)":
            instead = ("inside jit give the loss to the update: optimizer.update(model, grads, value=loss), tx.update(grads, state, "
                       "params, value=loss)")  # fmt: skip
        raise InputError(f"{call} is for arrays outside jit, this one is traced; {instead}")
    return x


def some_of(x: Any, at: np.ndarray | None) -> Any:
    """What the arrays hold of a parameter; its axes stay as they are, for one that is sharded would be gathered to be flattened."""
    return x if at is None else x[np.unravel_index(at, x.shape)]


def _widened(x: np.ndarray) -> np.ndarray:
    """Half precision as float32, which every reader knows."""
    return x.astype(np.float32) if x.dtype.itemsize < 4 and jnp.issubdtype(x.dtype, jnp.floating) else x
