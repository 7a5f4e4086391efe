"""What arrays a loss takes, checked before any arithmetic.

Shapes that would broadcast by accident, integers where numbers are meant and labels of classes that are not there give
plausible wrong losses in every framework; here they are errors.  A message says what was given, what is allowed and
what to type; `evaluate` puts the loss's name before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lossopt.errors import InputError
from lossopt.losses.shared.parts import class_axis, shape_of
from lossopt.ops import LossOps
from lossopt.registry import framework_of

Shape = tuple[int, ...]


# ------------------------------------------------------------------------------------------------- dtypes and shapes
def dtype_of(x: Any) -> str:
    """``"float32"``, ``"bfloat16"``, ``"int64"``, ``"bool"``, in every framework."""
    return str(x.dtype).removeprefix("torch.")


def is_floating(x: Any) -> bool:
    return dtype_of(x).startswith(("float", "bfloat"))


def is_integer(x: Any) -> bool:
    return dtype_of(x).startswith(("int", "uint"))


def to_float(name: str, x: Any) -> str:
    """How to type the conversion of `x` to floating point."""
    return {"torch": f"{name}.float()", "jax": f"{name}.astype(jnp.float32)"}.get(framework_of(x) or "", f"{name}.astype(float)")


def to_integer(name: str, x: Any) -> str:
    return {"torch": f"{name}.long()"}.get(framework_of(x) or "", f"{name}.astype(int)")


def floating(**arrays: Any) -> None:
    """Each array is of a real floating dtype."""
    for name, x in arrays.items():
        if not is_floating(x):
            remedy = f"; write {to_float(name, x)}" if is_integer(x) or dtype_of(x) == "bool" else ""
            raise InputError(f"{name} must be floating-point, got {dtype_of(x)}{remedy}")


def same_shape(**arrays: Any) -> None:
    """All arrays have the shape of the first: nothing broadcasts."""
    (first, reference), *others = arrays.items()
    want = shape_of(reference)
    for name, x in others:
        have = shape_of(x)
        if have == want:
            continue
        became = _broadcast(have, want)
        would = f", which would broadcast to {became}" if became is not None else ""
        if np.prod(have) == np.prod(want):
            remedy = f"; write {name}.reshape({first}.shape)"
        elif became == want:
            remedy = f"; if every entry is meant to repeat, write {_to_broadcast(name, first, x)}"
        else:
            remedy = "; give both the same shape"
        raise InputError(f"{first} and {name} must have the same shape, got {want} and {have}{would}{remedy}")


def _to_broadcast(name: str, like: str, x: Any) -> str:
    module = {"jax": "jnp"}.get(framework_of(x) or "", "np")
    return f"{name}.expand_as({like})" if framework_of(x) == "torch" else f"{module}.broadcast_to({name}, {like}.shape)"


def _broadcast(a: Shape, b: Shape) -> Shape | None:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def has_axis(name: str, x: Any, axis: int | None) -> None:
    """`axis` is None, or an axis of `x`."""
    ndim = len(shape_of(x))
    if axis is not None and not -ndim <= axis < ndim:
        raise InputError(f"{name} of shape {shape_of(x)} has no axis {axis}; write axis=None for every element, or -1 for the last")


def multiplies(name: str, factor: Any, predictions: Any) -> None:
    """`factor` is given, and broadcasts to the shape of predictions without enlarging it."""
    if factor is None:
        return
    _same_framework(name, factor, predictions)
    have, want = shape_of(factor), shape_of(predictions)
    if _broadcast(have, want) != want:
        raise InputError(f"{name} of shape {have} does not broadcast to predictions, shape {want}; give it that shape or the last axis's")


def per_class(name: str, numbers: Any, predictions: Any, classes: int) -> None:
    """`numbers` is None, or one number per class."""
    if numbers is None:
        return
    _same_framework(name, numbers, predictions)
    if shape_of(numbers) != (classes,):
        raise InputError(f"{name} must hold one number for each of the {classes} classes, got shape {shape_of(numbers)}")


def _same_framework(name: str, given: Any, predictions: Any) -> None:
    """Lists, tuples and NumPy arrays go with everything; a framework's array goes with its own.

    torch.compile looks no further into them, and cannot join NumPy's type to others.
    """
    if isinstance(given, np.ndarray) or isinstance(given, list | tuple):  # noqa: SIM101
        return
    theirs, ours = framework_of(given), framework_of(predictions)
    if theirs not in (None, "numpy", ours):
        raise InputError(f"{name} is {theirs}, predictions are {ours}; convert them to one, or give {name} as a list")


# ------------------------------------------------------------------------------------------------- labels
def labels_within(ops: LossOps, labels: Any, classes: int, ignore_index: int | None) -> None:
    """Every label that can be seen is a class, or the ignored one."""
    seen = ops.seen(labels)
    if seen is None or seen.size == 0 or (seen.min() >= 0 and seen.max() < classes):
        return
    wrong = (seen < 0) | (seen >= classes)
    if ignore_index is not None:
        wrong &= seen != ignore_index
    if not wrong.any():
        return
    where = _first(wrong)
    label = int(seen[where])
    kept = seen if ignore_index is None else seen[seen != ignore_index]
    if kept.min() == 1 and kept.max() == classes:
        remedy = "; yours begin at 1: write targets - 1"
    elif ignore_index is None:
        remedy = ""
    else:
        remedy = f"; to leave it out of the loss write ignore_index={label}"
    raise InputError(f"targets has the label {label}{_at(where)}, but there are {classes} classes, 0 to {classes - 1}{remedy}")


def one_of(ops: LossOps, targets: Any, allowed: tuple[int, ...], meaning: str) -> None:
    """Every target that can be seen is one of a few numbers."""
    seen = ops.seen(targets)
    if seen is None:
        return
    wrong = np.logical_and.reduce([seen != number for number in allowed])
    if not wrong.any():
        return
    where = _first(wrong)
    values = set(np.unique(seen).tolist())
    if allowed == (1, -1) and values <= {0, 1}:
        remedy = "; yours are 0 and 1: write 2 * targets - 1"
    elif allowed == (1, 0) and values <= {-1, 1}:
        remedy = "; yours are -1 and 1: write (targets + 1) / 2"
    else:
        remedy = ""
    raise InputError(f"targets must be {meaning}, got {seen[where].item():g}{_at(where)}{remedy}")


def probabilities(ops: LossOps, name: str, x: Any, remedy: str = "") -> None:
    """Every number that can be seen is in [0, 1]."""
    seen = ops.seen(x)
    if seen is None:
        return
    wrong = ~((seen >= 0) & (seen <= 1))
    if wrong.any():
        where = _first(wrong)
        raise InputError(f"{name} must be probabilities in [0, 1], got {float(seen[where]):g}{_at(where)}{remedy}")


def _first(wrong: Any) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), np.shape(wrong)))


def _at(where: tuple[int, ...]) -> str:
    return f" at index {where}" if where else ""


# ------------------------------------------------------------------------------------------------- whole losses
def regression(ops: LossOps, predictions: Any, targets: Any, *, weight: Any = None, **_: Any) -> None:
    """Two floating arrays of one shape, and a weight that fits them or none."""
    floating(predictions=predictions)
    shape = shape_of(predictions)
    if is_integer(targets) and len(shape) > 1 and shape[-1] > 1 and shape_of(targets) == shape[:-1]:
        one_hot = {"torch": f"torch.nn.functional.one_hot(targets, {shape[-1]}).float()", "jax": f"jax.nn.one_hot(targets, {shape[-1]})"}
        raise InputError(f"predictions are compared with numbers, and targets look like class labels, {dtype_of(targets)} of shape "
                         f"{shape_of(targets)} for predictions of shape {shape}; use cross_entropy, or write "
                         f"{one_hot.get(framework_of(targets) or '', f'numpy.eye({shape[-1]})[targets]')}")  # fmt: skip
    floating(targets=targets)
    same_shape(predictions=predictions, targets=targets)
    multiplies("weight", weight, predictions)


def binary(ops: LossOps, predictions: Any, targets: Any, *, weight: Any = None, pos_weight: Any = None, **_: Any) -> None:
    """Floating logits, and targets of their shape: probabilities, or 0 and 1 in any dtype."""
    floating(predictions=predictions)
    same_shape(predictions=predictions, targets=targets)
    zero_or_one(ops, targets)
    multiplies("weight", weight, predictions)
    multiplies("pos_weight", pos_weight, predictions)


def real(**arrays: Any) -> None:
    """Each array is of integers or floating-point numbers."""
    for name, x in arrays.items():
        if not (is_floating(x) or is_integer(x)):
            raise InputError(f"{name} must be integers or floating-point, got {dtype_of(x)}; write {to_integer(name, x)}")


def signed(ops: LossOps, predictions: Any, targets: Any, **_: Any) -> None:
    """Floating scores, and targets of their shape: 1 or -1 in any real dtype."""
    floating(predictions=predictions)
    same_shape(predictions=predictions, targets=targets)
    real(targets=targets)
    one_of(ops, targets, (1, -1), "1 or -1")


def zero_or_one(ops: LossOps, targets: Any) -> None:
    """Targets are probabilities, or where they are whole numbers 0 and 1."""
    if not is_floating(targets) and dtype_of(targets) != "bool":
        if not is_integer(targets):
            raise InputError(f"targets must be real numbers, got {dtype_of(targets)}")
        one_of(ops, targets, (1, 0), "0 or 1")


def labelled(ops: LossOps, predictions: Any, targets: Any, *, axis: int = 1, weight: Any = None, alpha: Any = None,
             ignore_index: int | None = None, **_: Any) -> None:  # fmt: skip
    """Floating predictions with a class axis, and an integer label in place of each of its rows."""
    at = _class_axis(predictions, axis)
    if not is_integer(targets):
        as_labels = "targets.argmax(axis)" if shape_of(targets) == shape_of(predictions) else to_integer("targets", targets)
        raise InputError(f"targets must be integer class labels, got {dtype_of(targets)} of shape {shape_of(targets)}; write "
                         f"{as_labels.replace('axis', str(at))}")  # fmt: skip
    _labels_fit(predictions, targets, at)
    classes = predictions.shape[at]
    per_class("weight", weight, predictions, classes)
    per_class("alpha", alpha if shape_of(alpha) else None, predictions, classes)
    labels_within(ops, targets, classes, ignore_index)


def classification(ops: LossOps, predictions: Any, targets: Any, *, axis: int = 1, weight: Any = None,
                   ignore_index: int | None = None, **_: Any) -> None:  # fmt: skip
    """As `labelled`, or class probabilities in the shape of predictions."""
    at = _class_axis(predictions, axis)
    if not is_floating(targets):
        if shape_of(targets) == shape_of(predictions) and is_integer(targets):
            raise InputError(f"targets is {dtype_of(targets)} in the shape of predictions, {shape_of(targets)}; class probabilities are "
                             f"floating-point: write {to_float('targets', targets)}, or give class labels")  # fmt: skip
        labelled(ops, predictions, targets, axis=axis, weight=weight, ignore_index=ignore_index)
        return
    if shape_of(targets) != shape_of(predictions):
        if shape_of(targets) == _without(shape_of(predictions), at):
            raise InputError(f"targets is {dtype_of(targets)} in the shape of class labels, {shape_of(targets)}; labels are integers: "
                             f"write {to_integer('targets', targets)}, or give probabilities of shape {shape_of(predictions)}")  # fmt: skip
        raise InputError(f"targets of class probabilities must have predictions' shape, {shape_of(predictions)}, got {shape_of(targets)}")
    per_class("weight", weight, predictions, predictions.shape[at])


def segmentation(ops: LossOps, predictions: Any, targets: Any, *, axis: int | None = 1, weight: Any = None, **_: Any) -> None:
    """Predictions (N, C, ...) with targets of that shape, or integer labels without the class axis."""
    floating(predictions=predictions)
    if not shape_of(predictions):
        raise InputError("predictions must have a batch axis first, got shape (); write predictions.reshape((1, 1))")
    if axis is not None:
        at = class_axis(axis, shape_of(predictions))
        if at == 0:
            raise InputError(f"predictions of shape {shape_of(predictions)} have their samples on axis 0, so it cannot be the class axis"
                             "; write axis=None where there is no class axis")  # fmt: skip
        classes = predictions.shape[at]
        per_class("weight", weight, predictions, classes)
        if len(shape_of(targets)) == len(shape_of(predictions)) - 1 and classes > 1:
            labelled(ops, predictions, targets, axis=at)
            return
    elif weight is not None:
        raise InputError("weight is one number per class, and axis=None says that there is no class axis; leave weight out")
    same_shape(predictions=predictions, targets=targets)
    zero_or_one(ops, targets)


def vectors(ops: LossOps, predictions: Any, targets: Any, *, axis: int | None = None, where: Any = None, **_: Any) -> None:
    """Two floating arrays of one shape that has the axis; `where` broadcasts to them."""
    floating(predictions=predictions, targets=targets)
    same_shape(predictions=predictions, targets=targets)
    has_axis("predictions", predictions, axis)
    multiplies("where", where, predictions)


def pairs(ops: LossOps, x1: Any, x2: Any, targets: Any) -> None:
    """Two floating embeddings of one shape, and one target per pair."""
    floating(x1=x1, x2=x2)
    _embeddings(x1=x1, x2=x2)
    have, want = shape_of(targets), shape_of(x1)[:-1]
    if have != want:
        remedy = f"; write targets.reshape({want})" if np.prod(have) == np.prod(want) else ""
        raise InputError(f"targets must hold one number per pair, shape {want}, got {have}{remedy}")
    real(targets=targets)


def triplets(ops: LossOps, anchor: Any, positive: Any, negative: Any, **_: Any) -> None:
    """Three floating embeddings of one shape."""
    floating(anchor=anchor, positive=positive, negative=negative)
    _embeddings(anchor=anchor, positive=positive, negative=negative)


def _embeddings(**arrays: Any) -> None:
    first, x = next(iter(arrays.items()))
    if not shape_of(x):
        raise InputError(f"{first} must have the features on its last axis, got shape (); write {first}.reshape((1,))")
    same_shape(**arrays)


def _class_axis(predictions: Any, axis: int) -> int:
    floating(predictions=predictions)
    if not shape_of(predictions):
        raise InputError("predictions must have a class axis, got shape (); write predictions.reshape((1, -1))")
    at = class_axis(axis, shape_of(predictions))
    if predictions.shape[at] == 0:
        raise InputError(f"predictions of shape {shape_of(predictions)} have no classes on axis {at}; give at least one")
    return at


def _labels_fit(predictions: Any, labels: Any, axis: int) -> None:
    have, given = shape_of(labels), shape_of(predictions)
    want = _without(given, axis)
    if have == want:
        return
    fits = [i for i in range(len(given)) if _without(given, i) == have]
    if fits:
        remedy = f"; with the classes on axis {fits[-1]}, write axis={-1 if fits[-1] == len(given) - 1 else fits[-1]}"
    elif np.prod(have) == np.prod(want):
        remedy = f"; write targets.reshape({want})"
    else:
        remedy = ""
    raise InputError(f"targets must have the shape of predictions without the class axis {axis}, {want}, got {have}{remedy}")


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]
