"""What the parity engine needs in PyTorch: runs of our optimizers and of PyTorch's own, losses, schedules."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lossopt import get_loss, get_schedule
from lossopt.definition import Spec
from lossopt.errors import ArgumentError
from lossopt.parity.case import LossCase, OptimizerCase, ScheduleCase
from lossopt.parity.problem import Arrays, Problem, curvature, flatten, gradient, of_examples, value
from lossopt_torch.optimizers import EXECUTORS, emit

NAME = "torch"
THREADS = 1
"""The default dtype is the process's."""
ORIGINAL = {"optimizer": "torch.optim", "loss": "torch.nn.functional", "schedule": "torch.optim.lr_scheduler"}
"""Whose own code the originals are."""
SCHEDULE_DTYPES = ("float64",)
"""PyTorch's learning rates are Python floats, whatever the parameters are."""


def has_original(case: OptimizerCase | LossCase | ScheduleCase) -> bool:
    """Whether PyTorch has the same."""
    return case.torch is not None


def further_originals(case: OptimizerCase | LossCase | ScheduleCase) -> dict[str, ModuleType]:
    """Other libraries on PyTorch that are held beside it: none."""
    return {}


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """PyTorch keeps its optimizers' numbers (step, mu_product) in the default dtype, even beside float64 parameters."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


# ------------------------------------------------------------------------------------------------- optimizers
def runs(spec: Spec, problem: Problem, groups: Mapping[str, Any]) -> dict[str, Callable[[], np.ndarray]]:
    """Every executor that can carry a spec."""
    found = {}
    for executor in EXECUTORS:
        if executor != "auto":  # one of the others
            with contextlib.suppress(ArgumentError):
                emit(spec, params=_leaves(problem, torch.float64).items(), executor=executor, groups=groups)
                found[f"{NAME} {executor}"] = functools.partial(optimizer, spec, problem, groups, executor)
    return found


def optimizer(spec: Spec, problem: Problem, groups: Mapping[str, Any], executor: str) -> np.ndarray:
    """The parameters after every update, one row each; then its eval point, if it has one."""
    params = _leaves(problem, torch.float64)
    made = emit(spec, params=params.items(), executor=executor, groups=groups)
    return _run(made, params, problem, spec.asks, torch.float64, with_eval=any(s.definition.eval_point for _, s in spec.walk()))


def original(case: OptimizerCase, problem: Problem) -> np.ndarray:
    """The same from PyTorch's own."""
    assert case.torch
    with default_dtype(torch.float64):
        params = _leaves(problem, torch.float64)
        made = case.torch(torch, list(params.values()))
        return _run(made, params, problem, frozenset(), torch.float64, with_eval=hasattr(made, "eval"))


def updates(spec: Spec, problem: Problem, gradients: Sequence[Arrays], groups: Mapping[str, Any]) -> np.ndarray:
    """The float32 update at every step for given gradients, with the parameters held where the problem starts: at zero."""
    params = _leaves(problem, torch.float32)
    return _updates(emit(spec, params=params.items(), groups=groups), params, problem, gradients, spec.asks)


def original_updates(case: OptimizerCase, problem: Problem, gradients: Sequence[Arrays]) -> np.ndarray:
    """The same from PyTorch's own."""
    assert case.torch
    params = _leaves(problem, torch.float32)
    return _updates(case.torch(torch, list(params.values())), params, problem, gradients, frozenset())


def half(spec: Spec, problem: Problem, grads: Arrays) -> np.ndarray:
    """The bfloat16 parameters after one update, as float64."""
    params = _leaves(problem, torch.bfloat16)
    made = emit(spec, params=params.items())
    for n, p in params.items():
        p.grad = torch.tensor(grads[n], dtype=torch.bfloat16)
    made.step()
    return _flat(params)


def _leaves(problem: Problem, dtype: torch.dtype) -> dict[str, torch.nn.Parameter]:
    return {n: torch.nn.Parameter(torch.tensor(x, dtype=dtype)) for n, x in problem.start.items()}


def _flat(params: Mapping[str, Tensor]) -> np.ndarray:
    return flatten({n: p.detach().double().numpy() for n, p in params.items()})


def _run(made: Any, params: dict[str, torch.nn.Parameter], problem: Problem, asks: frozenset[str], dtype: torch.dtype, *,
         with_eval: bool) -> np.ndarray:  # fmt: skip
    data, rows = problem.map(lambda x: torch.tensor(x, dtype=dtype)), []
    for t in range(problem.steps):
        _step(made, params, data, t, asks)
        rows.append(_flat(params))
    if with_eval:
        made.eval()
        rows.append(_flat(params))
    return np.stack(rows)


