"""A study on disk: a search goes on where it stopped, beside others, and gives hopeless trainings up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from graphrec.errors import DataError, GraphrecError
from graphrec.evaluation.protocol import validation_measure
from graphrec.models.base import Model
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.models.lightgcn import LightGCN, LightGCNConfig
from graphrec.testing import checkerboard
from graphrec.tuning import Quality, Tuning, TuningBudget, Validation, choose
from graphrec.tuning.study import fingerprint, read_settings
from graphrec.tuning.workers import ExecutionConfig, Task, TrialRunner


class Killed(Exception):
    """What stands for the end of a process."""


def hill(model: Model[Any]) -> Quality:
    """Best at a path_weight of 8, with values of users that tell every config apart."""
    value = 1.0 - abs(np.log(model.config.path_weight / 8)) / 10 - model.config.plateau / 1000
    return Quality(float(value), np.linspace(0, value, 5))


def killed_after(number: int) -> Callable[[Model[Any]], Quality]:
    calls = []

    def measure(model: Model[Any]) -> Quality:
        calls.append(1)
        if len(calls) > number:
            raise Killed
        return hill(model)

    return measure


def tuned(measure: Callable[[Model[Any]], Quality], effort: TuningBudget, seed: int = 0) -> Tuning:
    graph, train, _ = checkerboard()
    return choose(
        "graph_filter", [Validation(graph, train, {"hill": measure})], np.random.default_rng(seed), effort=effort
    )


def same(first: Tuning, second: Tuning) -> bool:
    def plain(tuning: Tuning) -> list[Any]:
        return [replace(trial, seconds=0.0) for trial in tuning.trials]

    return first.config == second.config and plain(first) == plain(second)


@pytest.mark.parametrize("number", [7, *(pytest.param(number, marks=pytest.mark.slow) for number in (0, 1, 12))])
def test_a_killed_search_goes_on_where_it_stopped_and_ends_the_same(tmp_path: Path, number: int) -> None:
    path = tmp_path / "study.journal"
    whole = tuned(hill, TuningBudget(num_trials=12))
    with pytest.raises(Killed):
        tuned(killed_after(number), TuningBudget(num_trials=12, study=path))
    again: list[int] = []

    def counted(model: Model[Any]) -> Quality:
        again.append(1)
        return hill(model)

    resumed = tuned(counted, TuningBudget(num_trials=12, study=path))
    assert same(resumed, whole)
    assert len(again) == len(whole.trials) - number


def test_a_finished_search_answers_from_its_file_and_more_trials_go_on(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    first = tuned(hill, TuningBudget(num_trials=4, study=path))
    assert same(tuned(killed_after(0), TuningBudget(num_trials=4, study=path)), first)
    with pytest.raises(Killed):
        tuned(killed_after(0), TuningBudget(num_trials=5, study=path))
    more = tuned(hill, TuningBudget(num_trials=9, study=path))
    assert same(more, tuned(hill, TuningBudget(num_trials=9)))
    assert read_settings(path, "graph_filter") == more.config


def test_a_line_that_a_kill_tore_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    with pytest.raises(Killed):
        tuned(killed_after(6), TuningBudget(num_trials=4, study=path))
    content = path.read_bytes()
    path.write_bytes(content + content[:50])
    assert same(tuned(hill, TuningBudget(num_trials=4, study=path)), tuned(hill, TuningBudget(num_trials=4)))


def test_optuna_opens_the_file(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    found = tuned(hill, TuningBudget(num_trials=6, study=path))
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    study = optuna.load_study(study_name="graph_filter", storage=optuna.storages.JournalStorage(backend))
    assert len(study.trials) == len(found.trials)
    assert study.best_value == max(trial.quality.ndcg for trial in found.trials)
    assert {"path_weight", "rank"} <= set(study.best_trial.params)


def test_a_study_of_other_data_or_another_seed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    tuned(hill, TuningBudget(num_trials=1, study=path))
    with pytest.raises(DataError, match="other data, another split or another seed"):
        tuned(hill, TuningBudget(num_trials=1, study=path), seed=1)
    graph, train, _ = checkerboard()
    with pytest.raises(DataError, match="belongs to graph_filter, not to item_knn"):
        choose(
            "item_knn",
            [Validation(graph, train, {"hill": hill})],
            np.random.default_rng(0),
            effort=TuningBudget(num_trials=1, study=path),
        )
    path.write_text("a note\n")
    with pytest.raises(GraphrecError, match=r"not a study of this version of `graphrec tune`"):
        tuned(hill, TuningBudget(num_trials=1, study=path))


def test_times_and_the_validation_part_tell_searches_apart() -> None:
    graph, train, _ = checkerboard()
    moments = np.arange(len(train))
    rows = [train, replace(train, time=moments), replace(train, time=moments[::-1])]
    found = {fingerprint("item_knn", graph, part, validation, 0) for part in rows for validation in ("", "a", "b")}
    assert len(found) == 9
    assert fingerprint("item_knn", graph, replace(train), "a", 0) in found


def test_settings_of_a_study(tmp_path: Path) -> None:
    path = tmp_path / "study.journal"
    with pytest.raises(DataError, match="there is no study"):
        read_settings(path, "graph_filter")
    with pytest.raises(Killed):
        tuned(killed_after(0), TuningBudget(num_trials=4, study=path))
    with pytest.raises(DataError, match="no trial in the study .* was completed"):
        read_settings(path, "graph_filter")
    with pytest.raises(Killed):
        tuned(killed_after(3), TuningBudget(num_trials=4, study=path))
    best = max(tuned(hill, TuningBudget(num_trials=4)).trials[:3], key=lambda trial: trial.quality.ndcg)
    assert read_settings(path, "graph_filter") == best.config


@pytest.mark.slow
def test_workers_side_by_side_find_the_same_each_time() -> None:
    graph, train, _ = checkerboard()

    def run() -> Tuning:
        rng = np.random.default_rng(3)
        held = np.arange(len(train)) % 5 == 0
        known = train.take(~held)
        measure = validation_measure(known, train.take(held), rng)
        return choose(
            "graph_filter",
            [Validation(graph, known, {"fifth": measure})],
            rng,
            effort=TuningBudget(num_trials=4, workers=2),
        )

    first = run()
    assert same(run(), first)
    assert len(first.trials) == len(GraphFilter.candidates(graph)) + 4


def test_a_training_below_the_median_half_way_is_given_up() -> None:
    graph, train, _ = checkerboard()
    looks: list[int] = []

    def measure(model: Model[Any]) -> Quality:
        looks.append(1)
        return Quality(model.config.learning_rate)

    examiner = TrialRunner(Task(LightGCN, (Validation(graph, train, {"tenth": measure}),), ExecutionConfig(0)))
    others = [{1: value, 2: value, 3: value} for value in (0.1, 0.2, 0.3, 0.4)]
    poor = examiner.run(LightGCNConfig(learning_rate=0.05, epochs=8, embedding_dim=4), others)
    assert poor.pruned
    assert poor.steps == {1: 0.05}
    assert len(looks) == 1
    good = examiner.run(LightGCNConfig(learning_rate=0.5, epochs=8, embedding_dim=4), others)
    assert not good.pruned
    assert good.steps == {1: 0.5, 2: 0.5, 3: 0.5}
    assert len(looks) == 5
    few = examiner.run(LightGCNConfig(learning_rate=0.05, epochs=8, embedding_dim=4), others[:3])
    assert not few.pruned


def test_a_fit_without_a_callback_is_not_measured() -> None:
    graph, train, withheld = checkerboard()
    measured = validation_measure(train, withheld, np.random.default_rng(0))
    looks: list[int] = []

    def measure(model: Model[Any]) -> Quality:
        looks.append(1)
        return measured(model)

    whole = Validation(graph, train, {"all": measure})
    config = LightGCNConfig(epochs=8, embedding_dim=4)
    fitted = TrialRunner(Task(LightGCN, (whole,), ExecutionConfig(3))).fit(config, whole)
    assert not looks
    alone = LightGCN(config)
    alone.fit(graph, train, np.random.default_rng(3))
    assert fitted.score(np.arange(5)).equal(alone.score(np.arange(5)))


def test_a_watch_sees_the_vectors_as_they_are_and_changes_nothing() -> None:
    graph, train, _ = checkerboard()
    config = LightGCNConfig(epochs=4, embedding_dim=4)
    plain, watched = LightGCN(config), LightGCN(config)
    seen = []
    from graphrec.models.base import EpochCallback

    watched.epoch_callback = EpochCallback(4, lambda part: seen.append((part, watched.score(np.arange(2)).clone())))
    for model in (plain, watched):
        model.fit(graph, train, np.random.default_rng(0))
    assert [part for part, _ in seen] == [1, 2, 3]
    assert not seen[0][1].equal(seen[1][1])
    assert plain.score(np.arange(2)).equal(watched.score(np.arange(2)))
    assert len(plain.losses) == 4
