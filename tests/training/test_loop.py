"""The training loop by hand, and that a killed training goes on to the same result."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from graphrec.errors import DataError, GraphrecError
from graphrec.training.checkpoints import Checkpoints
from graphrec.training.loop import Stopping, TrainSchedule, train


def test_two_steps_of_gradient_descent_by_hand() -> None:
    """Loss (x − b)²/2 with rate 0.1: x ← x − 0.1 (x − b). A loop that forgets zero_grad ends elsewhere."""
    x = torch.tensor(1.0, requires_grad=True)
    losses = train([x], torch.optim.SGD([x], lr=0.1), lambda: [3.0, 2.0], lambda b: (x - b) ** 2 / 2, TrainSchedule(1))
    assert float(x.detach()) == pytest.approx(1.0 + 0.1 * 2.0 + 0.1 * (2.0 - 1.2))
    assert losses == [pytest.approx((2.0 + 0.32) / 2)]


def test_one_step_of_adam_by_hand() -> None:
    """The first step of Adam is the learning rate against the sign of the gradient."""
    x = torch.tensor([1.0, -1.0], requires_grad=True)
    train(
        [x],
        torch.optim.Adam([x], lr=0.05),
        lambda: [0],
        lambda _: (x * torch.tensor([3.0, -7.0])).sum(),
        TrainSchedule(1),
    )
    np.testing.assert_allclose(x.detach(), [0.95, -0.95], rtol=1e-6)


def test_progress_tells_every_epoch() -> None:
    told: list[tuple[int, int]] = []
    x = torch.tensor(1.0, requires_grad=True)
    train(
        [x],
        torch.optim.SGD([x], lr=0.1),
        lambda: [0],
        lambda _: x**2,
        TrainSchedule(3, progress=lambda done, total: told.append((done, total))),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_early_stop_puts_the_best_parameters_back() -> None:
    x = torch.tensor(0.0, requires_grad=True)
    values: Iterator[float] = iter([0.1, 0.9, 0.5, 0.4, 0.3])
    stopping = Stopping(lambda: next(values), every=1, patience=2)
    losses = train([x], torch.optim.SGD([x], lr=1.0), lambda: [0], lambda _: -x, TrainSchedule(10, stopping=stopping))
    assert len(losses) == 4  # the best is the second, and two measures after it are worse
    assert float(x.detach()) == 2.0


def test_the_learning_rate_falls_linearly_to_its_final_share_and_is_given_back() -> None:
    """Loss −x moves x by the rate: 1, then ¾, then ½."""
    x, seen = torch.tensor(0.0, requires_grad=True), []
    optimizer = torch.optim.SGD([x], lr=1.0)
    plan = TrainSchedule(3, final_rate=0.5, progress=lambda _done, _total: seen.append(float(x.detach())))
    train([x], optimizer, lambda: [0], lambda _: -x, plan)
    assert seen == [1.0, 1.75, 2.25]
    assert optimizer.param_groups[0]["lr"] == 1.0


def test_the_learning_rate_rises_step_by_step_across_epochs() -> None:
    """Loss −x moves x by the rate: ⅓, ⅔ in the first epoch, then 1 and 1, times ½ in the second."""
    x, seen = torch.tensor(0.0, requires_grad=True), []

    def loss(_batch: int) -> torch.Tensor:
        seen.append(float(x.detach()))
        return -x

    train([x], torch.optim.SGD([x], lr=1.0), lambda: [0, 1], loss, TrainSchedule(2, final_rate=0.5, warmup_steps=3))
    np.testing.assert_allclose(np.diff([*seen, float(x.detach())]), [1 / 3, 2 / 3, 1 / 2, 1 / 2], rtol=1e-6)


def test_a_gradient_longer_than_the_maximum_norm_is_scaled_down_to_it() -> None:
    """The gradient (3, 4) of norm 5 becomes (0.6, 0.8), and (0.3, 0.4) stays."""
    x = torch.zeros(2, requires_grad=True)
    batches = [torch.tensor([3.0, 4.0]), torch.tensor([0.3, 0.4])]
    train([x], torch.optim.SGD([x], lr=1.0), lambda: batches, lambda b: (x * b).sum(), TrainSchedule(1, max_norm=1.0))
    np.testing.assert_allclose(x.detach(), [-0.9, -1.2], rtol=1e-5)


class Killed(Exception):
    """Stands for the end of a process between two epochs."""


def noisy_training(path: Path, epochs_before_death: int | None = None) -> tuple[list[float], list[float]]:
    """The losses and the parameters of eight epochs of Adam with random batches and an early stop's best."""
    rng = np.random.default_rng(3)
    x = torch.tensor([1.0, -2.0], requires_grad=True)

    def measure() -> float:
        return -abs(float(x.detach()[0]) - 0.5)

    def progress(done: int, _total: int) -> None:
        if done == epochs_before_death:
            raise Killed

    checkpoints = Checkpoints(path, identity="here")
    plan = TrainSchedule(8, 0.1, progress, Stopping(measure, every=2, patience=9), checkpoints, rng)
    optimizer = torch.optim.Adam([x], lr=0.2)
    history = train(
        [x], optimizer, lambda: rng.normal(size=3).tolist(), lambda b: ((x - b) ** 2 * torch.tensor([1, 3])).sum(), plan
    )
    return history, x.detach().tolist()


@pytest.mark.parametrize("epochs", [1, 4, 7])
def test_a_killed_training_goes_on_to_the_same_result(tmp_path: Path, epochs: int) -> None:
    whole = noisy_training(tmp_path / "whole.pt")
    with pytest.raises(Killed):
        noisy_training(tmp_path / "cut.pt", epochs)
    assert noisy_training(tmp_path / "cut.pt") == whole
    assert noisy_training(tmp_path / "cut.pt") == whole  # and a finished one is finished


def test_checkpoints_are_written_every_few_epochs_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    x, found = torch.tensor(1.0, requires_grad=True), []
    plan = TrainSchedule(
        5,
        progress=lambda _done, _total: found.append(path.stat().st_mtime_ns if path.exists() else 0),
        checkpoints=Checkpoints(path, every=2),
    )
    train([x], torch.optim.SGD([x], lr=0.1), lambda: [0], lambda _: x**2, plan)
    assert found[0] == 0
    assert 0 < found[1] == found[2] < found[3] < found[4]
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]


def test_a_checkpoint_of_another_training_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    Checkpoints(path, identity="mine").write({"x": 1})
    with pytest.raises(DataError, match=r"a\.pt is of another training \(mine, this one is yours\)"):
        Checkpoints(path, identity="yours").read()
    assert Checkpoints(path, identity="mine").read() == {"identity": "mine", "x": 1}


def test_a_damaged_checkpoint_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(GraphrecError, match=r"a\.pt cannot be read .*; delete it to start anew"):
        Checkpoints(tmp_path / "a.pt").read()
    assert Checkpoints(tmp_path / "none.pt").read() is None
