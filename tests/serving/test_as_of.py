"""What was published to a user at a time in the past, on both databases."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from graphrec.config import Settings
from graphrec.errors import DataError, UnknownNameError
from graphrec.graph import Graph
from graphrec.pipeline.past import parse_moment
from graphrec.publishing.versions import roll_back
from graphrec.serving.as_of import PastList
from graphrec.store import Store
from graphrec.store.active_run import find_active_run
from tests.sizes import NEO4J_IS_SLOW

from . import shop


@pytest.fixture
def graph(store: Store, tmp_path: Path) -> Graph:
    """The shop, with runs saved below its home."""
    shop.build(store)
    return Graph(store, Settings(graphrec_home=tmp_path))


def ids(found: PastList) -> list[str]:
    return [each.item for each in found.items]


def set_activations(store: Store, run: str, *seconds: int) -> None:
    """Move the times at which a run became active into the past."""
    store.write(
        "MATCH (r:Run {id: $run}) SET r.activations = $times, r.activated_at = $times[-1]",
        {"run": run, "times": [1000 * each for each in seconds]},
    )


def test_the_run_that_was_active_then_answers_also_after_a_rollback(graph: Graph, tmp_path: Path) -> None:
    store = graph.store
    first = shop.trained(store, tmp_path / "runs")
    shop.publish(store, first, 3)
    second = shop.trained(store, tmp_path / "runs", "popularity")
    shop.publish(store, second, 2)
    now = {each.run: each for each in (graph.as_of("u4", int(time.time()) + 1),)}
    assert list(now) == [second.run.id]
    set_activations(store, first.run.id, 1_000, 3_000)
    set_activations(store, second.run.id, 2_000)
    for at, run, k, since in ((1_500, first, 3, 1_000), (2_999, second, 2, 2_000), (9_000, first, 3, 3_000)):
        found = graph.as_of("u4", at)
        assert (found.run, found.active_since, found.source, len(found.items)) == (run.run.id, since, "published", k)
    assert ids(graph.as_of("u4", 1_500)) == [each.item for each in graph.answer("u4", 3).items]
    assert graph.as_of("u4", 1_500).items[0].because is not None, "reasons come from the saved run"
    with pytest.raises(DataError, match="the first run became active at 1970-01-01 00:16:40 UTC"):
        graph.as_of("u4", 999)
    with pytest.raises(UnknownNameError):
        graph.as_of("nobody", 1_500)


@NEO4J_IS_SLOW
def test_a_rollback_is_remembered(graph: Graph, tmp_path: Path) -> None:
    store = graph.store
    runs = [shop.trained(store, tmp_path / "runs", model) for model in ("graph_filter", "popularity")]
    for run in runs:
        shop.publish(store, run, 3)
    roll_back(store)
    rows = store.read("MATCH (r:Run) RETURN r.id AS run, size(r.activations) AS number")
    assert {row["run"]: row["number"] for row in rows} == {runs[0].run.id: 2, runs[1].run.id: 1}


@NEO4J_IS_SLOW
def test_of_runs_that_became_active_in_the_same_millisecond_the_one_counts_that_is_active(
    graph: Graph, tmp_path: Path
) -> None:
    store = graph.store
    for model in ("graph_filter", "popularity"):
        shop.publish(store, shop.trained(store, tmp_path / "runs", model), 3)
    store.write("MATCH (r:Run) SET r.activated_at = 5000, r.activations = [5000]")
    active = find_active_run(store)
    assert active is not None
    assert graph.as_of("u4", 5).run == active.id


@NEO4J_IS_SLOW
def test_a_list_that_was_removed_is_computed_anew_by_its_saved_run(graph: Graph, tmp_path: Path) -> None:
    store = graph.store
    made = []
    for model in ("graph_filter", "popularity", "item_knn"):
        made.append(shop.trained(store, tmp_path / "runs", model))
        shop.publish(store, made[-1], 3)
        if model == "graph_filter":
            before = ids(graph.as_of("u4", int(time.time()) + 1))
    store.write("MATCH (r:Run) SET r.k = 3")
    for number, run in enumerate(made, start=1):
        set_activations(store, run.run.id, 1_000 * number)
    found = graph.as_of("u4", 1_500)
    assert (found.run, found.source, ids(found)) == (made[0].run.id, "recomputed", before)
    assert "without rules" in found.notes[0]
    (tmp_path / "runs" / made[0].run.id).rename(tmp_path / "elsewhere")
    gone = graph.as_of("u4", 1_500)
    assert (gone.source, gone.items) == ("removed", ())
    assert "`graphrec publish --keep N` keeps more lists" in gone.notes[0]


def test_what_the_user_had_chosen_or_was_shown_by_then(graph: Graph, tmp_path: Path) -> None:
    store = graph.store
    run = shop.trained(store, tmp_path / "runs")
    shop.publish(store, run, 3)
    set_activations(store, run.run.id, 1_000)
    listed = ids(graph.as_of("u4", 2_000))
    act = "MATCH (u:User {id: 'u4'}), (i:Item {id: $id}) CREATE (u)-[e:PLACE {timestamp: $at}]->(i) SET e += $more"
    for relation, item, at in (("PURCHASED", 0, 1_500), ("DISMISSED", 1, 2_500), ("SHOWN", 2, 1_800)):
        more = {"run": run.run.id, "rank": 3, "recommendation_id": "r_1"} if relation == "SHOWN" else {}
        store.write(act.replace("PLACE", relation), {"id": listed[item], "at": at, "more": more})
    found = graph.as_of("u4", 2_000, 2)
    assert [each.chosen for each in found.items] == [True, False]
    assert [(each.item, each.rank, each.recommendation_id) for each in found.shown] == [(listed[2], 3, "r_1")]
    assert [each.chosen for each in graph.as_of("u4", 3_000).items] == [True, True, False]
    assert graph.as_of("u4", 1_000 + 86_400 * 2).shown == ()


def test_moments() -> None:
    assert parse_moment("1970-01-02") == parse_moment(date(1970, 1, 2)) == 2 * 86_400 - 1
    assert parse_moment("1970-01-02T01:00") == parse_moment(datetime(1970, 1, 2, 1, tzinfo=UTC)) == 90_000
    assert parse_moment("90000") == parse_moment(90_000) == 90_000
    with pytest.raises(DataError, match="'yesterday' is no time"):
        parse_moment("yesterday")
