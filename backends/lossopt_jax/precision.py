"""A precision in JAX: a dtype policy, the loss scale as a rule of the optimizer, and rematerialisation.

The interface is that of `lossopt.precision`, and lossopt_torch.precision has the same.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lossopt import registry
from lossopt.definition import Spec
from lossopt.errors import InputError
from lossopt.precision import Precision, check_reduction, chosen, part_size
from lossopt_jax.curvature import hutchinson

HALF = (jnp.bfloat16, jnp.float16)


class Policy:
    """What a training loop asks of a precision in JAX.

    In an nnx module half precision is what autocast is in PyTorch: Flax's matrix products, convolutions and attention
    compute in it, unless they were made with another dtype; embeddings and norms have float32 parameters, and biases
    float32 gradients.  Parameters of other modules, and of a function, are cast where the forward pass begins, and the
    gradient of that cast gives gradients in the parameters' own dtype.

    The loss scale is the rule `lossopt.transforms.loss_scale` around the optimizer; its numbers are in the optimizer's state.

    Every method can be traced: put ``policy.step`` under ``nnx.jit``.

    Args:
        precision: dtypes and loss scale.

    Example:
        >>> from flax import nnx
        >>> from lossopt import get_optimizer
        >>> from lossopt.optimizers import sgd
        >>> policy = Precision.of("bfloat16").part("jax")
        >>> model = policy.cast_model(nnx.Linear(2, 1, rngs=nnx.Rngs(0)))
        >>> optimizer = nnx.Optimizer(model, get_optimizer(policy.rule(sgd(lr=0.1)), "jax"), wrt=nnx.Param)
        >>> loss = policy.step(model, optimizer, lambda m, x: (policy.forward(m, x) ** 2).mean(), jnp.ones((4, 2)))
        >>> print(loss.dtype, model.kernel.dtype)
        float32 float32
    """

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self.compute, self.params = jnp.dtype(precision.compute), jnp.dtype(precision.params)

    # -- what every loop says
    def cast_model(self, model: Any) -> Any:
        """The model, its floating-point parameters now in the precision's `params`: an nnx module itself, or a new tree.

        Raises:
            InputError: float64, where JAX computes in float32.
        """
        self._check_x64()
        cast = functools.partial(_cast, dtype=self.params)
        if not _is_module(model):
            return jax.tree.map(cast, model)
        from flax import nnx

        nnx.update(model, jax.tree.map(cast, nnx.state(model, nnx.Param)))
        compute_in(model, self.params)
        return model

    def rule(self, spec: Spec) -> Spec:
        """The optimizer to emit: with the loss scale around it, if there is one."""
        if self.precision.scale is None:
            return spec
        loss_scale: Any = registry.definition("loss_scale", "transform")
        return loss_scale(spec, **self.precision.scale)

    def forward(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """``function(*inputs)`` computed in the precision's `compute`; half-precision outputs come back as float32.

        Args:
            function: an nnx module, whose statistics and random counts change as in a call, or a function of trees of
                arrays: ``forward(apply, params, x)``.  Then the gradient of a bias is a sum in half precision, and poor
                for large batches: sum what is broadcast in float32, or have an nnx module.
            *inputs: trees of arrays; floating-point ones are cast to `compute`.

        Raises:
            InputError: float64, where JAX computes in float32.
        """
        self._check_x64()
        inputs = jax.tree.map(functools.partial(_cast, dtype=self.compute), inputs)
        call = function
        if self.compute in HALF and _is_module(function):
            call = functools.partial(_call_in_half, function, self.compute)
        return jax.tree.map(_float32, call(*inputs))

    def step(self, model: Any, optimizer: Any, loss_of: Callable[..., jax.Array], *batch: Any, parts: int = 1,
             reduction: str = "mean") -> jax.Array:  # fmt: skip
        """One update; the loss before it.

        Args:
            model: an nnx module as `cast_model` left it.
            optimizer: its ``nnx.Optimizer``, of ``get_optimizer(policy.rule(spec), "jax")``.
            loss_of: ``(model, *batch) -> loss``, which calls `forward`.
            *batch: arrays whose first axis counts samples.
            parts: of how many equal micro-batches, one after the other, the gradient is gathered.
            reduction: what `loss_of` does with its samples: ``"mean"`` or ``"sum"``.

        Raises:
            InputError: no nnx module; the batch has no so many equal parts; the optimizer lacks the loss scale.
        """
        if not _is_module(model):
            raise InputError(f"step() changes an nnx module and its nnx.Optimizer, got {type(model).__name__}; with a tree of parameters "
                             "write loss, grads = policy.gradients(loss_of, params, state, *batch), and then "
                             "tx.update(grads, state, params)")  # fmt: skip
        loss, gradients = self.gradients(loss_of, model, optimizer, *batch, parts=parts, reduction=reduction)
        asks = getattr(getattr(optimizer.tx, "spec", None), "asks", ())
        extras: dict[str, Any] = {"value": loss} if "value" in asks else {}
        if "evaluate" in asks:
            extras["value_fn"] = _value_fn(model, loss_of, batch)
        if "hessian" in asks:
            at, params = _value_fn(model, loss_of, batch), _taken_apart(model, loss_of)[1]
            extras["hessian"] = lambda step: hutchinson(at, params, step=step)
        optimizer.update(model, gradients, **extras)
        return loss

    # -- its pieces
    def gradients(self, loss_of: Callable[..., jax.Array], model: Any, optimizer: Any = None, *batch: Any, parts: int = 1,
                  reduction: str = "mean") -> tuple[jax.Array, Any]:  # fmt: skip
        """The loss, and its gradients times the scale: what the optimizer takes.

        Args:
            model: an nnx module, or a tree of parameters.
            optimizer: an ``nnx.Optimizer``, or the state of a transformation; where the scale is.

        The other arguments are those of `step`.
        """
        check_reduction(reduction)
        run, params, rest, put_back = _taken_apart(model, loss_of)

        def scaled(params: Any, rest: Any, *part: Any) -> tuple[jax.Array, tuple[jax.Array, Any]]:
            loss, rest = run(params, rest, *part)
            return self.scale(loss, optimizer), (loss, rest)

        value_and_grad = jax.value_and_grad(scaled, has_aux=True)
        if parts == 1:
            (_, (loss, rest)), gradients = value_and_grad(params, rest, *batch)
        else:
            loss, gradients, rest = _gathered(value_and_grad, params, rest, batch, parts)
            if reduction == "mean":
                loss, gradients = jax.tree.map(lambda x: x / parts, (loss, gradients))
        put_back(rest)
        return loss, gradients

    def scale(self, loss: jax.Array, optimizer: Any) -> jax.Array:
        """The loss times the scale."""
        return loss if self.precision.scale is None else loss * self.loss_scale(optimizer)

    def unscale(self, gradients: Any, optimizer: Any) -> Any:
        """The gradients themselves, to look at them; the optimizer takes those with the scale."""
        if self.precision.scale is None:
            return gradients
        factor = 1.0 / self.loss_scale(optimizer)
        return jax.tree.map(lambda g: g * factor.astype(g.dtype), gradients)

    def loss_scale(self, optimizer: Any) -> Any:
        """The scale in force, a traced number; 1.0 where there is none.

        Raises:
            InputError: the optimizer was not made of ``policy.rule(spec)``.
        """
        if self.precision.scale is None:
            return 1.0
        slots: Any = getattr(getattr(optimizer, "opt_state", optimizer), "slots", None)
        if not hasattr(slots, "scale"):
            raise InputError("this optimizer has no loss scale: make it with get_optimizer(policy.rule(spec), 'jax')")
        return jnp.asarray(slots.scale[...])

    def _check_x64(self) -> None:
        if np.float64 in (self.compute, self.params) and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
            raise InputError("JAX computes in float32 until it is told otherwise: write jax.config.update('jax_enable_x64', True), "
                             "or compute='float32'")  # fmt: skip

    def __repr__(self) -> str:
        return f"jax policy {self.precision!r}"


# ------------------------------------------------------------------------------------------------- memory
def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which keeps its inputs only and computes the rest again in the backward pass: ``jax.checkpoint``.

    Args:
        function: of trees of arrays.  For the modules of a Flax model there is `checkpoint_modules`.

    Example:
        >>> print(jax.grad(checkpoint(lambda x: jnp.sin(jnp.exp(x))))(0.0))
        0.5403023
    """
    return jax.checkpoint(function)


