"""The two shapes that a rule's arguments have: State, named slots, and Vector, all parameters as one."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, ItemsView, Iterable
from typing import Any, ClassVar

from lossopt.errors import DefinitionError, suggest


class State:
    """Named slots, immutable.

    A slot holds one array per parameter (a Vector when a plural rule looks), a number that all parameters share, a
    tuple of States (a history), or under the name ``inner`` the State of a wrapped rule.
    """

    __slots__ = ("_slots",)
    _slots: dict[str, Any]

    def __init__(self, **slots: Any) -> None:
        object.__setattr__(self, "_slots", slots)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_slots")[name]
        except KeyError:
            have = ", ".join(self._slots) or "none"
            raise AttributeError(f"no state slot {name!r}; the slots are: {have}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a State does not change: return state.replace({name}=...)")

    def replace(self, **new: Any) -> State:
        """The same slots, some of them with new values.  A slot that the rule did not declare is an error."""
        if undeclared := [name for name in new if name not in self._slots]:
            raise DefinitionError(
                f"state.replace({undeclared[0]}=...): no such slot{suggest(undeclared[0], self._slots) or '.'} "
                f"The slots are: {', '.join(self._slots) or 'none; declare slots=(...) on the decorator'}"
            )
        return State(**{**self._slots, **new})

    def extend(self, **more: Any) -> State:
        """The same slots and some more: what a carrier adds when a state begins."""
        return State(**{**self._slots, **more})

    def items(self) -> ItemsView[str, Any]:
        return self._slots.items()

    def map(self, fn: Callable[[tuple[Any, ...], Any], Any], path: tuple[Any, ...] = ()) -> State:
        """The same structure with ``fn(path, slot)`` in every slot, however deep."""
        return State(**{name: _map_slot(slot, fn, (*path, name)) for name, slot in self.items()})

    def __contains__(self, name: str) -> bool:
        return name in self._slots

    def __reduce__(self) -> Any:
        return (_rebuild_state, (self._slots,))

    def __repr__(self) -> str:
        return f"State({', '.join(f'{k}={v!r}' for k, v in self._slots.items())})"


def _rebuild_state(slots: dict[str, Any]) -> State:
    return State(**slots)


def _map_slot(slot: Any, fn: Callable[[tuple[Any, ...], Any], Any], path: tuple[Any, ...]) -> Any:
    if isinstance(slot, State):
        return slot.map(fn, path)
    if isinstance(slot, tuple):
        return tuple(_map_slot(s, fn, (*path, i)) for i, s in enumerate(slot))
    return fn(path, slot)


class Vector:
    """All parameters as one long vector: arithmetic goes leaf by leaf, a reduction reduces the whole of it."""

    __slots__ = ("leaves",)
    __array_ufunc__: ClassVar[None] = None  # else numpy would take `array * Vector` for itself, element by element

    def __init__(self, leaves: Iterable[Any]) -> None:
        self.leaves: tuple[Any, ...] = tuple(leaves)

    @classmethod
    def map(cls, fn: Callable[..., Any], *args: Any) -> Any:
        """``fn`` on each leaf of the Vectors among `args`; what is no Vector goes to every leaf."""
        count = next((len(a.leaves) for a in args if isinstance(a, Vector)), None)
        if count is None:
            return fn(*args)
        return cls(fn(*(a.leaves[i] if isinstance(a, Vector) else a for a in args)) for i in range(count))

    def take(self, chosen: Iterable[int]) -> Vector:
        """Some of the parameters."""
        return type(self)(self.leaves[i] for i in chosen)

    def put(self, chosen: Iterable[int], part: Vector) -> Vector:
        """The whole with `part` in the places that `take` took it from."""
        new = dict(zip(chosen, part.leaves, strict=True))
        return type(self)(new.get(i, leaf) for i, leaf in enumerate(self.leaves))

    def __add__(self, other: Any) -> Any:
        return self.map(operator.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self.map(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self.map(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.map(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return self.map(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.map(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.map(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.map(operator.truediv, other, self)

    def __pow__(self, other: Any) -> Any:
        return self.map(operator.pow, self, other)

    def __matmul__(self, other: Any) -> Any:
        return self.map(operator.matmul, self, other)

    def __neg__(self) -> Any:
        return self.map(operator.neg, self)

    def __lt__(self, other: Any) -> Any:
        return self.map(operator.lt, self, other)

    def __le__(self, other: Any) -> Any:
        return self.map(operator.le, self, other)

    def __gt__(self, other: Any) -> Any:
        return self.map(operator.gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return self.map(operator.ge, self, other)

    def __and__(self, other: Any) -> Any:
        return self.map(operator.and_, self, other)

    def __or__(self, other: Any) -> Any:
        return self.map(operator.or_, self, other)

    def __bool__(self) -> bool:
        raise TypeError("a rule may not branch on numbers: use ops.where or ops.cond")

    def __repr__(self) -> str:
        return f"Vector{self.leaves!r}"


class Lifted:
    """The words of one parameter (`leaf`), spoken of all parameters: what a plural rule is given as `ops`.

    Elementwise words go leaf by leaf.  Reductions reduce over everything: `norm` of the gradients is the global norm.
    A bare number passes through every word unchanged in kind.
    """

    def __init__(self, leaf: Any, vector: type[Vector] = Vector) -> None:
        self.leaf, self.vector = leaf, vector

    def __getattr__(self, word: str) -> Any:
        if word.startswith("_"):
            raise AttributeError(word)
        spoken = getattr(self.leaf, word)
        lifted = spoken if word in NOT_LIFTED else functools.partial(self.vector.map, spoken)
        self.__dict__[word] = lifted
        return lifted

    def sum(self, x: Any) -> Any:
        """The sum of every element of every parameter."""
        return functools.reduce(operator.add, map(self.leaf.sum, x.leaves)) if _many(x) else self.leaf.sum(x)

    def dot(self, x: Any, y: Any) -> Any:
        """The inner product of all parameters."""
        return functools.reduce(operator.add, map(self.leaf.dot, x.leaves, y.leaves))

    def max(self, x: Any) -> Any:
        """The largest element of all."""
        return functools.reduce(self.leaf.maximum, map(self.leaf.max, x.leaves)) if _many(x) else self.leaf.max(x)

    def mean(self, x: Any) -> Any:
        """The mean over every element of every parameter."""
        return self.sum(x) / sum(math.prod(leaf.shape) for leaf in x.leaves)

    def norm(self, x: Any) -> Any:
        """The Euclidean norm of the whole."""
        return self.leaf.sqrt(self.dot(x, x))

    def is_finite(self, x: Any) -> Any:
        """True where no element of any parameter is infinite or NaN."""
        return self.leaf.is_finite_number(self.sum(x * 0.0))

    def each(self, fn: Callable[..., Any], *args: Any) -> Any:
        """The way down: ``fn(ops, one parameter of each argument)``, with the words of one parameter."""
        return self.vector.map(functools.partial(fn, self.leaf), *args)


NOT_LIFTED = frozenset({"cond", "while_loop", "bias_correction", "number", "array", "is_finite_number"})


def _many(x: Any) -> bool:
    return isinstance(x, Vector)
