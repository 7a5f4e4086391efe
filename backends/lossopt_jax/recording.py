"""A JAX run recorded by a wrapped transformation; `lossopt.record` says what of it is seen.

Under jit a step sends one vector to the host, in one callback; only the steps of the plan send arrays with it.  What the user
tells outside jit (losses, batches) meets the steps in `Run`, in their order.
"""

from __future__ import annotations

import atexit
import functools
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer
from jax.experimental.buffer_callback import buffer_callback

from lossopt.definition import Spec
from lossopt.errors import InputError
from lossopt.recording.contents import Parameter, Step, checksum
from lossopt.recording.log import Log, Part, fields_of, with_loss
from lossopt.recording.plan import Plan
from lossopt.schedules.spec import ScheduleSpec
from lossopt_jax.optimizers import Transformation, at_step, scalar_dtype, split


class RecordState(NamedTuple):
    """The state of a recorded transformation.

    Attributes:
        count: updates so far; the number of the next, so that a restored run goes on counting.
        inner_state: of what is recorded; a tuple where that is several transformations.
    """

    count: Any  # pyright: ignore[reportIncompatibleMethodOverride]  (optax names it so)
    inner_state: Any


class Recorded(optax.GradientTransformationExtraArgs):
    """An optax transformation whose updates are recorded.

    Attributes:
        run: the recording, to be told of losses and batches.
        spec, eval_params: of the transformation that is recorded, where it is one of ours.
    """

    run: Run
    spec: Spec
    eval_params: Callable[[RecordState, Any], Any]


def record(folder: str | Path, what: tuple[Any, ...], plan: Plan, *, logits: bool, overwrite: bool, lr: Any = None,
           accumulate: int = 1) -> Any:  # fmt: skip
    """The transformations recorded; of an ``nnx.Optimizer`` the run, of a ``TrainState`` a new one."""
    if logits:
        raise InputError("record: a JAX run is told its outputs: tx.run.logits(logits, labels) after each step; leave logits=True out")
    if not isinstance(accumulate, int) or accumulate < 1:
        raise InputError(f"record: accumulate is how many batches make one update, a whole number from 1, got {accumulate!r}")
    held = what[0] if len(what) == 1 and hasattr(what[0], "tx") and hasattr(what[0], "opt_state") else None
    parts = what if held is None else (held.tx,)
    for x in parts:
        if not (hasattr(x, "init") and hasattr(x, "update")):
            raise InputError(f"record takes optax transformations, one nnx.Optimizer or one TrainState, got {type(x).__name__}: "
                             'write tx = lossopt.record("runs/a", tx)')  # fmt: skip
    run = Run(Log(folder, "jax", plan, overwrite=overwrite, writes=jax.process_index() == 0), accumulate)
    tx = recorded(run, parts, lr)
    if held is None:
        return tx
    count = getattr(held.step, "get_value", lambda: held.step)()
    count = jnp.asarray(count, jnp.int32)
    if hasattr(held, "replace"):  # a TrainState is a tree that is never changed
        return held.replace(tx=tx, opt_state=RecordState(count, held.opt_state))
    from flax import nnx

    held.tx, held.opt_state = tx, nnx.data(RecordState(nnx.OptState(count), held.opt_state))
    return run


def recorded(run: Run, parts: Sequence[optax.GradientTransformation], lr: Any = None) -> Recorded:
    """Transformations one after the other, as in ``optax.chain``, that tell a run of every update."""
    chained = [optax.with_extra_args_support(part) for part in parts]

    def init(params: Any) -> RecordState:
        states = [part.init(params) for part in chained]
        return RecordState(jnp.zeros((), jnp.int32), tuple(states) if len(states) > 1 else states[0])

    def update(updates: Any, state: RecordState, params: Any = None, **extras: Any) -> tuple[Any, RecordState]:
        passed, new = [updates], []
        for part, own in zip(chained, state.inner_state if len(chained) > 1 else (state.inner_state,), strict=True):
            updates, own = part.update(passed[-1], own, params, **extras)
            passed.append(updates)
            new.append(own)
        inner = tuple(new) if len(new) > 1 else new[0]
        rates = _rates(inner) or _told_rate(chained[-1] if lr is None else lr, state.count)
        raw = passed[0] if len(chained) > 1 else None
        told = _tell(run, state.count, raw, passed[-2], passed[-1], params, rates, extras.get("value"))
        return updates, RecordState(state.count + 1 + told, inner)

    made = Recorded(init, cast(Any, update))
    made.run = run
    if specs := [repr(part.spec) for part in chained if isinstance(part, Transformation)]:
        run.told["spec"] = specs[0] if len(specs) == 1 else specs
    if isinstance(only := chained[0], Transformation) and len(chained) == 1:
        made.spec, made.eval_params = only.spec, lambda state, params: only.eval_params(state.inner_state, params)
    return made


