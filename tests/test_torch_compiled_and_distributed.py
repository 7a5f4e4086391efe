"""Under torch.compile, DDP and FSDP2 an emitted optimizer gives the numbers of a plain loop, and records and compiles once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler
from torch_runs import EVERY_SPEC, X, flat, make, model, train

from lossopt import optimizer
from lossopt.definition import Spec
from lossopt.optimizers import adamw, lion
from lossopt.transforms import chain, clip_by_global_norm, lookahead


# ------------------------------------------------------------------------------------------------- torch.compile
def test_twenty_learning_rates_one_recording() -> None:
    """Nothing is recorded or compiled again when numbers change."""
    runs = []

    @optimizer(slots=("exp_avg",))
    def counting_lion(ops: Any, grad: Any, state: Any, param: Any, *, lr: float = 1e-4, beta: float = 0.9) -> Any:
        runs.append(1)
        average = ops.lerp(state.exp_avg, grad, 1 - beta)
        return -lr * ops.sign(average), state.replace(exp_avg=average)

    m = model()
    opt = make(counting_lion(), m, "replay")
    train(m, opt, 1)
    recorded = len(runs)
    for t in range(20):
        opt.param_groups[0]["lr"] = 1e-3 / (t + 1)
        opt.param_groups[0]["beta"] = 0.9 - t / 100
        train(m, opt, 1)
    assert len(runs) == recorded


@EVERY_SPEC
def test_a_step_is_the_same_between_compiled_graphs(spec: Spec) -> None:
    """torch.compile leaves the step of a rule as it is; without that Dynamo fails in it."""
    torch.compiler.reset()
    m, n = model(), model()
    opt, plain = make(spec, m, "single"), make(spec, n, "single")
    train(n, plain, 2)
    opt.step = torch.compile(opt.step, backend="eager")
    train(m, opt, 2)
    assert torch.equal(flat(m), flat(n))


COMPILED = {"native": adamw(lr=0.05), "replay": lion(lr=0.01), "single": chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05)),
            "cond": lookahead(adamw(lr=0.05), every=2)}  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_training_step_is_the_plain_one_and_no_learning_rate_compiles_it_anew(name: str) -> None:
    """A few specs, each carried in another way; Inductor itself is PyTorch's affair, and takes seconds."""
    torch.compiler.reset()
    ends, graphs = [], []
    for compiled in (True, False):
        m = model()
        opt = make(COMPILED[name], m)
        scheduler = lr_scheduler.ExponentialLR(opt, 0.9)

        def step(t: int, m: Any = m, opt: Any = opt) -> None:
            opt.zero_grad()
            (m(X.double()) - 0.1).square().mean().backward()
            opt.step()

        take = torch.compile(step, backend="aot_eager") if compiled else step
        for _ in range(6):
            take(0)
            scheduler.step()
            graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        ends.append(flat(m))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-12, atol=1e-13)
    assert 0 < graphs[2] == graphs[5], graphs


# ------------------------------------------------------------------------------------------------- several processes
DISTRIBUTED = """
import os, sys, traceback, torch, torch.distributed as dist, torch.multiprocessing as mp
from specs import every_spec
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch_runs import make, train
from lossopt.optimizers import adamw, lamb
from lossopt.transforms import chain, clip_by_global_norm

OTHERS = {"amsgrad of optax": adamw(lr=0.05, amsgrad=True, convention="optax"), "large lamb": lamb(lr=0.05),
          "clip that bites": chain(clip_by_global_norm(max_norm=0.1), adamw(lr=0.05))}
LOOSER = {"soap": 1e-9}  # 5e-12 measured: eigenvectors of sums that two processes add in another order

def model(size):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, size), torch.nn.Tanh(), torch.nn.Linear(size, 2)).double()

def full(p):
    p = p.detach()
    return (p.full_tensor() if hasattr(p, "full_tensor") else p).flatten()

def worker(rank, port):
    try:
        compare_all(rank, port)
    except BaseException:
        traceback.print_exc()  # the first process would be waited for by the other
        os._exit(1)

def compare_all(rank, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (2,))
    for name, spec in {**OTHERS, **every_spec()}.items():
        size = 3 if name in OTHERS else 4  # 3: shards of 2 rows and of 1, of which a DTensor refuses some reshapes
        alone, sharded, replicated = model(size), model(size), model(size)
        train(alone, make(spec, alone), 3)
        fully_shard(sharded, mesh=mesh)
        train(sharded, make(spec, sharded), 3)
        runs = {"FSDP2": sharded}
        if name in OTHERS:
            runs["DDP"] = wrapped = DistributedDataParallel(replicated)
            train(wrapped, make(spec, wrapped), 3)
        for how, m in runs.items():
            for a, b in zip(alone.parameters(), m.parameters(), strict=True):
                bound = LOOSER.get(name, 1e-12)
                torch.testing.assert_close(full(a), full(b), rtol=bound, atol=bound / 10, msg=lambda s: f"{how} {spec}: {s}")
    os.write(1, f"rank {rank} equal\\n".encode())  # in one piece, whatever the other process writes
    dist.barrier()
    os._exit(0)  # gloo's threads sometimes abort a process that closes its group: "terminate called without an active exception"

if __name__ == "__main__":
    for process in mp.spawn(worker, args=(sys.argv[1],), nprocs=2, join=False).processes:
        process.join()
"""


def test_ddp_and_fsdp2_give_the_numbers_of_one_process(tmp_path: Any) -> None:
    """Every spec under FSDP2: a norm of a shard in the place of the whole one's would show at once.

    https://github.com/pytorch/pytorch/issues/144054: ``p.grad.norm().item()`` of a DTensor is that of its shard.
    """
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    port = str(20000 + os.getpid() % 20000)
    here = os.path.dirname(__file__)
    env = {**os.environ, "PYTHONPATH": ":".join([here, *sys.path]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-W", "ignore", str(script), port], env=env, capture_output=True, text=True, timeout=300)
    assert sorted(done.stdout.splitlines()) == ["rank 0 equal", "rank 1 equal"], done.stderr[-3000:]
