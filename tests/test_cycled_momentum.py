"""OneCycleLR cycles momentum too, unless it is told not to: a run that does is identified, and told from one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import lossopt
from lossopt.diff import diff
from lossopt.recording import Recording, read_recording


def run(folder: Path, *, cycled: bool) -> Recording:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(12, 24), torch.nn.Tanh(), torch.nn.Linear(24, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.03, total_steps=40, cycle_momentum=cycled)
    criterion = torch.nn.CrossEntropyLoss()
    recorded = lossopt.record(folder, model, optimizer, loss_fn=criterion, first=12)
    for _ in range(24):
        loss = criterion(model(torch.randn(16, 12)), torch.randint(0, 4, (16,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    recorded.close()
    return read_recording(folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, Recording]:
    room = tmp_path_factory.mktemp("runs")
    return run(room / "cycled", cycled=True), run(room / "steady", cycled=False)


def test_the_optimizer_is_found_with_the_momentum_of_each_step(runs: tuple[Recording, Recording]) -> None:
    found = lossopt.identify(runs[0])
    assert (found.best.name, found.best.residual < 1, str(found.schedule)) == ("sgd", True, "one_cycle(lr=0.03, total_steps=40)")
    assert found.notes == ("momentum varies as it was recorded: 0.95 at first, 0.85 to 0.95 in 12 steps",)


def test_it_is_the_cause_of_the_difference(runs: tuple[Recording, Recording]) -> None:
    verdict = diff(*runs).verdict
    assert verdict.cause == "cycled momentum"
    assert verdict.what == "From step 1 on cycled varies momentum, from 0.85 to 0.95, and steady is not seen to"
    assert "cycle_momentum=False" in verdict.type["torch"]
