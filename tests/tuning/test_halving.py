"""Successive halving, and the number of epochs that a trial selects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec.models.base import Model
from graphrec.models.ease import EASE, EASEConfig
from graphrec.models.lightgcn import LightGCN, LightGCNConfig
from graphrec.testing import checkerboard
from graphrec.tuning import Quality, TuningBudget, Validation, choose, tune
from graphrec.tuning.halving import is_halved, rounds, successive_halving
from graphrec.tuning.search import Trials
from graphrec.tuning.study import read_settings
from graphrec.tuning.workers import ExecutionConfig, Task, TrialRunner

RATES = (0.05, 0.01, 0.02, 0.03, 0.04)


def candidates(epochs: int = 8) -> list[LightGCNConfig]:
    return [LightGCNConfig(embedding_dim=4, epochs=epochs, learning_rate=rate) for rate in RATES]


def by_rate_and_epochs(model: Model[Any]) -> Quality:
    """Better with a higher learning rate, and a little with more epochs; nothing depends on the training."""
    value = model.config.learning_rate + model.config.epochs / 10_000
    return Quality(value, np.full(10, value))


def validation(measure: Any = by_rate_and_epochs) -> Validation:  # a function of a model
    graph, train, _ = checkerboard()
    return Validation(graph, train, {"all": measure})


def tried(configs: Sequence[Any]) -> list[tuple[float, int]]:
    return [(config.learning_rate, config.epochs) for config in configs]


def test_the_better_half_of_each_round_trains_twice_as_long() -> None:
    trials, told = Trials(LightGCN, [validation()], ExecutionConfig(0), {}), []
    successive_halving(trials, candidates(), lambda: told.append(len(trials.trials)))
    assert (
        tried(trials.configs)
        == [
            (0.05, 8),  # the default
            *((rate, 2) for rate in RATES[1:]),
            (0.04, 4),
            (0.03, 4),
            (0.04, 8),
        ]
    )
    assert told == list(range(1, 9))


def test_the_larger_half_of_an_odd_number_goes_on() -> None:
    assert rounds(9) == [9, 5, 3]
    assert rounds(4) == [4, 2, 1]
    assert rounds(3) == [3, 2, 1]


def test_a_config_with_fewer_epochs_keeps_everything_else() -> None:
    config = LightGCNConfig(epochs=30, stop_epoch=20, temperature=0.3)
    assert LightGCN.shorten(config, 0.25) == LightGCNConfig(epochs=8, temperature=0.3)
    assert LightGCN.shorten(config, 0.001).epochs == 1


def test_only_many_candidates_of_models_that_are_trained_in_epochs_are_halved() -> None:
    assert is_halved(LightGCN, candidates())
    assert not is_halved(LightGCN, candidates()[:3])
    assert not is_halved(EASE, [EASEConfig(float(n)) for n in range(1, 9)])


def test_a_search_halves_selects_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default has the highest rate, so it stays; without it the best of the last round is selected."""
    monkeypatch.setattr(LightGCN, "candidates", classmethod(lambda _cls, _graph: candidates()))
    monkeypatch.setattr(LightGCN, "space", classmethod(lambda _cls, _graph: {}))
    told: list[tuple[int, int]] = []

    def run(study: Path | None = None) -> tune.Tuning:
        return choose(
            "lightgcn",
            [validation()],
            np.random.default_rng(0),
            lambda done, total: told.append((done, total)),
            TuningBudget(study=study),
        )

    assert run().config["learning_rate"] == 0.05
    assert told[-1] == (8, 8)
    monkeypatch.setattr(LightGCN, "candidates", classmethod(lambda _cls, _graph: candidates()[::-1]))
    first = run(tmp_path / "a.journal")
    assert (first.config["learning_rate"], first.config["epochs"]) == (0.05, 8)
    again = run(tmp_path / "a.journal")
    assert [trial.config for trial in again.trials] == [trial.config for trial in first.trials]
    assert again.config == first.config


def rising_until(best: int) -> Any:  # a function of a model
    """A measure that counts its calls: best at one of them, as if later epochs of a training fitted noise."""
    calls = [0]

    def measure(_model: Model[Any]) -> Quality:
        calls[0] += 1
        value = 1.0 - abs(calls[0] - best) / 10
        return Quality(value)

    return measure


@pytest.mark.parametrize(("best", "stop_epoch"), [(1, 2), (3, 6), (4, 0)])
def test_a_trial_takes_the_quarter_of_the_epochs_that_is_best(best: int, stop_epoch: int) -> None:
    runner = TrialRunner(Task(LightGCN, (validation(rising_until(best)),), ExecutionConfig(0)))
    trial = runner.run(LightGCNConfig(embedding_dim=4, epochs=8), [])
    assert (trial.stop_epoch, trial.quality.ndcg) == (stop_epoch, 1.0)
    assert trial.config["stop_epoch"] == 0
    assert trial.settings["stop_epoch"] == stop_epoch


def test_further_validations_are_fitted_with_the_number_of_epochs_of_the_first() -> None:
    seen: list[tuple[int, int]] = []

    def measure(model: Model[Any]) -> Quality:
        assert isinstance(model, LightGCN)
        seen.append((model.config.stop_epoch, len(model.losses)))
        return Quality(0.5)

    task = Task(LightGCN, (validation(rising_until(3)), validation(measure)), ExecutionConfig(0))
    TrialRunner(task).run(LightGCNConfig(embedding_dim=4, epochs=8), [])
    assert seen == [(6, 6)]


def test_the_selected_number_of_epochs_is_in_the_settings_and_in_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LightGCN, "candidates", classmethod(lambda _cls, _graph: candidates()[:2]))
    monkeypatch.setattr(LightGCN, "space", classmethod(lambda _cls, _graph: {}))
    path = tmp_path / "a.journal"

    def run() -> tune.Tuning:
        return choose(
            "lightgcn", [validation(rising_until(3))], np.random.default_rng(0), None, TuningBudget(study=path)
        )

    assert run().config["stop_epoch"] == 6
    assert read_settings(path, "lightgcn")["stop_epoch"] == 6
    again = run()
    assert again.config["stop_epoch"] == again.trials[0].stop_epoch == 6
