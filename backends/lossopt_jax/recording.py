"""A JAX run recorded by a wrapped transformation; `lossopt.record` says what of it is seen.

What runs under jit is in `lossopt_jax.recording_device`, what waits for it in `lossopt_jax.recording_host`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax

from lossopt.definition import Spec
from lossopt.errors import InputError
from lossopt.recording.log import Log
from lossopt.recording.plan import Plan
from lossopt_jax.optimizers import Transformation
from lossopt_jax.recording_device import numbers, rates, scheduled, tell, told_rate
from lossopt_jax.recording_host import Run


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
        lrs = rates(inner) or told_rate(chained[-1] if lr is None else lr, state.count)
        raw = passed[0] if len(chained) > 1 else None
        others = {**numbers(inner), **scheduled(chained[-1], state.count)}
        told = tell(run, state.count, raw, passed[-2], passed[-1], params, lrs, others, extras.get("value"))
        return updates, RecordState(state.count + 1 + told, inner)

    made = Recorded(init, cast(Any, update))
    made.run = run
    if specs := [repr(part.spec) for part in chained if isinstance(part, Transformation)]:
        run.told["spec"] = specs[0] if len(specs) == 1 else specs
    if isinstance(only := chained[0], Transformation) and len(chained) == 1:
        made.spec, made.eval_params = only.spec, lambda state, params: only.eval_params(state.inner_state, params)
    return made
