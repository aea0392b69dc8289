"""Regret measured on small data sets: what is fitted and tested, and that an interrupted measurement continues."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest

from graphrec.benchmark import panel
from graphrec.benchmark.datasets import DATASETS, Dataset, open_dataset, open_files
from graphrec.benchmark.panel import PANEL, measure_regret
from graphrec.benchmark.regret import Regret, read_regret, regret_path
from graphrec.benchmark.run import Conditions, benchmark
from graphrec.errors import DataError, GraphrecError, LeakError, UnknownNameError
from graphrec.evaluation.protocol import Evaluation, ValidationMeasure, evaluate
from graphrec.interactions import join
from graphrec.models import model_class
from graphrec.models.item_knn import ItemKNN
from graphrec.tuning import Quality
from tests.sizes import EVERYTHING

from . import published_folders as folders

FEW = Conditions(num_trials=2)


class Killed(BaseException):
    """What stands for the end of a process."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = folders.blocks(tmp_path_factory.mktemp("data") / "blocks")
    return open_files(folder / "train.txt", folder / "test.txt", folder / "social.txt", "random")


@pytest.fixture(scope="module")
def whole_folder(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which item_knn is measured; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("whole")
    measure_regret(data, "item_knn", FEW, folder)
    return folder


@pytest.fixture(scope="module")
def whole(whole_folder: Path) -> Regret:
    """The regret of item_knn, measured without an interruption."""
    return read_regret(regret_path(whole_folder, "train.txt", "item_knn"))


@pytest.fixture
def measured(whole_folder: Path, tmp_path: Path) -> Path:
    """A copy of the folder in which item_knn is measured."""
    return Path(shutil.copytree(whole_folder, tmp_path / "measured"))


def timeless(regret: Regret) -> Regret:
    """The regret without seconds, which differ each time."""
    measured = tuple(replace(each, seconds=0.0) for each in regret.measured)
    return replace(regret, search_seconds=0.0, measured=measured)


def count_calls(
    monkeypatch: pytest.MonkeyPatch, fail_at: int | None = None, searching: bool = False
) -> list[Callable[..., Any]]:
    """A list that grows with each measurement on test, or of the search; the one at `fail_at` raises Killed."""
    calls: list[Callable[..., Any]] = []
    plain: Callable[..., Any] = ValidationMeasure.__call__ if searching else evaluate

    def measure(*arguments: Any) -> Evaluation | Quality:  # those of `plain`
        if len(calls) == fail_at:
            raise Killed
        calls.append(plain)
        result: Evaluation | Quality = plain(*arguments)
        return result

    if searching:
        monkeypatch.setattr(ValidationMeasure, "__call__", measure)
    else:
        monkeypatch.setattr(panel, "evaluate", measure)
    return calls


def test_the_panel_has_every_data_set_of_rankings() -> None:
    """But for those with settings chosen on their author's part, and a third split of MovieLens 100K."""
    rankings = {n for n, each in DATASETS.items() if each.task == "ranking" and each.drawn != "next"}
    assert sorted(PANEL) == sorted(rankings - {"citeulike-a-cold", "ml-1m-diffrec", "ml-100k-gan"})


@pytest.mark.slow
def test_the_panel_is_in_the_order_of_size() -> None:
    if not os.environ.get("GRAPHREC_DATA"):
        pytest.skip("sizes of real data sets; set GRAPHREC_DATA to the folder of the data sets")
    sizes = [len(open_dataset(name).train) for name in PANEL]
    assert sizes == sorted(sizes)


def test_every_candidate_and_the_selected_config_are_tested_once(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_calls(monkeypatch)
    found = measure_regret(data, "item_knn", FEW, tmp_path / "out")
    candidates = ItemKNN.candidates(data.graph)
    assert len(found.candidates) == len(candidates) == 8
    assert found.tried == 10
    assert len(calls) == len(found.measured) == len(found.configs)
    assert found.is_complete
    assert (found.data, found.drawn, found.interactions) == ("train.txt", "random", 1200)
    assert read_regret(regret_path(tmp_path / "out", "train.txt", "item_knn")) == found
    assert found.search_seconds > 0
    for measured in (found.measured[0], found.measured[3]):  # the same as by `graphrec benchmark --set`
        alone = benchmark(data, "item_knn", Conditions({name: str(value) for name, value in measured.config.items()}))
        assert alone.metrics["ndcg@20"] == pytest.approx(measured.ndcg, abs=1e-9)
        assert alone.metrics["recall@20"] == pytest.approx(measured.recall, abs=1e-9)


def test_the_selected_config_is_that_of_a_benchmark_and_counts_for_the_best(data: Dataset, tmp_path: Path) -> None:
    conditions = Conditions(num_trials=6, seed=2)
    found = measure_regret(data, "item_knn", conditions, tmp_path)
    whole = benchmark(data, "item_knn", conditions)
    assert whole.config == found.selected
    assert whole.trials == found.tried
    assert found.ndcg(found.selected) == pytest.approx(whole.metrics["ndcg@20"], abs=1e-9)
    assert found.selected in [measured.config for measured in found.measured]
    assert found.best.ndcg == max(measured.ndcg for measured in found.measured)


def test_the_choice_does_not_read_the_test_part(data: Dataset, whole: Regret, tmp_path: Path) -> None:
    """With a test part of two users only, other results are measured and the same config is selected."""
    first = whole
    other = replace(data, test=data.test.take(data.test.user_index < 2))
    second = measure_regret(other, "item_knn", FEW, tmp_path / "second")
    assert (first.selected, first.tried) == (second.selected, second.tried)
    assert [measured.ndcg for measured in first.measured] != [measured.ndcg for measured in second.measured]


def test_fits_are_shared_and_give_the_same_as_alone(data: Dataset, tmp_path: Path) -> None:
    found = measure_regret(data, "graph_filter", Conditions(num_trials=0), tmp_path)
    kind = model_class("graph_filter")
    assert len(found.measured) == len(kind.candidates(data.graph)) > 10
    for measured in found.measured[:: 4 if EVERYTHING else 12]:
        model = kind(kind.config_class(**measured.config))
        model.fit(data.graph, data.train, np.random.default_rng(0))
        metrics = evaluate(model, data.train, data.test, (20,)).metrics
        assert measured.ndcg == pytest.approx(metrics["ndcg@20"], abs=1e-6)


def test_a_model_with_one_candidate(data: Dataset, tmp_path: Path) -> None:
    found = measure_regret(data, "popularity", FEW, tmp_path)
    assert (len(found.measured), found.tried, found.selected) == (1, 0, found.candidates[0])
    assert found.regret(found.selected) == 0.0


@pytest.mark.parametrize(
    ("model", "fail_at"),
    [("item_knn", 1), *(pytest.param("item_knn", number, marks=pytest.mark.slow) for number in (0, 5))]
    + [pytest.param("graph_filter", number, marks=pytest.mark.slow) for number in (0, 1, 5)],
)
def test_a_killed_measurement_loses_one_config_and_ends_the_same(
    data: Dataset, whole: Regret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, fail_at: int
) -> None:
    if model != "item_knn":
        whole = measure_regret(data, model, FEW, tmp_path / "whole")
    with monkeypatch.context() as patch:
        count_calls(patch, fail_at)
        with pytest.raises(Killed):
            measure_regret(data, model, FEW, tmp_path / "killed")
    assert len(read_regret(regret_path(tmp_path / "killed", "train.txt", model)).measured) == fail_at
    with monkeypatch.context() as patch:
        count_calls(patch, 0, searching=True)  # the search is not repeated
        calls = count_calls(patch)
        resumed = measure_regret(data, model, FEW, tmp_path / "killed")
    assert timeless(resumed) == timeless(whole)
    assert len(calls) == len(whole.measured) - fail_at


@pytest.mark.parametrize("fail_at", [23, *(pytest.param(number, marks=pytest.mark.slow) for number in (0, 1, 50, 62))])
def test_a_killed_search_loses_one_config_and_ends_the_same(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_at: int
) -> None:
    """Each of ten configs is measured on six held-out parts, two of each of three fits, and a few on a guard."""
    with monkeypatch.context() as patch:
        all_calls = count_calls(patch, searching=True)
        whole = measure_regret(data, "item_knn", FEW, tmp_path / "whole")
    number = len(all_calls)
    assert number > 60
    with monkeypatch.context() as patch:
        count_calls(patch, fail_at, searching=True)
        with pytest.raises(Killed):
            measure_regret(data, "item_knn", FEW, tmp_path / "killed")
    with monkeypatch.context() as patch:
        calls = count_calls(patch, searching=True)
        resumed = measure_regret(data, "item_knn", FEW, tmp_path / "killed")
    assert timeless(resumed) == timeless(whole)
    assert number - fail_at <= len(calls) <= number - fail_at + 5
    assert resumed.search_seconds > 0


def test_seconds_of_a_search_include_those_before_it_was_killed(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        count_calls(patch, 0)
        with pytest.raises(Killed):
            measure_regret(data, "item_knn", FEW, tmp_path)
    path = regret_path(tmp_path, "train.txt", "item_knn")
    before = read_regret(path)
    path.unlink()  # as if the process had been killed between the search and its record
    assert measure_regret(data, "item_knn", FEW, tmp_path).search_seconds == before.search_seconds


def test_a_complete_file_is_not_measured_again(
    data: Dataset, whole: Regret, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_calls(monkeypatch, 0)
    count_calls(monkeypatch, 0, searching=True)
    assert measure_regret(data, "item_knn", FEW, measured) == whole


def test_a_file_of_another_origin_is_refused(data: Dataset, measured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = regret_path(measured, "train.txt", "item_knn")
    content = path.read_bytes()
    remedy = r"name another folder, or remove this file and .*train\.txt--item_knn\.journal to measure again"

    def refused(dataset: Dataset, conditions: Conditions, what: str) -> None:
        with pytest.raises(DataError, match=rf"train\.txt--item_knn\.regret\.json is of {what}; {remedy}"):
            measure_regret(dataset, "item_knn", conditions, measured)
        assert path.read_bytes() == content

    refused(data, replace(FEW, seed=1), "another seed")
    refused(data, Conditions(num_trials=3), "another number of trials")
    refused(replace(data, drawn="unknown"), FEW, "another kind of split")
    refused(replace(data, test=data.test.take(np.arange(599))), FEW, "other data")
    refused(replace(data, train=data.train.take(np.arange(1199))), FEW, "other data")
    refused(data.without(["FOLLOWS"]), FEW, "other data")
    fewer = ItemKNN.candidates(data.graph)[:-1]
    monkeypatch.setattr(ItemKNN, "candidates", classmethod(lambda _cls, _graph: fewer))
    refused(data, FEW, "other candidates of the model")


def test_errors_before_anything_is_measured(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no model 'itemknn'"):
        measure_regret(data, "itemknn", FEW, tmp_path)
    with pytest.raises(DataError, match=r"train\.txt: regret is measured on rankings"):
        measure_regret(replace(data, task="rating"), "mf", FEW, tmp_path)
    with pytest.raises(GraphrecError, match="device 'cuda:99' cannot be used here"):
        measure_regret(data, "item_knn", replace(FEW, device="cuda:99"), tmp_path)
    leaking = replace(data, test=join(data.test, data.train.take(np.arange(3))))
    with pytest.raises(LeakError, match="3 test interactions in the training data"):
        measure_regret(leaking, "item_knn", FEW, tmp_path)
    assert not list(tmp_path.glob("*.regret.json"))
    path = regret_path(tmp_path, "train.txt", "item_knn")
    with filelock.FileLock(f"{path}.lock"), pytest.raises(DataError, match="another process measures .*; wait for it"):
        measure_regret(data, "item_knn", FEW, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(GraphrecError, match="cannot make the folder"):
        measure_regret(data, "item_knn", FEW, tmp_path / "file" / "folder")


@pytest.mark.slow
def test_a_process_killed_at_any_moment_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.blocks(tmp_path / "data" / "douban-book-social")
    monkeypatch.setenv("GRAPHREC_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rest = ["douban-book", "--model", "item_knn", "--trials", "4", "--json"]

    def start(folder: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "graphrec", "benchmark", "--panel", "--output", str(folder), *rest]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def finish(folder: Path) -> Regret:
        process = start(folder)
        output, _ = process.communicate()
        assert process.returncode == 0
        assert json.loads(output)[0]["data"] == "douban-book"
        return read_regret(regret_path(folder, "douban-book", "item_knn"))

    whole = finish(tmp_path / "whole")
    killed = tmp_path / "killed"
    path, study = regret_path(killed, "douban-book", "item_knn"), killed / "douban-book--item_knn.journal"

    def count_saved() -> tuple[int, int]:
        """Lines of the study, and the measurements on test (-1 before the search is finished)."""
        lines = study.read_bytes().count(b"\n") if study.exists() else 0
        return lines, len(read_regret(path).measured) if path.exists() else -1

    seen = [(0, -1)]
    for lines, measured in ((1, -1), (6, -1), (10, -1), (0, 0), (0, 1), (0, 5)):
        process = start(killed)
        while process.poll() is None and not (count_saved()[0] >= lines and count_saved()[1] >= measured):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        seen.append(count_saved())
    assert seen == sorted(seen)
    assert len(set(seen)) >= 5
    assert timeless(finish(killed)) == timeless(whole)
    assert not list(killed.glob(".*.partial"))
