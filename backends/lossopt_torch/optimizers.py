"""Specs as torch.optim optimizers: PyTorch's own class where it is the same mathematics, else `RuleOptimizer`.

Executors, by name:

==========  ==========================================================================================
``native``  PyTorch's own class, with its fused kernel where it has one
``replay``  the rule recorded once, replayed in place without temporaries
``single``  the plain rule on one parameter after the other: what a debugger steps through, and what
            the others are held to
``auto``    native, else replay, else single; ``repr(optimizer)`` says which
==========  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from lossopt import carry
from lossopt.definition import Spec
from lossopt.errors import ArgumentError, InputError, suggest
from lossopt.vector import Lifted, Vector
from lossopt_torch import native, rates
from lossopt_torch import params as reading
from lossopt_torch.replay import Replay, why_not
from lossopt_torch.rows import Rows
from lossopt_torch.state import Slots
from lossopt_torch.words import words

EXECUTORS = ("auto", "native", "replay", "single")
NOT_TOLD = ("params", "param_names", "schedules", "shared", "lr_base")

lifted = Lifted(words)


def emit(spec: Spec, *, params: Any = None, executor: str = "auto", groups: carry.Groups | None = None) -> Any:
    """The spec as a ``torch.optim.Optimizer``, or without `params` a factory that takes them."""
    if executor not in EXECUTORS:
        near = suggest(executor, EXECUTORS) or "."
        raise ArgumentError(f"the torch backend has no executor {executor!r}{near} It has: {', '.join(EXECUTORS)}")
    carry.check_groups(spec, groups or {})
    factory = Factory(spec, executor, groups or {})
    return factory if params is None else factory(params)


class Factory:
    """Makes the optimizer when the parameters are there: ``factory(model.parameters())``."""

    def __init__(self, spec: Spec, executor: str, groups: carry.Groups) -> None:
        self.spec, self.executor, self.groups = spec, executor, groups

    def __call__(self, params: Any) -> torch.optim.Optimizer:
        made = reading.read(params, self.spec, self.groups)
        if self.executor in ("auto", "native"):
            found = native.find(self.spec, made, by_name=self.executor == "native")
            if isinstance(found, torch.optim.Optimizer):
                return found
            if self.executor == "native":
                raise ArgumentError(f"no native executor for {self.spec!r}: {found}. Leave executor out, or name 'replay' or 'single'")
        tensors = [p[1] if isinstance(p, tuple) else p for group in made for p in group["params"]]
        reason = None if self.executor == "single" else why_not(self.spec, tensors)
        if reason and self.executor == "replay":
            raise ArgumentError(f"replay cannot carry {self.spec!r}: {reason}. Leave executor out, or name 'single'")
        return RuleOptimizer(made, self.spec, "single" if reason or self.executor == "single" else "replay", reason)

    def __repr__(self) -> str:
        return f"torch optimizer {self.spec!r}, waiting for params"


class RuleOptimizer(torch.optim.Optimizer):
    """A definition as a torch.optim.Optimizer.

    ``param_groups`` hold the hyperparameters and are read at every step, so LR schedulers work as with any optimizer; a spec
    with several learning rates has an ``lr`` that drives them together (`lossopt_torch.rates`).
    ``state[p]`` holds the slots by name; what all parameters share stands in ``param_groups[0]["shared"]``.  State of
    half-precision parameters is float32, and stays so through ``load_state_dict``.  A parameter whose ``grad`` is None
    is left alone: no decay, no momentum, no step count.
    """

    _built = False

    def __init__(self, groups: Iterable[dict[str, Any]], spec: Spec, executor: str, reason: str | None = None) -> None:
        self.spec, self.executor, self.reason = spec, executor, reason
        self._slots = Slots(spec)
        self._replay = Replay(spec) if executor == "replay" else None
        self._away: list[tuple[Tensor, Tensor]] | None = None
        self._scheduled: dict[tuple[int, str], Any] = {}
        groups = [rates.begin(_with_schedules(g, spec), spec) for g in groups]
        super().__init__(groups, dict(spec.flat))
        _hide_from_the_compiler()
        self._built = True

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, under either spelling of hyperparameters; see ``torch.optim.Optimizer.add_param_group``."""
        if not self._built:  # the constructor's own groups were read before
            super().add_param_group(param_group)
            return
        for group in reading.read([param_group], self.spec, {}):
            super().add_param_group(rates.begin(_with_schedules(group, self.spec), self.spec))
        if self._replay is not None and (reason := why_not(self.spec, self.param_groups[-1]["params"])):
            self.executor, self.reason, self._replay = "single", reason, None

    # -- one step
    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None, *, value: Any = None, metric: Any = None,
             hessian: Any = None) -> Any:  # fmt: skip
        """One update.

        Args:
            closure: computes the loss and its gradients again; rules that look at other points (sam, line searches)
                need it.
            value: the loss, for rules that read it (polyak_sgd); a closure gives it too.
            metric: a validation metric, for rules that read one.
            hessian: the diagonal of the Hessian, for rules that read it (sophia): a tensor for each parameter, in the order of
                ``param_groups``, or a function of the step that gives them.

        Returns:
            The closure's loss, or None.
        """
        if self._away is not None:
            raise InputError("the parameters are at the evaluation point: call optimizer.train() before step()")
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
            value = loss.detach() if value is None else value
        active = [(group, p) for group in self.param_groups for p in group["params"] if self._gradient(p) is not None]
        if not active:
            return loss
        for _, p in active:
            if p.grad is not None and p.grad.is_sparse:
                self._check_sparse(p.grad)
        self._set_scheduled()
        if self._replay is not None:
            self._step_by_replay(self._replay, active)
        else:
            curved = None if hessian is None else lambda step: self._hessian(hessian, step, active)
            self._step_by_rule(active, {"value": value, "metric": metric, "hessian": curved}, closure)
        for group in self.param_groups:
            if "scheduled_step" in group:
                group["scheduled_step"] += 1
        return loss

    def _step_by_replay(self, replay: Replay, active: list[tuple[dict[str, Any], Tensor]]) -> None:
        self._slots.prepare(self, active, lambda: self._run(active, starting=True))
        replay.step([(group, p, p.grad, self.state[p]) for group, p in active if p.grad is not None])

    def _step_by_rule(self, active: list[tuple[dict[str, Any], Tensor]], extras: dict[str, Any],
                      closure: Callable[[], Any] | None) -> None:  # fmt: skip
        params = [p for _, p in active]
        grads = [widen(g) for p in params if (g := self._gradient(p)) is not None]
        if closure is not None:
            grads = [g.clone() for g in grads]  # the closure overwrites p.grad
            extras["evaluate"] = _evaluate(closure, params)
        self._slots.prepare(self, active, lambda: self._run(active, starting=True))
        run, state = self._run(active, extras), self._slots.collect(self, active)
        rows = Rows(grads)
        delta, new = carry.update(self.spec, run, rows.values, rows.of_state(state), rows.of(Vector(map(widen, params))))
        self._slots.store(self, active, rows.put(state, new))
        for p, d, held in zip(params, delta.leaves, rows.held, strict=True):
            if held is None:
                p.add_(d)  # half precision: the sum is made in float32 and rounded once
            else:
                p.index_copy_(0, held, p[held].add_(d))

    def _check_sparse(self, grad: Tensor) -> None:
        name = self.spec.definition.name
        if not self.spec.definition.by_rows:
            raise InputError(f"{name} takes dense gradients: make the embedding with sparse=False")
        if grad.sparse_dim() != 1:
            raise InputError(f"{name} takes sparse gradients of whole rows, with one sparse dimension, got {grad.sparse_dim()}: "
                             "give p.grad.to_dense()")  # fmt: skip

    def _gradient(self, p: Tensor) -> Tensor | None:
        """What the rule is given of a parameter: ``p.grad``, or the gradient of each example under the name it has in Opacus."""
        if not self.spec.per_example:
            return p.grad
        found = getattr(p, "grad_sample", None)
        if not isinstance(found, Tensor) and (p.grad is not None or found is not None):
            what = "has only p.grad" if found is None else f"has {len(found)} of them: take a step after each backward()"
            raise InputError(
                f"{self.spec!r} takes the gradient of each example in p.grad_sample, of shape (examples, *p.shape), which "
                f"torch.func.vmap(torch.func.grad(f)) and opacus.GradSampleModule give; {self._names[p]!r} {what}"
            )
        return found

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As in ``torch.optim.Optimizer``; the gradients of examples go too."""
        super().zero_grad(set_to_none)
        if self.spec.per_example:
            for group in self.param_groups:
                for p in group["params"]:
                    p.grad_sample = None

    def _hessian(self, given: Any, step: Any, active: list[tuple[dict[str, Any], Tensor]]) -> Vector:
        """The Hessian's diagonal for the parameters that have gradients."""
        with torch.enable_grad():
            tensors: Any = given(int(step)) if callable(given) else given
            found = list(tensors)
        params = [p for group in self.param_groups for p in group["params"]]
        if len(found) != len(params):
            raise InputError(f"hessian has {len(found)} tensors for {len(params)} parameters: give one for each, in the order of "
                             "param_groups")  # fmt: skip
        own = dict(zip(params, found, strict=True))
        return Vector(widen(own[p].detach()) for _, p in active)

    def _run(self, active: list[tuple[dict[str, Any], Tensor]], extras: Mapping[str, Any] | None = None, *,
             starting: bool = False) -> carry.Run:  # fmt: skip
        flat = {id(group): {**{n: group[n] for n in self.spec.flat}, **rates.now(group)} for group in self.param_groups}
        if starting:  # a schedule keeps the slot that its first value, 0, would do without
            for group in self.param_groups:
                flat[id(group)].update(group.get("schedules", {}))
        names = tuple(self._names[p] for _, p in active)
        each = tuple(flat[id(group)] for group, _ in active)
        shapes = tuple(tuple(p.shape) for _, p in active)
        return carry.Run(words, lifted, names, shapes, each, self.spec.flat_names, extras or {}, shared_step=False)

    @property
    def _names(self) -> dict[Tensor, str]:
        named, count = {}, 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"]):
                named[p] = group["param_names"][i] if "param_names" in group else str(count)
                count += 1
        return named

    # -- schedules given as hyperparameters
    def _set_scheduled(self) -> None:
        for i, group in enumerate(self.param_groups):
            for name, schedule in group.get("schedules", {}).items():
                if (i, name) in self._scheduled and group[name] != self._scheduled[i, name]:
                    raise InputError(
                        f"{name} of group {i} was set to {group[name]!r} since the last update, by a scheduler or by hand, and the "
                        f"optimizer schedules it, {name}={schedule!r}, so that this would be lost: leave it alone, or give the optimizer "
                        f"a number for {name}"
                    )
                group[name] = self._scheduled[i, name] = _at(schedule, group["scheduled_step"])

    # -- where to evaluate
    @torch.no_grad()
    def eval(self) -> None:
        """Put the parameters where the model is to be evaluated (schedule-free, EMA); `train` puts them back."""
        if self._away is None:
            self._set_scheduled()  # of the next update, which starts from here: as in JAX
            active = [(g, p) for g in self.param_groups for p in g["params"] if p in self.state]
            params = [p for _, p in active]
            self._slots.prepare(self, active, lambda: self._run(active, starting=True))
            point = carry.eval_point(self.spec, self._run(active), self._slots.collect(self, active), Vector(map(widen, params)))
            self._away = [(p, p.clone()) for p in params]
            _put(params, point.leaves)

    @torch.no_grad()
    def train(self) -> None:
        """Put the parameters back where training goes on."""
        for p, value in self._away or ():
            p.copy_(value)
        self._away = None

    # -- state
    def state_dict(self) -> dict[str, Any]:
        packed = super().state_dict()
        for group in packed["param_groups"]:
            group.pop("schedules", None)  # code is not state; the count is
        return packed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load, keeping each slot's dtype: PyTorch would round float32 moments to a bfloat16 parameter's dtype.

        Tensors are copied: of a dict that another optimizer has just given, PyTorch would go on to use that one's own.
        See https://github.com/pytorch/pytorch/issues/43706 and https://github.com/pytorch/pytorch/issues/196083.
        """
        schedules = [group.get("schedules") for group in self.param_groups]
        super().load_state_dict(state_dict)
        self._slots.forget()
        self._scheduled = {}
        for group, own in zip(self.param_groups, schedules, strict=True):
            if own:
                group["schedules"] = own
        keys = [key for group in state_dict["param_groups"] for key in group["params"]]
        params = [p for group in self.param_groups for p in group["params"]]
        for key, p in zip(keys, params, strict=True):
            for name, value in state_dict["state"].get(key, {}).items():
                if isinstance(value, Tensor) and (value.dtype != (kept := self.state[p][name]).dtype or value is kept):
                    self.state[p][name] = value.to(p.device, copy=True)

    def __getstate__(self) -> dict[str, Any]:
        own = {"spec": self.spec, "executor": self.executor, "reason": self.reason, "_away": None, "_built": True}
        return {**super().__getstate__(), **own}  # type: ignore[misc]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._slots = Slots(self.spec)
        self._replay = Replay(self.spec) if self.executor == "replay" else None
        self._scheduled = {}

    def __repr__(self) -> str:
        groups = [{k: v for k, v in g.items() if k not in NOT_TOLD} for g in self.param_groups]
        lines = [f"  group {i}: {len(g['params'])} parameters, {h}" for i, (g, h) in enumerate(zip(self.param_groups, groups, strict=True))]
        why = f" ({self.reason})" if self.reason else ""
        return "\n".join([f"RuleOptimizer {self.spec!r}, executor {self.executor!r}{why}", *lines])


def _hide_from_the_compiler() -> None:
    """Have ``torch.compile`` run a step as it is, between two graphs: Dynamo cannot trace it, and replay has no use for that.

    Not as a decorator: that would import the compiler together with this module, 0.8 s.  The first optimizer imports it anyway.
    """
    if not hasattr(RuleOptimizer.step, "_torchdynamo_disable"):
        hidden: Any = torch.compiler.disable(RuleOptimizer.step)
        RuleOptimizer.step = hidden


def widen(x: Tensor) -> Tensor:
    """Half precision is computed, and remembered, in float32."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def _with_schedules(group: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """A group with numbers where schedules were given; the schedules stand beside them."""
    schedules = {n: group[n] for n in spec.flat if _has_schedule(group[n])}
    if not schedules:
        return group
    numbers = {n: _at(s, 0) for n, s in schedules.items()}
    return {**group, **numbers, "schedules": schedules, "scheduled_step": 0}


def _has_schedule(value: Any) -> bool:
    return callable(value) or (isinstance(value, tuple) and any(map(callable, value)))


def _at(value: Any, step: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_at(v, step) for v in value)
    return value(step) if callable(value) else value


def _evaluate(closure: Callable[[], Any], params: list[Tensor]) -> Callable[[Vector], tuple[Tensor, Vector]]:
    """``point -> (loss, gradient)``: set the parameters, call the closure, put them back."""

    def evaluate(point: Vector) -> tuple[Tensor, Vector]:
        here = [p.clone() for p in params]
        _put(params, point.leaves)
        with torch.enable_grad():
            value = closure()
        grads = [widen(p.grad).clone() if p.grad is not None else torch.zeros_like(widen(p)) for p in params]
        _put(params, here)
        return value.detach(), Vector(grads)

    return evaluate


def _put(params: list[Tensor], values: Iterable[Tensor]) -> None:
    for p, value in zip(params, values, strict=True):  # not _foreach_copy_: DTensor has no strategy for it
        p.copy_(value)



