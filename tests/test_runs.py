"""Runs: what is saved comes back, whole or not at all."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.models import MODELS, make
from graphrec.models.graph_filter.config import GraphFilterConfig
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.ranking.topk import recommend
from graphrec.runs import TrainedRun, describe, list_saved, load, save
from graphrec.testing import checkerboard


def trained(name: str = "item_knn", when: datetime | None = None) -> TrainedRun:
    graph, train, _ = checkerboard()
    ties = torch.stack([torch.arange(18), torch.arange(18) + 2])  # diffnet asks for friends
    graph.data["User", "FRIEND", "User"].edge_index = ties
    graph.data["User", "rev_FRIEND", "User"].edge_index = ties.flip(0)
    model = make(name)
    if hasattr(model.config, "epochs"):
        model = make(name, epochs=2)
    model.fit(graph, train, np.random.default_rng(0))
    run = describe(name, model, graph.target, {"ndcg@10": 0.5}, 1.25, when)
    return TrainedRun(run, model, graph.users, graph.items, train)


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_run_recommends_what_the_saved_one_did(tmp_path: Path, name: str) -> None:
    before = trained(name)
    folder = save(tmp_path / "runs", before)
    assert sorted(path.name for path in folder.iterdir()) == ["model.pt", "run.json"]
    after = load(tmp_path / "runs", before.run.id)
    assert after.run == before.run
    assert (after.users, after.items) == (before.users, before.items)
    everyone = np.arange(21)
    assert torch.equal(after.model.score(everyone), before.model.score(everyone))
    assert recommend(after, k=4).frame.equals(recommend(before, k=4).frame)


def test_a_run_with_a_ridge_is_loaded_with_its_scores_for_new_users_and_new_items(tmp_path: Path) -> None:
    graph, train, _ = checkerboard()
    graph.data["Genre"].num_nodes = 2
    graph.data["Item", "IN_GENRE", "Genre"].edge_index = torch.stack([torch.arange(20), torch.arange(20) % 2])
    model = GraphFilter(GraphFilterConfig(0.2, 0.25, 0.25, 0.05, path_weight=100.0, ridge=400.0))
    model.fit(graph, train, np.random.default_rng(0))
    model.forget_variants()
    run = describe("graph_filter", model, graph.target, {}, 1.0)
    save(tmp_path, TrainedRun(run, model, graph.users, graph.items, train))
    after = load(tmp_path, run.id).model
    assert isinstance(after, GraphFilter)
    assert after.has_signed_scores
    assert torch.equal(after.fold_in(train.matrix()), model.fold_in(train.matrix()))
    new_items = {"IN_GENRE": sparse.csr_array(np.array([[1, 0]], dtype=np.float32))}
    expected = model.score_new_items(np.arange(20), new_items)
    assert bool((expected != 0).any())
    assert torch.equal(after.score_new_items(np.arange(20), new_items), expected)


def test_a_run_of_an_earlier_version_without_newer_settings_is_loaded(tmp_path: Path) -> None:
    """Settings that its record lacks have the values with which that version computed."""
    for name, newer in (("graph_filter", "ridge"), ("lightgcn", "positive_temperature")):
        before = trained(name)
        path = save(tmp_path, before) / "run.json"
        record = json.loads(path.read_text())
        assert record["config"].pop(newer) == 0
        path.write_text(json.dumps(record))
        after = load(tmp_path, before.run.id)
        assert torch.equal(after.model.score(np.arange(21)), before.model.score(np.arange(21)))


def test_an_id_tells_model_and_time_and_is_unique() -> None:
    when = datetime(2026, 11, 24, 18, 15, tzinfo=UTC)
    first, second = trained(when=when).run, trained(when=when).run
    assert first.id.startswith("item_knn-20261124-181500-")
    assert first.id != second.id
    assert (first.created_at, first.relation) == ("2026-11-24T18:15:00Z", "PURCHASED")


def test_runs_are_listed_by_time(tmp_path: Path) -> None:
    later, earlier = (trained(when=datetime(2026, 11, day, tzinfo=UTC)) for day in (24, 23))
    for each in (later, earlier):
        save(tmp_path, each)
    (tmp_path / ".item_knn-1.partial").mkdir()
    (tmp_path / "empty").mkdir()
    assert [run.id for run in list_saved(tmp_path)] == [earlier.run.id, later.run.id]
    assert list_saved(tmp_path / "nowhere") == []


def test_an_unknown_run_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no run 'x'; there is no run yet; `graphrec train` makes one"):
        load(tmp_path, "x")


@pytest.mark.parametrize("content", [b"", b"not a model"])
def test_a_damaged_model_is_an_error_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    run = trained().run
    folder = save(tmp_path, trained(when=None))
    (folder / "model.pt").write_bytes(content)
    with pytest.raises(GraphrecError, match="cannot be read"):
        load(tmp_path, folder.name)
    with pytest.raises(UnknownNameError, match="did you mean"):
        load(tmp_path, run.id)


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(GraphrecError, match="cannot write .*runs"):
        save(tmp_path / "runs", trained())
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
