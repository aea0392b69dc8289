"""The kept runs and their lists, and the status of a graph."""

from pathlib import Path

from graphrec.page.run_lists import read_kept_runs, read_list
from graphrec.page.status import read_status
from graphrec.runs import TrainedRun
from graphrec.serving.answer import Strategy
from graphrec.store import Store
from tests.serving import shop
from tests.sizes import NEO4J_IS_SLOW


def test_the_active_run_is_first_and_each_has_its_own_list(store: Store, run: TrainedRun, tmp_path: Path) -> None:
    second = shop.trained(store, tmp_path, "popularity")
    shop.publish(store, second, 5)
    runs = read_kept_runs(store)
    assert [kept.run.id for kept in runs] == [second.run.id, run.run.id]
    assert [kept.run.model for kept in runs] == ["popularity", "graph_filter"]
    assert runs[0].activated_at >= runs[1].activated_at
    newer, older = (read_list(store, kept.run, "u0", 10) for kept in runs)
    assert [len(newer), len(older)] == [5, 3]
    edges = store.read(
        "MATCH (:User {id: 'u0'})-[edge:RECOMMENDED]->(item) WHERE edge.version IN $layers "
        "RETURN item.id AS item ORDER BY edge.rank",
        {"layers": list(runs[1].run.layers)},
    )
    assert [each.item for each in older] == [row["item"] for row in edges]
    assert {each.strategy for each in newer} == {Strategy.PUBLISHED}
    assert read_list(store, runs[0].run, "nobody", 10) == []


def test_the_status_counts_events_of_each_behaviour_and_says_why_there_is_no_click_rate(store: Store) -> None:
    shop.build(store)
    store.write("MATCH (u:User {id: 'u0'}), (i:Item {id: 'i2'}) CREATE (u)-[:VIEWED {timestamp: 7, received: 9}]->(i)")
    status = read_status(store)
    assert [events.relation for events in status.events] == ["PURCHASED", "VIEWED"]
    purchases, views = status.events
    assert (purchases.number, purchases.last, purchases.received) == (180, shop.DAY * 100, None)
    assert (views.number, views.last, views.received) == (1, 7, 9)
    assert status.feedback == ()
    assert status.note.startswith("no impressions were reported")


@NEO4J_IS_SLOW
def test_the_status_has_the_click_rate_of_a_run(store: Store, run: TrainedRun) -> None:
    """Two items were shown to u0, who bought one of them an hour later."""
    store.write(
        "MATCH (u:User {id: 'u0'}) UNWIND [1, 2] AS rank MATCH (i:Item {id: 'i' + toString(rank)}) "
        "CREATE (u)-[:SHOWN {run: $run, rank: rank, timestamp: 1000}]->(i)",
        {"run": run.run.id},
    )
    store.write("MATCH (u:User {id: 'u0'}), (i:Item {id: 'i1'}) CREATE (u)-[:PURCHASED {timestamp: 4600}]->(i)")
    feedback = read_status(store).feedback
    assert [each.run for each in feedback] == [run.run.id]
