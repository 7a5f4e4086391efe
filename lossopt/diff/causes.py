"""What every cause means, and what to type so that the two runs have the same numbers, in each framework's own code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One cause.

    Attributes:
        torch, jax: what makes that framework's side equal to the other; the same words where it is no framework's matter.
        row: of the page of known differences (`lossopt.parity.disagreements`), by its slug; empty where it has none.
    """

    torch: str
    jax: str
    row: str = ""

    @classmethod
    def either(cls, text: str, row: str = "") -> Cause:
        return cls(text, text, row)


COPY = Cause("model.load_state_dict(...) with the other run's first weights, before the optimizer is made",
             "nnx.update(model, ...) or params = ... with the other run's first weights (a Linear's weight is its kernel "
             "transposed), before the "
             "optimizer is made")  # fmt: skip
SEED = Cause.either("draw the order of each epoch once, outside both frameworks (numpy.random.default_rng(seed).permutation(n)), "
                    "and index both data sets "
                    "with it")  # fmt: skip

CAUSES: Mapping[str, Cause] = {
    "missing parameter": Cause(
        "set requires_grad to the same in both and give the optimizer model.parameters()",
        "give the optimizer the same parameters (nnx.Optimizer(model, tx, wrt=nnx.Param)), or say which is which with --map FILE",
    ),
    "shape": Cause.either(
        "give both models the same sizes, or say which parameter is which with --map FILE",
    ),
    "parameter precision": Cause(
        "model.float() (or model.bfloat16() on the other side)",
        "param_dtype=jnp.float32 in every layer (or jnp.bfloat16 on the other side)",
    ),
    "compute precision": Cause(
        "the same torch.autocast(..., dtype=...) as the other side's dtype=, or none",
        "dtype=jnp.float32 in every layer, or jnp.bfloat16 as the other side's autocast",
    ),
    "transposed kernel": Cause(
        "model.weight.data = torch.tensor(kernel).T: a Linear's weight is (out, in)",
        "kernel = weight.T: a Linear's kernel is (in, out)",
    ),
    "permuted weights": Cause.either(
        "copy this weight with its heads, gates and axes in the order of its own framework: PyTorch has (out, in), Flax (in, out)",
    ),
    "rounded weights": Cause.either(
        "copy the weights in float32, and round them afterwards if at all",
    ),
    "initialisation": COPY,
    "data order": SEED,
    "preprocessing": Cause.either(
        "give both the same arrays of inputs: normalise them once, outside both frameworks",
    ),
    "other batches": Cause.either(
        "give both models the same arrays",
    ),
    "order within a batch": Cause.either(
        "index inputs and labels with the same order",
    ),
    "dropped batch": Cause(
        "DataLoader(..., drop_last=True), or keep the other side's last batch",
        "grain's drop_remainder=True, or keep the last batch",
    ),
    "shifted data": Cause.either(
        "begin both at the first batch: an iterator was advanced before the loop (a shape taken from next(iter(loader)), a warm-up step)",
    ),
    "input scale": Cause(
        "x = {opened}x.float(){scaled}",
        "x = {opened}x.astype(jnp.float32){scaled}",
    ),
    "reduction": Cause(
        'reduction="mean", or "sum" on both sides',
        ".mean(), or .sum() on both sides: optax's losses have no reduction of their own",
        row="kl-div-mean",
    ),
    "half the square": Cause(
        "0.5 * F.mse_loss(x, y) for optax.l2_loss(x, y).mean()",
        "optax.squared_error(x, y).mean() for F.mse_loss(x, y)",
        row="l2-loss-half",
    ),
    "forward pass": Cause(
        "model.eval() for a first comparison (dropout, batch statistics); then layer by layer: the eps of LayerNorm is 1e-5, gelu is "
        "exact, and a GPU may compute in TF32 (torch.set_float32_matmul_precision)",
        "deterministic=True, use_running_average=True for a first comparison; then layer by layer: the eps of LayerNorm is "
        "1e-6, jax.nn.gelu is the tanh approximation, and a GPU may compute in TF32 (jax_default_matmul_precision)",
    ),
    "loss function": Cause(
        "record with logits to have it named: lossopt.record(..., logits=True)",
        "record with logits and labels to have it named: run.logits(...)",
    ),
    "loss or forward pass": Cause(
        "record with logits to tell which: lossopt.record(..., logits=True)",
        "record with logits to tell which: run.logits(logits, labels)",
    ),
    "accumulation": Cause(
        "(loss / k).backward() for a mean over k micro-batches",
        "optax.MultiSteps(tx, k) is the mean; use_grad_mean=False the sum",
        row="accumulate-mean",
    ),
    "loss scale": Cause(
        "scaler.unscale_(optimizer) before anything reads the gradient",
        "divide the gradient by the loss scale before tx.update",
    ),
    "gradient scale": Cause(
        "DistributedDataParallel takes the mean over devices",
        "jax.lax.pmean(grads, axis) over devices, not psum",
    ),
    "frozen layer": Cause(
        "requires_grad_(True), and every parameter in the optimizer; or freeze it on the other side too",
        'optax.partition({"train": tx, "freeze": optax.set_to_zero()}, labels) to freeze it here too; optax.masked would pass the'
        " raw gradient on",
        row="masked-raw-gradient",
    ),
    "gradient": Cause(
        "look at this parameter's path: .detach(), no_grad, a custom autograd function",
        "look at this parameter's path: stop_gradient, custom_vjp; jnp.abs has derivative 1 at 0, torch.abs 0",
        row="absolute-error-slope",
    ),
    "only one clips": Cause(
        "torch.nn.utils.clip_grad_norm_(model.parameters(), {max_norm}) before optimizer.step(), or leave the other out",
        "optax.chain(optax.clip_by_global_norm({max_norm}), tx), or leave the other out",
    ),
    "clip size": Cause(
        "clip_grad_norm_(model.parameters(), {max_norm})",
        "optax.clip_by_global_norm({max_norm})",
    ),
    "clip eps": Cause(
        "lossopt.transforms.clip_by_global_norm(max_norm=..., eps=0.0) for optax's",
        "lossopt.transforms.clip_by_global_norm(max_norm=..., eps=1e-6) for torch's",
        row="clip-global-norm-epsilon",
    ),
    "clip per group": Cause(
        "one clip_grad_norm_(model.parameters(), max_norm) over all parameters",
        "optax.clip_by_global_norm outside optax.partition, in front of it",
    ),
    "clip before accumulation": Cause(
        "clip_grad_norm_ once, after the last backward() of the update",
        "optax.MultiSteps(optax.chain(optax.clip_by_global_norm(c), tx), k): clip inside",
    ),
    "base learning rate": Cause(
        "the same lr= in the optimizer",
        "the same learning_rate= (schedule's init_value or peak_value)",
    ),
    "schedule off by one": Cause(
        "scheduler.step() once after each optimizer.step()",
        "a schedule's first value is that of count 0: lambda t: schedule(t + 1) is one step ahead",
    ),
    "schedule by epoch": Cause(
        "scheduler.step() after every update, with T_max, milestones and so on in updates",
        "count in epochs: lambda t: schedule(t // steps_per_epoch)",
    ),
    "warm-up from zero": Cause(
        "LinearLR cannot begin at 0: LambdaLR(o, lambda t: min(1, t / n)) does",
        "warm up with lambda t: peak * (t + 1) / n, which does not begin at 0",
        row="warmup-first-step",
    ),
    "drops at other steps": Cause(
        "ReduceLROnPlateau(patience=p) waits for more than p bad metrics",
        "optax.contrib.reduce_on_plateau(patience=p) waits for p: give it p + 1",
        row="plateau-patience",
    ),
    "past the end": Cause(
        "CosineAnnealingLR rises again after T_max: stop stepping, or T_max as long as the run",
        "optax.cosine_decay_schedule stays at its end: as many decay_steps as the run has",
        row="cosine-past-end",
    ),
    "schedule length": Cause(
        "the same number of steps: T_max and total_steps count calls of scheduler.step()",
        "the same number of updates; decay_steps of warmup_cosine_decay_schedule includes the warm-up",
        row="warmup-length",
    ),
    "schedule": Cause.either(
        "plot both: lossopt plot-schedule",
    ),
    "cycled momentum": Cause(
        "OneCycleLR and CyclicLR cycle momentum, or betas[0], by default: cycle_momentum=False, or the same on the other side",
        "optax.inject_hyperparams(optax.adamw)(learning_rate=..., b1=schedule), or a fixed one on the other side",
    ),
    "weight decay": Cause.either(
        "{weight_decay}",
    ),
    "decay on biases": Cause(
        'two parameter groups, {"params": biases, "weight_decay": 0.0} (lossopt.no_decay writes them)',
        "optax.adamw(..., mask=lambda p: jax.tree.map(lambda x: x.ndim > 1, p))",
    ),
    "biases": Cause(
        "the same options for vectors as on the other side, in a parameter group",
        "the same options for vectors as on the other side: optax.partition, mask=",
    ),
    "update noise": Cause(
        "keep moments in float32: parameters in float32 under autocast",
        "mu_dtype=jnp.float32, and parameters in float32",
    ),
    "update scale": Cause(
        "the same lr=, and the same optimizer",
        "the same learning_rate=, and the same optimizer",
    ),
    "sign": Cause(
        "maximize=False, and loss.backward() of the loss itself",
        "optax.scale_by_learning_rate turns the sign; optax.adadelta() without a learning rate climbs",
        row="adadelta-learning-rate",
    ),
    "skipped step": Cause(
        "a GradScaler skips a step whose gradients are not finite",
        "optax.apply_if_finite skips a step whose gradients are not finite",
    ),
    "optimizer": Cause.either(
        "the same optimizer with the same options",
    ),
    "running statistics": Cause(
        "BatchNorm's momentum is what it takes of a batch, 0.1 by default: 1 less Flax's",
        "BatchNorm's momentum is what it keeps, 0.99 by default: 1 less PyTorch's",
    ),
    "running variance": Cause(
        "BatchNorm keeps the unbiased variance of a batch of n, n / (n - 1) times the one it trains with, as Flax keeps",
        "BatchNorm keeps the variance that it trains with; PyTorch keeps n / (n - 1) times it, of n values for each channel",
    ),
    "missing EMA": Cause(
        "torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn({decay}))",
        "keep optax.incremental_update(params, average, 1 - {decay}) and evaluate with it",
    ),
    "EMA decay": Cause(
        "get_ema_multi_avg_fn({decay})",
        "optax.incremental_update(params, average, 1 - {decay}), the average beginning as the first weights, without debiasing",
        row="ema-start",
    ),
    "not finite": Cause.either(
        "find the first step at which a number is not finite, in the run that has it",
    ),
    "unknown": Cause.either(
        "record more: first= of lossopt.record is the number of steps with whole arrays",
    ),
}
"""By the cause of a finding.  What stands in braces is filled from its numbers."""

