"""What of a recorded JAX run is computed under jit, with the step.

A step sends one vector to the host, in one callback; only the steps of the plan send arrays with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer
from jax.experimental.buffer_callback import buffer_callback

from lossopt.recording.log import Part
from lossopt.recording.plan import thinned
from lossopt.schedules.spec import ScheduleSpec
from lossopt_jax.optimizers import Transformation, at_step, scalar_dtype, split
from lossopt_jax.recording_host import Run, some_of
from lossopt_jax.schedules import TraceableSchedule

LR = "learning_rate"

ESTIMATED = ("update_norms", "param_norms")
"""What is measured by the elements at `Log.distances`."""

SMALL = 2048
"""Up to so many elements, arrays are measured together."""


def tell(run: Run, count: Any, raw: Any, grads: Any, updates: Any, params: Any, lrs: Sequence[Any], others: Mapping[str, Sequence[Any]],
         loss: Any) -> Any:  # fmt: skip
    """One step to the host: its numbers in one vector, and with them its arrays where the plan has them.

    Returns:
        0, which the host has given.  A callback that gives something is part of the computation, where one that gives nothing
        is an effect, and jit calls a function with effects from Python: of 240 arrays that takes 2.5 ms longer.
    """
    names, leaves, tree = split(grads)
    run.begin(names, leaves)
    kinds = {"grad": leaves, "update": tree.flatten_up_to(updates), **({} if params is None else {"param": tree.flatten_up_to(params)})}
    kinds = {kind: [_apart(x) for x in some] for kind, some in kinds.items()}
    measured = {"grad_norms": kinds["grad"], "update_norms": _thinned(run, names, kinds["update"])}
    if raw is not None:
        measured["raw_grad_norms"] = [_apart(x) for x in tree.flatten_up_to(raw)]
    if params is not None:
        measured["param_norms"] = _thinned(run, names, kinds["param"])
    dtype = scalar_dtype(leaves)
    norms = jnp.sqrt(jnp.stack([x.astype(dtype) for some in measured.values() for x in _squares(some)]))
    parts = [Part.by_name(field, names, run.log.factors if field in ESTIMATED else None) for field in measured]
    parts += [*[Part("lr")] * len(lrs), *(Part.by_name("numbers", [name] * len(some)) for name, some in others.items())]
    parts += [*([] if loss is None else [Part("losses")]), Part("nonfinite")]
    single = [*lrs, *(x for some in others.values() for x in some), *([] if loss is None else [loss]), _nonfinite(kinds["grad"])]
    vector = jnp.concatenate([norms, *(jnp.asarray(x, dtype).reshape(1) for x in single)])
    traced = isinstance(norms, Tracer) or isinstance(count, Tracer)

    def call(arrays: Mapping[str, Any]) -> Any:
        receive, given = functools.partial(run.receive, tuple(parts), tuple(arrays)), (count, vector, *arrays.values())
        return _to_host(receive, jax.lax.stop_gradient(given)) if traced else receive(*given)

    # samples are taken at every step: an update of which only they are asked is not made a second time for the recording
    arrays = {f"{kind}/{name}": some_of(x, run.log.positions[name]) for kind, some in kinds.items()
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


def _thinned(run: Run, names: Sequence[str], some: Sequence[Any]) -> list[Any]:
    return [thinned(x, run.log.distances[name]) for name, x in zip(names, some, strict=True)]


def _apart(x: Any) -> Any:
    """The same array, for the recording alone: XLA computes the rest of the step as without it, as far as it can."""
    return jax.lax.optimization_barrier(x)


def _squares(some: Sequence[Any]) -> list[Any]:
    """The sum of the squares of each array; small ones of one size together, for a sum of few numbers is mostly the call."""
    found, alike = dict[int, Any](), dict[Any, list[int]]()
    for i, x in enumerate(some):
        x = jnp.abs(x) if jnp.iscomplexobj(x) else x
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        if wide.size <= SMALL:
            alike.setdefault((wide.size, wide.dtype), []).append(i)
            found[i] = wide.reshape(-1)
        else:  # not flattened: one that is sharded would be gathered for it
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


def rates(state: Any) -> list[Any]:
    """The learning rates that a state holds, where optax.inject_hyperparams or ours put them."""
    return [x for name, x in _hyperparams(state) if name == LR]


def numbers(state: Any) -> dict[str, list[Any]]:
    """The other numbers there, each as often as the state holds it."""
    found: dict[str, list[Any]] = {}
    for name, x in _hyperparams(state):
        if name != LR and jnp.ndim(x) == 0 and jnp.issubdtype(jnp.result_type(x), jnp.floating):
            found.setdefault(name, []).append(x)
    return found


def _hyperparams(state: Any) -> list[tuple[str, Any]]:
    """By name without what it is in and without its group, a group's after all parameters'."""
    if isinstance(found := getattr(state, "hyperparams", None), dict):
        in_order = sorted(found, key=lambda name: (":" in name, name))
        return [(name.rpartition(".")[2].rpartition(":")[2], found[name]) for name in in_order]
    inside = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return [pair for item in inside for pair in _hyperparams(item)]


def told_rate(given: Any, count: Any) -> list[Any]:
    """A number or a schedule; of a transformation of ours the schedule that it was made with."""
    if isinstance(given, Transformation):
        given = next((value for name, value in given.spec.flat.items() if name.rpartition(".")[2] == "lr"), None)
    elif isinstance(given, optax.GradientTransformation):
        given = None
    if callable(given) or isinstance(given, ScheduleSpec):
        given = at_step(given, count, jnp.float32)
    return [] if given is None else [given]


def scheduled(given: Any, count: Any) -> dict[str, list[Any]]:
    """Of a transformation of ours the other numbers that it was made with a schedule of."""
    flat = given.spec.flat.items() if isinstance(given, Transformation) else ()
    each = [(f"{name}[{i}]" if isinstance(value, tuple) else name, x)
            for name, value in flat for i, x in enumerate(value if isinstance(value, tuple) else (value,))]  # fmt: skip
    schedules = {label: x for label, x in each if isinstance(x, ScheduleSpec | TraceableSchedule) and label.rpartition(".")[2] != "lr"}
    return {label: [at_step(schedule, count, jnp.float32)] for label, schedule in schedules.items()}
