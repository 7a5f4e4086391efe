"""What is planted: for each pair the one difference, the first link that it breaks, and the causes that name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from planted.simulate import Options, changed

BASE = Options()
SGD = Options(optimizer="sgd", hyper={"momentum": 0.9}, lr=0.05)
ADAM = Options(optimizer="adam")
RMSPROP = Options(optimizer="rmsprop")
ADAGRAD = Options(optimizer="adagrad", lr=0.05)
LION = Options(optimizer="lion", hyper={"weight_decay": 1e-2})
ADAMAX = Options(optimizer="adamax", lr=2e-3)
CNN = Options(model="cnn", optimizer="adamw")


@dataclass(frozen=True)
class Pair:
    """Two runs that differ in one thing.

    Attributes:
        name: of the difference.
        a, b: the runs.
        links: the first link that breaks; where two are right, both.
        causes: what the verdict may call it; a hyperparameter is named as lossopt names it.
    """

    name: str
    a: Options
    b: Options
    links: tuple[str, ...]
    causes: tuple[str, ...]


def _pair(name: str, base: Options, links: str | tuple[str, ...], causes: str | tuple[str, ...], *, across: bool = True,
          a: dict[str, Any] | None = None, **b: Any) -> Pair:  # fmt: skip
    """`base` with `a` in PyTorch, `base` with the keywords in JAX; in PyTorch too where it is not `across`."""
    second = changed(base, framework="jax" if across else "torch", **b)
    return Pair(name, changed(base, **(a or {})), second, (links,) if isinstance(links, str) else links, (causes,) if isinstance(causes, str) else causes)


def _both(name: str, base: Options, links: str | tuple[str, ...], causes: str | tuple[str, ...], **b: Any) -> list[Pair]:
    """The same difference across the frameworks and within PyTorch."""
    return [_pair(f"{name}, torch and jax", base, links, causes, **b), _pair(f"{name}, torch and torch", base, links, causes, across=False, **b)]


UPDATE = [
    *_both("AdamW's weight decay, 0.01 or 0.0001", BASE, "update", ("weight_decay", "weight decay"), hyper={"weight_decay": 1e-4}),
    _pair("Lion's weight decay, 0.01 or 0.001", LION, "update", ("weight_decay", "weight decay"), hyper={"weight_decay": 1e-3}),
    _pair("a weight decay of 0.0001 or none", BASE, "update", ("weight_decay", "weight decay"), a={"hyper": {"weight_decay": 1e-4}}, hyper={"weight_decay": 0.0}),
    *_both("decay on biases", BASE, "update", "decay on biases", decay_biases=False),
    _pair("decay on biases of SGD", changed(SGD, hyper={"weight_decay": 1e-2}), "update", "decay on biases", decay_biases=False),
    _pair("coupled or decoupled decay, Adam", changed(ADAM, hyper={"weight_decay": 1e-2}), "update", ("decoupled", "decoupled, weight_decay"),
          hyper={"decoupled": True}),
    _pair("coupled or decoupled decay, SGD", changed(SGD, hyper={"weight_decay": 1e-2}), "update", ("decoupled", "decoupled, weight_decay"),
          hyper={"decoupled": True}),
    _pair("eps inside the root, Adam", ADAM, "update", ("eps_root", "eps, eps_root", "optimizer"), hyper={"eps_inside": True}),
    *_both("eps inside the root, RMSprop", RMSPROP, "update", ("eps_inside_root",), hyper={"eps_inside": True}),
    _pair("eps, Adam", ADAM, "update", "eps", hyper={"eps": 1e-4}),
    _pair("eps, RMSprop", RMSPROP, "update", "eps", hyper={"eps": 1e-5}),
    *_both("beta2, 0.999 or 0.95", BASE, "update", "betas", hyper={"betas": (0.9, 0.95)}),
    _pair("beta1, 0.9 or 0.8", ADAM, "update", "betas", hyper={"betas": (0.8, 0.999)}),
    _pair("Lion's betas", LION, "update", "betas", hyper={"betas": (0.9, 0.999)}),
    _pair("RMSprop's decay, 0.99 or 0.9", RMSPROP, "update", "alpha", hyper={"alpha": 0.9}),
    _pair("AMSGrad of the raw or the corrected moment", Options(optimizer="adam", hyper={"amsgrad": "raw", "betas": (0.9, 0.9)}, lr=1e-2), "update",
          "amsgrad_max", hyper={"amsgrad": "corrected"}),
    _pair("AMSGrad or not", Options(optimizer="adam", hyper={"betas": (0.9, 0.9)}, lr=1e-2), "update", ("amsgrad", "amsgrad, amsgrad_max"),
          hyper={"amsgrad": "raw"}),
    _pair("bias correction missing", ADAM, "update", ("bias_correction", "optimizer"), hyper={"correct": False}),
    _pair("momentum dampening", SGD, "update", "dampening", hyper={"dampening": 0.9}),
    _pair("Nesterov or not", SGD, "update", "nesterov", hyper={"nesterov": True}),
    _pair("momentum, 0.9 or 0.95", SGD, "update", "momentum", hyper={"momentum": 0.95}),
    _pair("momentum or none", SGD, "update", ("momentum",), hyper={"momentum": 0.0}),
    _pair("lr before or after momentum", changed(SGD, schedule=("step", 5)), "update", "lr_before_momentum", hyper={"lr_before_momentum": True}),
    _pair("Adagrad's first sum of squares, 0 or 0.1", ADAGRAD, "update", "initial_accumulator_value", hyper={"start": 0.1}),
    _pair("Adam or Adamax", ADAM, "update", "optimizer", optimizer="adamax"),
    _pair("Adam or RMSprop", ADAM, "update", "optimizer", optimizer="rmsprop"),
    *_both("moments in bfloat16", BASE, "update", ("update noise",), moments="bfloat16"),
    _pair("moments in bfloat16, RMSprop", RMSPROP, "update", ("update noise",), moments="bfloat16"),
    *_both("a layer that is not updated", BASE, "update", "frozen layer", frozen=("fc1.weight", "fc1.kernel")),
    _pair("a layer that is frozen from step 12 on", BASE, "update", "frozen layer", frozen=("out.weight", "out.kernel"), frozen_from=12),
    _pair("another lr that is not told", BASE, "update", ("update scale", "lr"), lr=3e-3, lr_told=False),
]  # fmt: skip
COSINE = ("cosine", 40)
SCHEDULE = [
    *_both("the schedule is off by one step", changed(BASE, schedule=COSINE), "learning rate", "schedule off by one", schedule=("cosine_late", 40)),
    _pair("per epoch or per step", changed(BASE, schedule=COSINE), "learning rate", "schedule by epoch", schedule=("cosine_by_epoch", 40, 6)),
    *_both("warm-up from zero", changed(BASE, schedule=("warmup", 8)), "learning rate", "warm-up from zero", schedule=("warmup", 8, True)),
    _pair("plateau patience", changed(SGD, schedule=("plateau", 5)), "learning rate", "drops at other steps", schedule=("plateau", 5, 0.5, False)),
    _pair("cosine past its end", changed(BASE, schedule=("cosine", 20)), "learning rate", "past the end", schedule=("cosine", 20, False)),
    _pair("milestones", changed(SGD, schedule=("step", 10)), "learning rate", "drops at other steps", schedule=("step", 12)),
    _pair("the base learning rate", BASE, "learning rate", "base learning rate", lr=3e-4),
    _pair("the base learning rate under a cosine", changed(BASE, schedule=COSINE), "learning rate", "base learning rate", lr=2e-3),
    _pair("the length of a cosine", changed(BASE, schedule=("cosine", 40)), "learning rate", "schedule length", schedule=("cosine", 80)),
]  # fmt: skip
LOSS = [
    *_both("label smoothing", BASE, "loss", "label_smoothing", smoothing=0.1),
    *_both("a mean or a sum", BASE, "loss", "reduction", reduction="sum"),
    _pair("a mean over elements or a sum, squared error", changed(BASE, loss="mse"), "loss", "reduction", reduction="sum"),
    _pair("ignored labels", BASE, "loss", "ignore_index", ignore=0),
    _pair("class weights", BASE, "loss", "weight", weights=True),
    _pair("half the squared error", changed(BASE, loss="mse"), "loss", ("half the square",), loss="half_mse"),
    _pair("dropout on one side", BASE, "loss", "forward pass", dropout=True),
    _pair("a mean or a sum, logits not recorded", changed(BASE, logits=False), "loss", "reduction", reduction="sum"),
]  # fmt: skip
CLIP = {"max_norm": 0.1}
GRADIENT = [
    *_both("accumulation, sum or mean", changed(SGD, accumulate=2, batch=16), ("loss", "gradient"), "accumulation", accumulate_sum=True),
    _pair("accumulation, sum or mean, of which the loss does not tell", changed(SGD, accumulate=4, batch=8, accumulate_told=False), "gradient",
          "accumulation", accumulate_sum=True),
    _pair("a layer without gradient", BASE, "gradient", "frozen layer", frozen=("fc1.weight", "fc1.kernel"), frozen_how="grad"),
    *_both("clip per group or all", changed(SGD, clip=CLIP), "clipping", "clip per group", clip={**CLIP, "per": "group"}),
    _pair("clip per parameter or all", changed(SGD, clip=CLIP), "clipping", "clip per group", clip={**CLIP, "per": "parameter"}),
    _pair("clip elements or the norm", changed(SGD, clip=CLIP), "clipping", "clip per group", clip={"max_norm": 0.01, "per": "value"}),
    *_both("clip before or after accumulation", changed(SGD, clip=CLIP, accumulate=2, batch=16), "clipping", "clip before accumulation",
           clip={**CLIP, "when": "before"}),
    _pair("one side clips", changed(SGD, clip=CLIP), "clipping", "only one clips", clip=None),
    _pair("clip to another norm", changed(SGD, clip=CLIP), "clipping", "clip size", clip={"max_norm": 0.2}),
    _pair("clip to another norm, norms before it unknown", changed(SGD, clip=CLIP, raw=False), "clipping", "clip size", clip={"max_norm": 0.2}),
    _pair("what torch adds to the norm", changed(SGD, clip={"max_norm": 1e-4}), "clipping", "clip eps", clip={"max_norm": 1e-4, "eps": 1e-3}),
]  # fmt: skip
BEFORE = [
    *_both("another seed of the initial weights", BASE, "initial weights", "initialisation", init_seed=1),
    _pair("another size of the initial weights", BASE, "initial weights", "initialisation", init_seed=1, init_scale=1.7),
    _pair("biases that begin at 0", BASE, "initial weights", "initialisation", init_zero_bias=True),
    *_both("a transposed kernel", BASE, "initial weights", "transposed kernel", transposed=("fc2.weight",)),
    *_both("parameters in bfloat16", BASE, "parameters", "parameter precision", params="bfloat16"),
    _pair("computing in bfloat16", BASE, "parameters", "compute precision", compute="bfloat16"),
    *_both("another shuffle", BASE, "data", "data order", data_seed=1),
    _pair("the last batch dropped", changed(BASE, drop_last=False), "data", "dropped batch", across=False, drop_last=True),
    _pair("the data begin one batch later", BASE, "data", "shifted data", shift=1),
    _pair("inputs of another scale", BASE, "data", "input scale", input_scale=1 / 255),
    _pair("other batches from step 15 on", BASE, "data", ("data order", "preprocessing"), late_batch=15),
]
AFTER = [
    _pair("EMA on one side", changed(BASE, ema=0.99), "evaluation", "missing EMA", ema=None),
    _pair("the decay of EMA", changed(BASE, ema=0.99), "evaluation", "EMA decay", ema=0.9),
]

PAIRS: tuple[Pair, ...] = (*BEFORE, *LOSS, *GRADIENT, *SCHEDULE, *UPDATE, *AFTER)


def _equal() -> list[Pair]:
    """Pairs that differ by rounding alone: other framework, other order of summing, own optimizer or the framework's."""
    optimizers = [("sgd", {"momentum": 0.9}, 0.1), ("adam", {}, 1e-2), ("adamw", {}, 1e-2), ("rmsprop", {}, 1e-2), ("adagrad", {}, 0.05),
                  ("lion", {"weight_decay": 1e-2}, 1e-3), ("adamax", {}, 1e-2)]  # fmt: skip
    found: list[Pair] = []

    def add(name: str, a: Options, b: Options) -> None:
        found.append(Pair(name, a, b, (), ()))

    for model in ("mlp", "cnn"):
        for name, hyper, lr in optimizers:
            base = Options(model=model, optimizer=name, hyper=hyper, lr=lr, steps=100)
            add(f"{name} of a {model}, torch and jax", base, changed(base, framework="jax"))
            if name != "lion":
                native = changed(base, native=True)
                add(f"torch.optim and optax, {name} of a {model}", native, changed(native, framework="jax"))
            add(f"{name} of a {model}, sums in another order", base, changed(base, noise=2e-7))
    base = changed(BASE, lr=1e-2, steps=60)
    add("cosine", changed(base, schedule=COSINE), changed(base, framework="jax", schedule=COSINE))
    add("clipped", changed(SGD, clip=CLIP, steps=60), changed(SGD, clip=CLIP, steps=60, framework="jax"))
    add("clipped by optax, which adds nothing", changed(SGD, clip=CLIP), changed(SGD, clip={**CLIP, "eps": 0.0}, framework="jax"))
    add("accumulated", changed(base, accumulate=2, batch=16), changed(base, accumulate=2, batch=16, framework="jax"))
    add("samples of a batch in another order", base, changed(base, shuffle_within=True, framework="jax"))
    add("bfloat16 parameters", changed(base, params="bfloat16"), changed(base, params="bfloat16", framework="jax"))
    add("computed in bfloat16", changed(base, compute="bfloat16"), changed(base, compute="bfloat16", framework="jax"))
    add("an average of the weights", changed(base, ema=0.99), changed(base, ema=0.99, framework="jax"))
    add("frozen on both sides", changed(base, frozen=("fc1.weight",)), changed(base, frozen=("fc1.kernel",), framework="jax"))
    add("sampled", changed(base, samples=100), changed(base, samples=100, framework="jax"))
    add("norms alone", changed(base, arrays=0), changed(base, arrays=0, framework="jax"))
    add("label smoothing and class weights on both sides", changed(base, smoothing=0.1, weights=True),
        changed(base, smoothing=0.1, weights=True, framework="jax"))  # fmt: skip
    add("a decay rate of 0.9999", Options(optimizer="adam", hyper={"betas": (0.9, 0.9999)}, native=True),
        Options(optimizer="adam", hyper={"betas": (0.9, 0.9999)}, native=True, framework="jax"))  # fmt: skip
    return found


EQUAL: tuple[Pair, ...] = tuple(_equal())