def checkpoint_modules(model: Any, *patterns: str) -> Any:
    """The model itself, the modules of these names now rematerialised; names and parameters stay as they are.

    Args:
        model: an nnx module.
        *patterns: dotted names, with shell wildcards: ``"blocks.*"``.  Of modules inside each other the outer one is
            taken.

    Raises:
        ArgumentError: a pattern that matches nothing.

    Example:
        >>> from flax import nnx
        >>> model = nnx.Sequential(nnx.Linear(2, 2, rngs=nnx.Rngs(0)), nnx.Linear(2, 1, rngs=nnx.Rngs(0)))
        >>> checkpoint_modules(model, "layers.0") is model
        True
    """
    from flax import nnx

    found = {".".join(map(str, path)): module for path, module in nnx.iter_graph(model) if isinstance(module, nnx.Module)}
    called = {name: module for name, module in found.items() if name and callable(module)}  # an nnx.List is not
    for name in chosen(sorted(called), patterns):
        module: Any = called[name]
        module.__class__ = _rematerialised(type(module))
    return model


@functools.cache
def _rematerialised(cls: Any) -> Any:
    """The same class with another call; one class for each, so that equal models have equal structure."""
    from flax import nnx

    if getattr(cls, "_rematerialised", False):
        return cls
    names = {"__call__": nnx.remat(cls.__call__), "__module__": cls.__module__, "_rematerialised": True}
    return type(cls.__name__, (cls,), names)


