"""Runs both sides of every topic, and lossopt's statement of each side in both frameworks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossopt import registry
from lossopt.errors import MissingBackendError
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.disagreements.table import topics
from lossopt.parity.disagreements.topic import Side, Topic
from lossopt.parity.measures import apart, distance_moved, problem_of, relative, rms, through_float32
from lossopt.parity.problem import Problem, flatten, gradient, standard

STEPS = 20
HOME = {"torch": "torch", "optax": "jax", "keras": "jax"}
"""The backend beside which a framework's own runs."""
OTHER = {"torch": "jax", "jax": "torch"}


@dataclass(frozen=True)
class Disagreement:
    """One row, measured.

    Attributes:
        topic: what was run.
        apart: how far the right side is from the left one.
        ours: how far lossopt in JAX is from lossopt in PyTorch, for the worse of the two sides.
        sides: how far lossopt in the other framework is from the left side's own, and from the right side's: PyTorch's numbers
            in JAX, optax's and Keras's in PyTorch.
    """

    topic: Topic
    apart: float
    ours: float
    sides: tuple[float, float]

    @property
    def name(self) -> str:
        return self.topic.name

    @property
    def carried(self) -> float | None:
        """The worse of `sides`, without those that lossopt states otherwise and says why; None where it does so with both."""
        return max((x for x, side in zip(self.sides, self.topic.sides, strict=True) if not side.unlike), default=None)


def disagreements(chosen: Iterable[Topic] | None = None) -> list[Disagreement]:
    """Measure every row, or those that are given.

    Raises:
        MissingBackendError: PyTorch, JAX or Keras is not installed.
    """
    with Runs() as runs:
        begun = [(topic, runs.begin(topic)) for topic in (topics() if chosen is None else chosen)]
        return [finish() for _, finish in begun]


class Runs:
    """Both backends, each in as many threads as it allows; what two topics share is run once."""

    def __init__(self) -> None:
        self.parts = {name: registry.backend(name).part("parity") for name in ("torch", "jax")}
        self.pools = {name: ThreadPoolExecutor(part.THREADS) for name, part in self.parts.items()}
        self.known: dict[tuple[Any, ...], Future[np.ndarray]] = {}

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self.pools.values():
            pool.shutdown(cancel_futures=True)

    def begin(self, topic: Topic) -> Callable[[], Disagreement]:
        """Submit every run of a topic; call what comes back to wait for them and to measure."""
        own = [self.pools[HOME[side.framework]].submit(self._own, topic, side) for side in topic.sides]
        ours = [{name: self._ours(topic, side, name) for name in self.parts} for side in topic.sides]
        distance = _distance(topic)

        def finish() -> Disagreement:
            left, right = (run.result() for run in own)
            found = [{name: run.result() for name, run in runs.items()} for runs in ours]
            sides = [distance(f[OTHER[HOME[side.framework]]], theirs)
                     for side, f, theirs in zip(topic.sides, found, (left, right), strict=True)]  # fmt: skip
            between = max(distance(f["jax"], f["torch"]) for f in found)
            return Disagreement(topic, distance(right, left), between, (sides[0], sides[1]))

        return finish

    def _ours(self, topic: Topic, side: Side, backend: str) -> Future[np.ndarray]:
        key = (backend, _stated(side.case), topic.about, topic.scale)
        if key not in self.known:
            self.known[key] = self.pools[backend].submit(_run, topic, side.case, self.parts[backend], "")
        return self.known[key]

    def _own(self, topic: Topic, side: Side) -> np.ndarray:
        part = self.parts[HOME[side.framework]]
        if side.framework != "keras":
            return _run(topic, side.case, part, "original_")
        keras = part.further_originals(side.case).get("keras")
        if keras is None:
            raise MissingBackendError("the differences of Keras need keras; pip install 'lossopt[dev]'")
        if isinstance(side.case, OptimizerCase):
            return keras.optimizer(side.case, _problem(topic, side.case))
        if isinstance(side.case, ScheduleCase):
            return keras.schedule(side.case)
        return _about(topic, keras.loss(side.case, *_inputs(side.case)))


# ------------------------------------------------------------------------------------------------- one run
def _run(topic: Topic, case: OptimizerCase | LossCase | ScheduleCase, part: Any, whose: str) -> np.ndarray:
    """The numbers of lossopt (`whose` is ""), or of the backend's framework ("original_")."""
    dtype = "float32" if topic.about == "float32" else "float64"
    if isinstance(case, LossCase):
        inputs, wrt = _inputs(case)
        return _about(topic, getattr(part, f"{whose}loss")(case, inputs, wrt, dtype))
    if isinstance(case, ScheduleCase):
        return getattr(part, f"{whose}schedule")(case, standard(case.steps).metric, dtype)
    if topic.about == "float32":
        problem, gradients = _single(case)
        return part.original_updates(case, problem, gradients) if whose else part.updates(case.spec, problem, gradients, {})
    problem = _problem(topic, case)
    if whose:
        return part.original(case, problem)
    executor = ("auto",) if part.NAME == "torch" else ()  # what a user gets
    return part.optimizer(case.spec, problem, {}, *executor)


def _stated(case: OptimizerCase | LossCase | ScheduleCase) -> str:
    """What lossopt is asked to run, as text: two sides that ask the same share one run."""
    if isinstance(case, OptimizerCase):
        return repr((case.spec, case.still, case.steps))
    return repr((case.name, case.options, case.inputs if isinstance(case, LossCase) else case.steps))


def _about(topic: Topic, found: tuple[np.ndarray, list[np.ndarray]]) -> np.ndarray:
    values, gradients = found
    return gradients[0] if topic.about == "gradient" else values


def _inputs(case: LossCase) -> tuple[tuple[np.ndarray, ...], tuple[int, ...]]:
    return tuple(np.asarray(x) for x in case.inputs(np.random.default_rng(0))), (0,)


def _problem(topic: Topic, case: OptimizerCase) -> Problem:
    found = problem_of(case, min(STEPS, case.steps))
    if topic.scale == 1.0:
        return found
    start, target, noise = ({n: topic.scale * x for n, x in part.items()} for part in (found.start, found.target, found.noise))
    return replace(found, start=start, target=target, noise=noise)


def _single(case: OptimizerCase) -> tuple[Problem, list[dict[str, np.ndarray]]]:
    """Parameters of zero, by which no update is blurred, and gradients that float32 can hold."""
    problem = problem_of(case, STEPS).map(through_float32).at_zero()
    found = (gradient(problem.start, problem.target, problem.weight, problem.noise_at(t)) for t in range(STEPS))
    return problem, [{n: through_float32(g) for n, g in grads.items()} for grads in found]


# ------------------------------------------------------------------------------------------------- how far apart
def _distance(topic: Topic) -> Callable[[np.ndarray, np.ndarray], float]:
    """Of an optimizer relative to the distance moved, of a value to the largest one; of derivatives the largest difference."""
    case = topic.left.case
    if isinstance(case, OptimizerCase):
        if topic.about == "float32":
            return lambda found, referee: max(map(rms, found, referee))
        start = flatten(_problem(topic, case).start)
        return lambda found, referee: distance_moved(found, referee, start)
    return _largest if topic.about == "gradient" else relative


def _largest(found: np.ndarray, referee: np.ndarray) -> float:
    return float(apart(found, referee).max())
