"""Optimizers as their papers and their frameworks' manuals state them, over one flat vector in torch or jax.numpy.

They are written apart from lossopt's pages: what `identify` and `diff` say of a run is not judged by the text that they
replay.  Every planted difference of an optimizer is an option here.
"""

from __future__ import annotations

from typing import Any, Protocol

DEFAULTS: dict[str, dict[str, Any]] = {
    "sgd": dict(momentum=0.9, dampening=0.0, nesterov=False, weight_decay=0.0, decoupled=False, lr_before_momentum=False),
    "adam": dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False, amsgrad=None, eps_inside=False, correct=True),
    "adamw": dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, decoupled=True, amsgrad=None, eps_inside=False, correct=True),
    "rmsprop": dict(alpha=0.99, eps=1e-8, eps_inside=False, momentum=0.0, weight_decay=0.0),
    "adagrad": dict(eps=1e-10, start=0.0, eps_inside=False, weight_decay=0.0),
    "lion": dict(betas=(0.9, 0.99), weight_decay=0.0),
    "adamax": dict(betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
}


class Arrays(Protocol):
    """What a rule needs of torch or jax.numpy."""

    def sqrt(self, x: Any) -> Any: ...
    def sign(self, x: Any) -> Any: ...
    def maximum(self, a: Any, b: Any) -> Any: ...
    def zeros_like(self, x: Any) -> Any: ...
    def round(self, x: Any) -> Any:
        """To the precision that moments are kept in."""
        ...


class Rule:
    """One optimizer with its state: ``update(g, p, lr, decays) -> what to add``.

    Args:
        name: of `DEFAULTS`.
        ops: the framework's arrays.
        options: as in `DEFAULTS`.
    """

    def __init__(self, name: str, ops: Arrays, options: dict[str, Any]) -> None:
        if unknown := set(options) - set(DEFAULTS[name]):
            raise TypeError(f"{name} takes no {sorted(unknown)}")
        self.ops, self.o, self.t, self.state = ops, {**DEFAULTS[name], **options}, 0, {}
        self._rule = getattr(self, f"_{'adam' if name == 'adamw' else name}")

    def update(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        """What to add; `decays` is 1 where the weight decay acts and 0 elsewhere."""
        self.t += 1
        return self._rule(g, p, lr, decays)

    def _kept(self, name: str, new: Any) -> Any:
        self.state[name] = self.ops.round(new)
        return self.state[name]

    def _old(self, name: str, like: Any) -> Any:
        return self.state[name] if name in self.state else self.ops.zeros_like(like)

    def _sgd(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        o = self.o
        if not o["decoupled"] and o["weight_decay"]:
            g = g + o["weight_decay"] * decays * p
        scaled, outer = (lr * g, 1.0) if o["lr_before_momentum"] else (g, lr)
        if not o["momentum"]:
            return -lr * g
        first = "b" not in self.state
        b = self._kept("b", scaled if first else o["momentum"] * self.state["b"] + (1 - o["dampening"]) * scaled)
        step = scaled + o["momentum"] * b if o["nesterov"] else b
        decay = lr * o["weight_decay"] * decays * p if o["decoupled"] else 0.0
        return -outer * step - decay

    def _adam(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        o, ops = self.o, self.ops
        if not o["decoupled"] and o["weight_decay"]:
            g = g + o["weight_decay"] * decays * p
        b1, b2 = o["betas"]
        m = self._kept("m", b1 * self._old("m", g) + (1 - b1) * g)
        v = self._kept("v", b2 * self._old("v", g) + (1 - b2) * g * g)
        c1, c2 = (1 - b1**self.t, 1 - b2**self.t) if o["correct"] else (1.0, 1.0)
        if o["amsgrad"] == "raw":
            second = self._kept("max", ops.maximum(self._old("max", g), v)) / c2
        elif o["amsgrad"] == "corrected":
            second = self._kept("max", ops.maximum(self._old("max", g), v / c2))
        else:
            second = v / c2
        root = ops.sqrt(second + o["eps"]) if o["eps_inside"] else ops.sqrt(second) + o["eps"]
        decay = lr * o["weight_decay"] * decays * p if o["decoupled"] else 0.0
        return -(lr / c1) * m / root - decay

    def _rmsprop(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        o, ops = self.o, self.ops
        if o["weight_decay"]:
            g = g + o["weight_decay"] * decays * p
        v = self._kept("v", o["alpha"] * self._old("v", g) + (1 - o["alpha"]) * g * g)
        step = g / (ops.sqrt(v + o["eps"]) if o["eps_inside"] else ops.sqrt(v) + o["eps"])
        if o["momentum"]:
            step = self._kept("b", o["momentum"] * self._old("b", g) + step)
        return -lr * step

    def _adagrad(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        o, ops = self.o, self.ops
        if o["weight_decay"]:
            g = g + o["weight_decay"] * decays * p
        before = self.state["v"] if "v" in self.state else self.ops.zeros_like(g) + o["start"]
        v = self._kept("v", before + g * g)
        return -lr * g / (ops.sqrt(v + o["eps"]) if o["eps_inside"] else ops.sqrt(v) + o["eps"])

    def _lion(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        b1, b2 = self.o["betas"]
        m = self._old("m", g)
        update = -lr * self.ops.sign(b1 * m + (1 - b1) * g) - lr * self.o["weight_decay"] * decays * p
        self._kept("m", b2 * m + (1 - b2) * g)
        return update

    def _adamax(self, g: Any, p: Any, lr: float, decays: Any) -> Any:
        o, (b1, b2) = self.o, self.o["betas"]
        if o["weight_decay"]:
            g = g + o["weight_decay"] * decays * p
        m = self._kept("m", b1 * self._old("m", g) + (1 - b1) * g)
        u = self._kept("u", self.ops.maximum(b2 * self._old("u", g), abs(g) + o["eps"]))
        return -(lr / (1 - b1**self.t)) * m / u