# ------------------------------------------------------------------------------------------------- Flax modules
def compute_in(model: Any, dtype: Any) -> None:
    """Have an nnx module compute in float64, where that is what its parameters have; otherwise nothing changes.

    nnx.Embed casts to the precision that it was made in.  nnx.dot_product_attention goes through
    jax.nn.dot_product_attention, whose softmax is in float32; with weights to sow it goes through its own, which is not.
    """
    from flax import nnx

    if dtype != np.float64:
        return
    for _, module in nnx.iter_graph(model):
        if isinstance(module, nnx.Embed):
            module.dtype = dtype
        if isinstance(module, nnx.MultiHeadAttention) and module.attention_fn is nnx.dot_product_attention:
            module.attention_fn = _attention


class _Nowhere:
    """Takes sown weights and keeps none."""

    def sow(self, *_: Any) -> None:
        pass


def _attention(query: Any, key: Any, value: Any, *, module: Any = None, **options: Any) -> jax.Array:
    from flax import nnx

    nowhere: Any = _Nowhere()
    return nnx.dot_product_attention(query, key, value, module=module or nowhere, **options)


def _is_module(x: Any) -> bool:
    """Whether it is an nnx module; where flax was never imported, nothing is."""
    nnx: Any = sys.modules.get("flax.nnx")
    return nnx is not None and isinstance(x, nnx.Module)


def _call_in_half(model: Any, dtype: Any, *inputs: Any) -> Any:
    """Call a copy that computes in half precision, and let the model have what the copy changed: statistics, random counts."""
    from flax import nnx

    graph, params, rest = nnx.split(model, nnx.Param, ...)
    copy = nnx.merge(graph, params, rest, copy=True)
    _autocast(copy, dtype)
    outputs = copy(*inputs)
    nnx.update(model, nnx.state(copy, nnx.Not(nnx.Param)))
    return outputs