# ------------------------------------------------------------------------------------------------- under jit
SMALL = 2048
"""Up to so many elements, arrays are measured together."""


def _tell(run: Run, count: Any, raw: Any, grads: Any, updates: Any, params: Any, rates: Sequence[Any], loss: Any) -> Any:
    """One step to the host: its numbers in one vector, and with them its arrays where the plan has them.

    Returns:
        0, which the host has given.  A callback that gives something is part of the computation, where one that gives nothing
        is an effect, and jit calls a function with effects from Python: of 240 arrays that takes 2.5 ms longer.
    """
    names, leaves, tree = split(grads)
    run.begin(names, leaves)
    kinds = {"grad": leaves, "update": tree.flatten_up_to(updates), **({} if params is None else {"param": tree.flatten_up_to(params)})}
    kinds = {kind: [_apart(x) for x in some] for kind, some in kinds.items()}
    watched = [_some(x, run.log.watched[name]) for name, x in zip(names, kinds["update"], strict=True)]
    measured = {"grad_norms": kinds["grad"], "update_norms": watched}
    if raw is not None:
        measured["raw_grad_norms"] = [_apart(x) for x in tree.flatten_up_to(raw)]
    if params is not None:
        measured["param_norms"] = kinds["param"]
    dtype = scalar_dtype(leaves)
    norms = jnp.sqrt(jnp.stack([x.astype(dtype) for some in measured.values() for x in _squares(some)]))
    parts = [Part.by_name(field, names, run.log.factors if field == "update_norms" else None) for field in measured]
    numbers = [norms]
    for field, some in (("lr", rates), ("losses", [] if loss is None else [loss])):
        parts += [Part(field)] * len(some)
        numbers += [jnp.asarray(x, dtype).reshape(1) for x in some]
    parts.append(Part("nonfinite"))
    numbers.append(jnp.asarray(_nonfinite(kinds["grad"]), dtype).reshape(1))
    vector = jnp.concatenate(numbers)
    traced = isinstance(norms, Tracer) or isinstance(count, Tracer)

    def call(arrays: Mapping[str, Any]) -> Any:
        receive, given = functools.partial(run.receive, tuple(parts), tuple(arrays)), (count, vector, *arrays.values())
        return _to_host(receive, jax.lax.stop_gradient(given)) if traced else receive(*given)

    # samples are taken at every step: an update of which only they are asked is not made a second time for the recording
    arrays = {f"{kind}/{name}": _some(x, run.log.positions[name]) for kind, some in kinds.items()
              for name, x in zip(names, some, strict=True)}  # fmt: skip
    wanted = run.log.plan.has_arrays(count)
    if traced:
        return jax.lax.cond(wanted, lambda: call(arrays), lambda: call({}))
    return call(arrays) if wanted else call({})