ROWS: Mapping[tuple[str, str], str] = {
    ("sgd", "dampening"): "sgd-dampening",
    ("sgd", "lr_before_momentum"): "keras-sgd-momentum-schedule",
    ("sgd", "decoupled"): "keras-sgd-weight-decay",
    ("adam", "decoupled"): "adam-weight-decay",
    ("adamw", "weight_decay"): "adamw-weight-decay",
    ("adam", "eps_hat"): "keras-adam-epsilon",
    ("adamw", "eps_hat"): "keras-adam-epsilon",
    ("amsgrad", "amsgrad_max"): "amsgrad-maximum",
    ("adam", "amsgrad_max"): "amsgrad-maximum",
    ("adamw", "amsgrad_max"): "amsgrad-maximum",
    ("nadam", "momentum_decay"): "nadam-momentum",
    ("nadamw", "weight_decay"): "nadamw-weight-decay",
    ("radam", "eps_hat"): "radam-epsilon",
    ("adamax", "decoupled"): "adamax-weight-decay",
    ("rmsprop", "alpha"): "rmsprop-defaults",
    ("rmsprop", "eps_inside_root"): "rmsprop-epsilon",
    ("rmsprop", "lr_before_momentum"): "rmsprop-momentum-schedule",
    ("adagrad", "initial_accumulator_value"): "adagrad-defaults",
    ("adagrad", "eps_inside_root"): "adagrad-defaults",
    ("adadelta", "lr"): "adadelta-learning-rate",
    ("lion", "weight_decay"): "lion-weight-decay",
    ("muon", "input_axis"): "muon-layout",
    ("muon", "ns_dtype"): "muon-precision",
    ("muon", "weight_decay"): "muon-defaults",
    ("kl_div", "reduction"): "kl-div-mean",
    ("smooth_l1_loss", "beta"): "smooth-l1-huber",
    ("huber_loss", "delta"): "smooth-l1-huber",
    ("triplet_margin_loss", "p"): "triplet-city-block",
    ("cross_entropy", "ignore_index"): "cross-entropy-ignored-label",
    ("cross_entropy", "axis"): "cross-entropy-axis",
}
"""The row for a hyperparameter of a definition in which two runs differ."""
