"""Replay of a period: what a model may see in each step, what it is measured on, and values computed by hand."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from graphrec import hetero
from graphrec.errors import DataError, UnknownNameError
from graphrec.evaluation import prequential
from graphrec.evaluation.prequential import DAY, Replay, ReplayConfig, replay
from graphrec.evaluation.replay_plot import plot_replay
from graphrec.evaluation.trial import Contender
from graphrec.hetero import HeteroGraph
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source

WEEK = 7 * DAY

#: user, item, week: in week 1 popularity knows a and b, in week 2 also c three times.
EVENTS = [
    *(("u1", "a", 0), ("u2", "a", 0), ("u2", "b", 0), ("u3", "a", 0), ("u4", "b", 0)),
    *(("u1", "b", 1), ("u3", "c", 1), ("u4", "c", 1), ("new", "a", 1)),
    *(("u1", "c", 2), ("u4", "a", 2), ("u4", "c", 2)),
]


def build(events: list[tuple[str, str, int]]) -> HeteroGraph:
    frame = pd.DataFrame(events, columns=["source_id", "target_id", "week"]).astype(
        {"source_id": "str", "target_id": "str"}
    )
    frame["timestamp"] = frame.pop("week") * WEEK + 10
    frame["source"] = "test"
    nodes = tuple(
        NodeTable(NodeType(label), pd.DataFrame({"id": sorted(set(frame[column]))}, dtype="str"))
        for label, column in ((USER, "source_id"), (ITEM, "target_id"))
    )
    kind = EdgeType(USER, "PURCHASED", ITEM, ("timestamp",), key=("timestamp",))
    return hetero.build(GraphTables(nodes, (EdgeTable(kind, frame),), (Source("test"),)))


def run(graph: HeteroGraph, *models: str, start: int | None = WEEK, end: int | None = 3 * WEEK, k: int = 1) -> Replay:
    contenders = [Contender(name) for name in models or ("popularity",)]
    return replay(graph, contenders, ReplayConfig(start, end, "week", k), np.random.default_rng(0))


def test_each_week_is_measured_on_what_came_and_then_learned() -> None:
    found = run(build(EVENTS))
    assert [(s.num_train, s.num_test, s.num_users, s.num_cold) for s in found.steps] == [(5, 4, 3, 1), (9, 3, 2, 0)]
    # Week 1: a 3, b 2. u1 and u3 are recommended b (u1 has it then: a hit), u4 is recommended a.
    assert found.steps[0].metrics["recall@1"].value == pytest.approx(1 / 3)
    # Week 2: a 4, b 3, c 2. u1 has a and b, so c is a hit; u4 has b and c, and a is a hit; c is no new item of u4.
    assert found.steps[1].metrics["recall@1"].value == 1.0
    overall = found.overall["popularity"]["recall@1"]
    assert overall.value == pytest.approx(3 / 5)
    assert overall.low is not None
    assert overall.high is not None
    assert 0 <= overall.low < 3 / 5 < overall.high <= 1


def test_events_after_a_step_change_nothing_in_it() -> None:
    later = [*EVENTS, *((f"u{n}", "d", 2) for n in range(1, 5))]
    first = run(build(EVENTS), "item_knn", end=2 * WEEK).steps
    assert run(build(later), "item_knn", end=2 * WEEK).steps == first


def test_the_seeds_of_a_model_do_not_depend_on_the_models_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, list[int]] = {}
    measure = prequential._measure

    def record(visible: HeteroGraph, contender: Contender, *rest: Any) -> Any:
        drawn.setdefault(contender.name, []).append(int(copy.deepcopy(rest[-1]).integers(2**31)))
        return measure(visible, contender, *rest)

    monkeypatch.setattr(prequential, "_measure", record)
    run(build(EVENTS), "item_knn")
    alone = drawn.pop("item_knn")
    run(build(EVENTS), "popularity", "item_knn")
    assert drawn["item_knn"] == alone
    assert len({*alone, *drawn["popularity"]}) == 4, "each model and step has a seed of its own"


def test_weeks_without_events_are_left_out_and_models_are_side_by_side() -> None:
    found = run(build([*EVENTS, ("u1", "d", 6)]), "popularity", "item_knn", end=None)
    assert [step.start // WEEK for step in found.steps if step.model == "popularity"] == [1, 2, 6]
    assert {step.model for step in found.steps} == {"popularity", "item_knn"} == found.overall.keys()
    assert found.end == 6 * WEEK + 11
    assert (found.steps[-1].num_users, found.steps[-1].metrics["ndcg@1"].value) == (1, 1.0), "only d is left for u1"


def test_a_picture(tmp_path: Path) -> None:
    found = run(build(EVENTS), "popularity", "item_knn")
    plot_replay(found, tmp_path / "replay.svg")
    text = (tmp_path / "replay.svg").read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    with pytest.raises(DataError, match="no precision@1"):
        plot_replay(found, tmp_path / "x.png", "no precision")


def test_periods_without_events_models_or_order_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = build(EVENTS)
    with pytest.raises(DataError, match="ends .* before it begins"):
        run(graph, start=3 * WEEK, end=WEEK)
    with pytest.raises(DataError, match="the events are from 1970-01-01"):
        run(graph, start=10 * WEEK, end=11 * WEEK)
    with pytest.raises(DataError, match="no model can be fitted"):
        run(graph, start=0)
    with pytest.raises(UnknownNameError):
        run(graph, "populrity")
    with pytest.raises(DataError, match="a step is day, week, month"):
        replay(graph, [], ReplayConfig(step="year"), np.random.default_rng(0))
    monkeypatch.setattr(prequential, "MAX_STEPS", 1)
    with pytest.raises(DataError, match="choose longer steps"):
        run(graph)
