"""`lossopt.record`: what a training run does, written down while it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossopt import registry
from lossopt.errors import ArgumentError, InputError, suggest
from lossopt.recording.plan import Plan

OPTIONS = {"torch": ("loss_fn", "ema"), "jax": ("lr", "accumulate")}
"""What one framework's recordings take beside what all take."""


def record(folder: str | Path, *what: Any, first: int = 20, every: int = 100, budget: int = 16 * 2**20, samples: int = 4096,
           logits: bool = False, overwrite: bool = False, **options: Any) -> Any:  # fmt: skip
    """Record a training run into a folder: one line in a loop that stays as it is.

    Of every update: the loss, the learning rates and what else of the optimizer's numbers a schedule changes, and by parameter
    the norms of the gradient (as the backward pass left it and as the optimizer received it), of the parameter and of the update;
    checksums of the batch.  Of the first updates and of every hundredth the arrays themselves, by name.
    `lossopt.read_recording` reads the folder, ``lossopt diff`` compares two of them, ``lossopt identify`` finds out which
    optimizer it was.

    **PyTorch**: ``run = lossopt.record("runs/a", model, optimizer)`` before the loop.  Nothing else is needed: hooks of the model
    and the optimizer see the rest, and while a run is recorded ``Tensor.backward`` and ``GradScaler.scale`` tell it the loss.
    It ends with ``run.close()``, with a ``with`` block, or with the program.

    - A gradient accumulated over several ``backward`` is one update; its loss is the sum of theirs, each is kept in
      ``Step.losses``.  An update that a GradScaler skips is none; losses and gradients are recorded without its scale.
    - The batch is the arrays that the model is called with while gradients are on.  Labels are recorded where the run is told
      them: ``loss_fn=criterion`` (a module called with outputs and labels), the keyword ``labels`` of the model, or
      ``run.labels(y)`` before the update.
    - Averaged weights, those that are evaluated, are recorded where there are arrays: ``ema=averaged_model``, a
      ``torch.optim.swa_utils.AveragedModel`` or any module with the model's parameters, updated after ``optimizer.step()``.
    - The model's floating-point buffers (the running statistics of batch normalization) are recorded where there are arrays.
    - What a scheduler changes beside the learning rate (OneCycleLR and CyclicLR the momentum or ``betas[0]``) is in ``Step.numbers``.
    - A model wrapped by torch.compile or DistributedDataParallel is given as it is called.
    - Of several processes the first records what it holds itself: under FSDP its shards of parameters and gradients.

    **JAX**: an optax transformation is wrapped, and works wherever the one it wraps does, under jit and scan too.  XLA may compile a
    recorded step otherwise than a plain one; where it does, the last bits of its numbers differ.

    - ``tx = lossopt.record("runs/b", tx)`` in front of ``tx.init`` or ``TrainState.create``; the run is ``tx.run``.
    - ``run = lossopt.record("runs/b", optimizer)`` of an ``nnx.Optimizer``, which then holds the wrapped transformation, also in
      the middle of training.  ``state = lossopt.record("runs/b", state)`` of a Flax ``TrainState``; the run is ``state.tx.run``.
    - Clipping is seen where it is given apart: ``lossopt.record("runs/b", optax.clip_by_global_norm(1.0), optax.adamw(1e-3))``
      stands for their ``optax.chain``; the raw gradient is what the first receives, the optimizer is the last.  Around a whole
      ``optax.chain`` the recorded gradient is the raw one.  Inside ``optax.MultiSteps`` the updates are recorded, around it the
      small steps; inside, say ``accumulate=``: the loss of an update is then the mean of the ``value=`` of its batches.
    - The loss is ``value=``: ``tx.update(grads, state, params, value=loss)``, ``optimizer.update(model, grads, value=loss)``.
      Or, outside jit, once after every step: ``run.loss(loss)``.
    - Outside jit too: ``run.batch(x, y)`` before every step, or ``for x, y in run.batches(loader)``; ``run.logits(logits, labels)``
      after it, which is kept where there are arrays; and likewise ``run.average(params)`` for averaged weights (EMA), and
      ``run.buffers(batch_stats)`` for the running statistics of batch normalization, or any tree of arrays that the step returned.
    - The learning rate is found where the state has it (`optax.inject_hyperparams`, ours); else give ``lr=``.  Other numbers that
      change are seen where `optax.inject_hyperparams` holds them, and where an optimizer of ours was made with a schedule of them.

    Args:
        folder: where to; made if it is not there.
        *what: the model and the optimizer (PyTorch); the transformations, the ``nnx.Optimizer`` or the ``TrainState`` (JAX).
        first: how many updates from the first on have arrays.
        every: after those, every so many; 0 for none.
        budget: bytes of arrays that one update may keep; a model over it is sampled.
        samples: how many elements of each parameter are then kept; the same ones in both frameworks, whichever way it lies.
        logits: whether to keep the model's outputs and the labels where there are arrays (PyTorch; JAX is told by `run.logits`).
        overwrite: whether a recording that is there may be replaced.
        loss_fn: PyTorch: the loss, a ``torch.nn.Module`` called with outputs and labels.
        ema: PyTorch: the module that holds averaged weights.
        lr: JAX: the learning rate, a number or a schedule of the update's number, where the state does not hold it.
        accumulate: JAX: how many batches one update is made of, where `record` stands inside ``optax.MultiSteps``.

    Returns:
        The run (PyTorch, ``nnx.Optimizer``), or what was given, wrapped.

    Raises:
        InputError: nothing that could be recorded, or a folder that holds something already.
        ArgumentError: an option that the framework does not take.

    Example:
        >>> import tempfile, torch, lossopt
        >>> folder = tempfile.mkdtemp()
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with lossopt.record(folder, model, optimizer):
        ...     for _ in range(3):
        ...         optimizer.zero_grad()
        ...         (model(torch.ones(4, 2)) ** 2).mean().backward()
        ...         optimizer.step()
        >>> found = lossopt.read_recording(folder)
        >>> [step.lr for step in found], sorted(found.of("grad", 2))
        ([(0.1,), (0.1,), (0.1,)], ['bias', 'weight'])
    """
    plan = Plan(first, every, budget, samples)
    framework = _framework(what)
    for name in options:
        if name not in OPTIONS[framework]:
            _refuse(name, framework)
    return registry.backend(framework).part("recording").record(folder, what, plan, logits=logits, overwrite=overwrite, **options)


def _framework(what: tuple[Any, ...]) -> str:
    for x in what:
        if (found := registry.framework_of(x)) in OPTIONS:
            return found
        if hasattr(x, "init") and hasattr(x, "update"):  # an optax transformation is a named tuple
            return "jax"
    given = ", ".join(type(x).__name__ for x in what) or "nothing"
    raise InputError(f"record takes a torch module and its optimizer, optax transformations, an nnx.Optimizer or a TrainState, "
                     f"got {given}; "
                     'write lossopt.record("runs/a", model, optimizer) or tx = lossopt.record("runs/a", tx)')  # fmt: skip


def _refuse(name: str, framework: str) -> None:
    for other, names in OPTIONS.items():
        if name in names:
            raise ArgumentError(f"record: {name} is for {other}, this is a recording of {framework}; leave it out")
    known = ("first", "every", "budget", "samples", "logits", "overwrite", *OPTIONS[framework])
    raise ArgumentError(f"record takes no {name!r}{suggest(name, known) or '.'} It takes: {', '.join(known)}")
