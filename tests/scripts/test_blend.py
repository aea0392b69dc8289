"""`graphrec blend`: a run of several runs, and what it refuses."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphrec import config, runs
from graphrec.models import make

from .conftest import Run

Json = Callable[..., Any]  # any JSON


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of runs of a home that has no store."""
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path / "home"))
    for name in ("NEO4J_URI", "NEO4J_USERNAME", "NEO4J_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return config.Settings().runs


@pytest.fixture
def loaded(environment: Path, run: Run, lastfm_folder: Path) -> Path:
    """The folder of runs of a home whose store has the listeners."""
    run("load", "lastfm", str(lastfm_folder))
    return environment / "runs"


@pytest.mark.parametrize("address", ["embedded"], indirect=True)
def test_two_runs_become_one(loaded: Path, run: Run, run_json: Json) -> None:
    first = run_json("train", "--model", "item_knn", "--set", "neighbours=5", "--no-metrics")["run"]
    second = run_json("train", "--model", "graph_filter", "--set", "rank=4", "--no-metrics")["run"]
    told = run_json("blend", first, second, "--seed", "3")
    assert told["model"] == "ensemble"
    assert told["config"]["members"] == "item_knn(neighbours=5), graph_filter(rank=4)"
    assert told["config"]["blend"] == "rank"  # twelve users do not distinguish weights from equal ones
    assert 0 <= told["metrics"]["ndcg@10"] <= 1
    np.testing.assert_allclose(np.sum(told["weights"], axis=1), 1.0, rtol=1e-5)
    trained = runs.load(loaded, told["run"])
    assert trained.model.state()["weights"].tolist() == told["weights"]
    assert trained.model.score(np.arange(12)).shape == (12, 12)
    other = ("--blend", "rank", "--groups", "2", "--validation", "coherent", "--no-metrics")
    assert "weight of" in run("blend", first, second, *other).output
    averaged = run("blend", first, second, "--groups", "2", "--no-metrics")
    assert "ranks are averaged" in averaged.stderr
    assert "coherent" in {one.config.get("validation") for one in runs.list_saved(loaded)}


@pytest.mark.parametrize("address", ["embedded"], indirect=True)
def test_weights_can_be_given(loaded: Path, run_json: Json) -> None:
    names = [run_json("train", "--model", model, "--no-metrics")["run"] for model in ("item_knn", "popularity")]
    told = run_json("blend", *names, "--weights", "3 1", "--no-metrics")
    assert told["weights"] == [[0.75, 0.25]]
    assert runs.load(loaded, told["run"]).model.state()["weights"].tolist() == [[0.75, 0.25]]
    assert told["config"]["weights"] == "3 1"


def test_weights_that_do_not_fit_are_refused_before_a_store_is_opened(home: Path, run: Run) -> None:
    names = [saved(home, model, "RATED") for model in ("popularity", "item_knn")]
    assert "there are 2 members, but 3 weights" in run("blend", *names, "--weights", "1 1 1", exit_code=1).output
    assert [path.name for path in home.parent.iterdir()] == ["runs"]


def saved(folder: Path, model: str, relation: str = "RATED") -> str:
    """The id of a run of which only `run.json` is written."""
    made = runs.describe(model, make(model), ("User", relation, "Item"), {}, 0.0)
    (folder / made.id).mkdir(parents=True)
    (folder / made.id / "run.json").write_text(json.dumps(asdict(made)), encoding="utf-8")
    return made.id


def test_runs_that_do_not_fit_are_refused_before_a_store_is_opened(home: Path, run: Run) -> None:
    kinds = (("popularity", "RATED"), ("item_knn", "VIEWED"), ("ensemble", "RATED"))
    rated, viewed, blend = (saved(home, *kind) for kind in kinds)
    cases = [
        ([rated], "a blend needs two or more different runs"),
        ([rated, rated], "a blend needs two or more different runs"),
        ([rated, "popularty-2026"], "there is no run 'popularty-2026'"),
        ([rated, viewed], "the runs predict different behaviours (User RATED Item, User VIEWED Item)"),
        ([rated, blend], "is a blend already; name the runs that it was made from"),
    ]
    for names, message in cases:
        assert message in run("blend", *names, exit_code=1).output
    assert [path.name for path in home.parent.iterdir()] == ["runs"]


def test_a_blend_of_no_runs_is_wrong_usage(run: Run) -> None:
    assert "RUN" in run("blend", exit_code=2).output