def _updates(made: Any, params: dict[str, torch.nn.Parameter], problem: Problem, gradients: Sequence[Arrays],
             asks: frozenset[str]) -> np.ndarray:  # fmt: skip
    data, rows = problem.map(lambda x: torch.tensor(x, dtype=torch.float32)), []
    for t, grads in enumerate(gradients):
        _step(made, params, data, t, asks, grads)
        rows.append(_flat(params))
        with torch.no_grad():
            for p in params.values():
                p.zero_()
    return np.stack(rows)


def _step(made: Any, params: dict[str, torch.nn.Parameter], data: Problem, t: int, asks: frozenset[str],
          grads: Arrays | None = None) -> None:  # fmt: skip
    """One step as a training loop takes it; the closure is for those that want it."""
    own = data.target, data.weight, data.noise_at(t)

    def closure() -> Tensor:
        found = gradient({n: p.detach() for n, p in params.items()}, *own)
        for n, p in params.items():
            p.grad = found[n]
        return value({n: p.detach() for n, p in params.items()}, *own)

    loss = closure()
    if grads is not None:
        for n, p in params.items():
            p.grad = torch.tensor(grads[n], dtype=p.dtype)
    if getattr(getattr(made, "spec", None), "per_example", False):
        for n, examples in of_examples({n: p.grad for n, p in params.items()}, torch.stack).items():
            p: Any = params[n]
            p.grad_sample = examples
    if "evaluate" in asks:
        first = [loss]
        given = {n: p.grad for n, p in params.items()}

        def again() -> Tensor:  # the first call is the loop's own, with its gradients
            if first:
                for n, p in params.items():
                    p.grad = given[n]
                return first.pop()
            return closure()

        made.step(again)
    elif inspect.signature(made.step).parameters.get("closure", _OPTIONAL).default is inspect.Parameter.empty:
        made.step(closure)
    else:
        hessian = [*curvature({n: p.detach() for n, p in params.items()}, data.weight).values()]
        made.step(**{k: v for k, v in (("value", loss), ("metric", data.metric[t]), ("hessian", hessian)) if k in asks})


_OPTIONAL = inspect.Parameter("closure", inspect.Parameter.KEYWORD_ONLY, default=None)


# ------------------------------------------------------------------------------------------------- losses
def loss(case: LossCase, inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """The value, and the gradients of its sum with respect to some inputs."""
    own = getattr(torch, dtype)
    options: dict[str, Any] = {k: torch.tensor(v, dtype=own) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
    return _loss(get_loss(case.name, "torch", **options), inputs, wrt, dtype)


def original_loss(case: LossCase, inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """The same from PyTorch's own function."""
    fn = case.torch
    assert fn
    with default_dtype(getattr(torch, dtype)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _loss(lambda *tensors: fn(torch, *tensors), inputs, wrt, dtype)


def _loss(fn: Callable[..., Any], inputs: tuple[np.ndarray, ...], wrt: tuple[int, ...], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    tensors = [torch.tensor(x, dtype=getattr(torch, dtype)) if x.dtype.kind == "f" else torch.tensor(x) for x in inputs]
    for i in wrt:
        tensors[i].requires_grad_()
    values = fn(*tensors)
    grads = torch.autograd.grad(values.sum(), [tensors[i] for i in wrt])
    return values.detach().double().numpy(), [g.double().numpy() for g in grads]


# ------------------------------------------------------------------------------------------------- schedules
def schedule(case: ScheduleCase, metric: np.ndarray, dtype: str) -> np.ndarray:
    """The learning rate of a group at every step, driven by our scheduler."""
    return _schedule(lambda made: get_schedule(case.name, "torch", optimizer=made, **case.options), case, metric)


def original_schedule(case: ScheduleCase, metric: np.ndarray, dtype: str) -> np.ndarray:
    """The same from PyTorch's own."""
    fn = case.torch
    assert fn
    return _schedule(lambda made: fn(torch, made), case, metric)


def _schedule(make: Callable[[Any], Any], case: ScheduleCase, metric: np.ndarray) -> np.ndarray:
    made = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=case.options.get("lr", 1.0), momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler, rows = make(made), []
        waits = "metrics" in inspect.signature(scheduler.step).parameters
        for t in range(case.steps):
            if waits:
                scheduler.step(metric[t])
            rows.append(float(made.param_groups[0]["lr"]))
            made.step()
            if not waits:
                scheduler.step()
    return np.array(rows)
