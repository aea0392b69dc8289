"""Measurements of a guard in a study file: resumed after a kill, never repeated, and refused if they are damaged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec.errors import DataError, GraphrecError
from graphrec.models.base import Model
from graphrec.testing import checkerboard
from graphrec.tuning import Quality, Tuning, TuningBudget, Validation, choose

#: Configs that the guard measured in this test, by their number of neighbours.
Measured = list[int]


def search(path: Path, measured: Measured, name: str = "guard's part") -> Tuning:
    """A search for long lists of neighbours, with a guard for which only short ones are good."""
    graph, train, _ = checkerboard()

    def longer(model: Model[Any]) -> Quality:
        return Quality(1 + model.config.neighbours / 10_000)

    def shorter(model: Model[Any]) -> Quality:
        measured.append(model.config.neighbours)
        return Quality(1 - model.config.neighbours / 10_000)

    validation, guard = Validation(graph, train, {"part": longer}), Validation(graph, train, {name: shorter})
    budget = TuningBudget(num_trials=4, study=path)
    return choose("item_knn", [validation], np.random.default_rng(0), None, budget, [guard])


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Tuning]:
    """A finished study, and what its search selected."""
    path, measured = tmp_path / "item_knn.journal", Measured()
    tuning = search(path, measured)
    assert len(measured) > 3
    assert tuning.config == tuning.trials[0].config
    return path, tuning


def lines_of_guard(path: Path) -> list[int]:
    return [number for number, line in enumerate(path.read_text().splitlines()) if '"guard ' in line]


def test_a_finished_search_measures_nothing_again(study: tuple[Path, Tuning]) -> None:
    path, tuning = study
    measured = Measured()
    assert search(path, measured).config == tuning.config
    assert not measured


def test_a_search_killed_in_its_guard_resumes_with_the_same_result(study: tuple[Path, Tuning]) -> None:
    path, tuning = study
    lines, places = path.read_text().splitlines(), lines_of_guard(path)
    for number, place in enumerate(places):
        path.write_text("\n".join(lines[:place]) + "\n" + lines[place][:40])  # the last line is torn
        measured = Measured()
        again = search(path, measured)
        assert again.config == tuning.config
        assert [trial.config for trial in again.trials] == [trial.config for trial in tuning.trials]
        assert len(measured) == len(places) - number


def test_a_study_with_another_guard_is_refused(study: tuple[Path, Tuning]) -> None:
    with pytest.raises(DataError, match="belongs to other data, another split or another seed"):
        search(study[0], Measured(), "another part")


@pytest.mark.parametrize("content", [5, {"guard's part": 3}, {"guard's part": {}}, {"guard's part": {"ndcg": "high"}}])
def test_a_damaged_measurement_is_an_error(study: tuple[Path, Tuning], content: object) -> None:
    replace_guard(study[0], content)
    with pytest.raises(GraphrecError, match="it is damaged; remove it, or name another file"):
        search(study[0], Measured())


def test_a_measurement_without_the_parts_is_repeated(study: tuple[Path, Tuning]) -> None:
    path, tuning = study
    num_measured = len(lines_of_guard(path))
    replace_guard(path, {})
    measured = Measured()
    assert search(path, measured).config == tuning.config
    assert len(measured) == num_measured


def replace_guard(path: Path, content: object) -> None:
    """Replace each measurement of the guard in a study."""
    lines, places = path.read_text().splitlines(), lines_of_guard(path)
    for place in places:
        record: Mapping[str, Any] = json.loads(lines[place])
        lines[place] = json.dumps({**record, "user_attr": dict.fromkeys(record["user_attr"], content)})
    path.write_text("\n".join(lines) + "\n")