def _to_host(receive: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    """Call the host, which gives 0.

    Where a CPU is the only device, the host looks at its memory itself.  `jax.pure_callback` makes arrays of it first: that is most of
    what the host does at a step; and it copies what is large in a thread of the CPU client, which on one core is the one that waits
    for the callback: https://github.com/jax-ml/jax/issues/24255.  Of several devices each would call.
    """
    zero = jax.ShapeDtypeStruct((), jnp.int32)
    if jax.default_backend() != "cpu" or jax.device_count() > 1:
        return jax.pure_callback(receive, zero, *given, vmap_method="sequential")

    def look(_: Any, out: Any, *buffers: Any) -> None:
        np.asarray(out)[...] = receive(*map(np.asarray, buffers))

    return buffer_callback(look, zero, vmap_method="sequential")(*given)


def _apart(x: Any) -> Any:
    """The same array, for the recording alone: XLA computes the rest of the step as without it, as far as it can."""
    return jax.lax.optimization_barrier(x)


def _squares(some: Sequence[Any]) -> list[Any]:
    """The sum of the squares of each array; small ones of one size together, for a sum of few numbers is mostly the call."""
    found, alike = dict[int, Any](), dict[Any, list[int]]()
    for i, x in enumerate(some):
        x = jnp.abs(x) if jnp.iscomplexobj(x) else x
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32)).reshape(-1)
        if wide.size <= SMALL:
            alike.setdefault((wide.size, wide.dtype), []).append(i)
            found[i] = wide
        else:
            found[i] = jnp.sum(jnp.square(wide))
    for these in alike.values():
        sums = jnp.sum(jnp.square(jnp.stack([found[i] for i in these])), axis=1)
        found.update(zip(these, sums, strict=True))
    return [found[i] for i in range(len(some))]


def _nonfinite(grads: Sequence[Any]) -> Any:
    """How many elements are infinite or NaN.

    They are looked at in every step: ``lax.cond`` on a norm would look seldom, but what it might look at must then be kept in memory,
    which takes three times as long.  And they are counted in float32, since XLA adds whole numbers one after the other.
    """
    return sum(jnp.sum(jnp.where(jnp.isfinite(g), jnp.float32(0), jnp.float32(1))) for g in grads)


def _some(x: Any, at: np.ndarray | None) -> Any:
    return x if at is None else x.reshape(-1)[at]


def _rates(state: Any) -> list[Any]:
    """The learning rates that a state holds, where optax.inject_hyperparams or ours put them."""
    if isinstance(found := getattr(state, "hyperparams", None), dict):
        rates = [name for name in found if name.rpartition(".")[2].rpartition(":")[2] == "learning_rate"]
        return [found[name] for name in sorted(rates, key=lambda name: (":" in name, name))]  # a group's after all parameters'
    inside = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return [x for item in inside for x in _rates(item)]


def _told_rate(given: Any, count: Any) -> list[Any]:
    """A number or a schedule; of a transformation of ours the schedule that it was made with."""
    if isinstance(given, Transformation):
        given = next((value for name, value in given.spec.flat.items() if name.rpartition(".")[2] == "lr"), None)
    elif isinstance(given, optax.GradientTransformation):
        given = None
    if callable(given) or isinstance(given, ScheduleSpec):
        given = at_step(given, count, jnp.float32)
    return [] if given is None else [given]


# ------------------------------------------------------------------------------------------------- on the host
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

    The k-th call of `loss`, of `batch`, of `logits` and of `average` belongs to the k-th step.  A step is written when the next has come:
    whatever was told of it was told before that.  A thread writes, for the device waits as long as its callback takes.

    Attributes:
        log: the folder and the plan.
        told: what ``run.json`` says of the transformations; optax's do not tell their names.
    """

    def __init__(self, log: Log, accumulate: int = 1) -> None:
        self.log, self._accumulate = log, accumulate
        self.told: dict[str, Any] = {}
        self._begun: tuple[str, ...] | None = None
        self._averages = 0
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
        told, first = self._averages, self._first
        self._averages += 1
        if first is not None and not self.log.plan.has_arrays(first + told):
            self._tell("average", {})
        else:  # a copy: the loop may donate its own to the next step
            self._tell("average", {name: jnp.array(_some(x, self.log.positions.get(name))) for name, x in zip(names, leaves, strict=True)})

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
            average = {f"ema/{name}": x for name, x in self._next("average", {}).items()}
            arrays = {**step.arrays, **outputs, **average} if step.arrays else {}
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
    if isinstance(x, Tracer):
        raise InputError(f"{call} is for arrays outside jit, this one is traced; inside jit give the loss to the update: "
                         "optimizer.update(model, grads, value=loss), tx.update(grads, state, params, value=loss)")  # fmt: skip
    return x


def _widened(x: np.ndarray) -> np.ndarray:
    """Half precision as float32, which every reader knows."""
    return x.astype(np.float32) if x.dtype.itemsize < 4 and jnp.issubdtype(x.dtype, jnp.floating) else x