def _autocast(model: Any, dtype: Any) -> None:
    """What autocast does in PyTorch: products in half precision, embeddings and norms with float32 parameters.

    Parameters that a module of one's own holds (``x @ self.w``) are cast to half precision.
    """
    from flax import nnx
    from flax.nnx.nn import dtypes

    products = (nnx.Linear, nnx.LinearGeneral, nnx.Conv, nnx.ConvTranspose, nnx.Einsum)
    modules: list[Any] = [module for _, module in nnx.iter_graph(model) if isinstance(module, nnx.Module)]
    kept: Any = _all_but_bias
    for module in modules:
        library = any(cls.__module__.startswith("flax.nnx.nn.") for cls in type(module).__mro__)
        for parameter in vars(module).values():
            if isinstance(parameter, nnx.Param):
                parameter.set_value(_cast(parameter.get_value(), jnp.float32 if library else dtype))
        if isinstance(module, nnx.Embed):
            module.dtype = jnp.float32
        elif isinstance(module, (*products, nnx.MultiHeadAttention)) and module.dtype is None:
            module.dtype = dtype
            if isinstance(module, products) and module.promote_dtype is dtypes.promote_dtype:
                module.promote_dtype = kept
                module.__class__ = _rounded(type(module))


def _all_but_bias(arrays: tuple[Any, Any, Any], *, dtype: Any, **_: Any) -> tuple[Any, Any, Any]:
    """A bias is added in float32, so that its gradient is summed in float32.

    In bfloat16 XLA's CPU backend adds term to term, and 512 and 1 is 512: of 4,096 equal terms of a convolution's bias
    the sum is 512, and on a U-Net gradients of biases were up to 94 % off.
    """
    inputs, kernel, bias = arrays
    return inputs.astype(dtype), kernel.astype(dtype), bias


@functools.cache
def _rounded(cls: Any) -> Any:
    """The same class, whose result is rounded to the dtype that it computes in."""

    def call(self: Any, *inputs: Any, **options: Any) -> Any:
        return cls.__call__(self, *inputs, **options).astype(self.dtype)

    return type(cls.__name__, (cls,), {"__call__": call, "__module__": cls.__module__})


Parts = tuple[Callable[..., tuple[jax.Array, Any]], Any, Any, Callable[[Any], None]]


def _taken_apart(model: Any, loss_of: Callable[..., jax.Array]) -> Parts:
    """``(params, rest, *batch) -> (loss, rest)``, the parameters, the rest, and what puts the rest back."""
    if not _is_module(model):
        return lambda params, rest, *batch: (loss_of(params, *batch), rest), model, (), lambda rest: None
    from flax import nnx

    graph, params, rest = nnx.split(model, nnx.Param, ...)

    def run(params: Any, rest: Any, *batch: Any) -> tuple[jax.Array, Any]:
        copy = nnx.merge(graph, params, rest, copy=True)
        return loss_of(copy, *batch), nnx.state(copy, nnx.Not(nnx.Param))

    return run, params, rest, functools.partial(nnx.update, model)


def _gathered(value_and_grad: Callable[..., Any], params: Any, rest: Any, batch: tuple[Any, ...], parts: int) -> tuple[Any, Any, Any]:
    """The sums of losses and gradients over micro-batches, in a loop that is compiled once and keeps one of them."""
    size = part_size(batch, parts)
    split = jax.tree.map(lambda x: jnp.reshape(x, (parts, size, *x.shape[1:])), batch)

    def add(carry: tuple[Any, Any, Any], part: tuple[Any, ...]) -> tuple[Any, None]:
        total, gradients, rest = carry
        (_, (loss, rest)), more = value_and_grad(params, rest, *part)
        return (total + loss, jax.tree.map(jnp.add, gradients, more), rest), None

    first = jax.eval_shape(value_and_grad, params, rest, *jax.tree.map(lambda x: x[0], split))
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), (first[0][1][0], first[1]))
    (loss, gradients, rest), _ = jax.lax.scan(add, (*zeros, rest), split)
    return loss, gradients, rest


def _value_fn(model: Any, loss_of: Callable[..., jax.Array], batch: tuple[Any, ...]) -> Callable[[Any], jax.Array]:
    """The loss of other parameters, for rules that look at other points; statistics stay as they are."""
    run, _, rest, _ = _taken_apart(model, loss_of)
    return lambda params: run(params, rest, *batch)[0]


# ------------------------------------------------------------------------------------------------- arrays
def _cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jnp.floating) else x


def _float32(x: Any) -> Any:
    return x.astype(jnp.float32) if getattr(x, "dtype", None) in HALF else x
