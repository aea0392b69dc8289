"""A source taken out: what is left is exactly the graph that the others make, on both databases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphrec import loader_registry
from graphrec.errors import UnknownNameError
from graphrec.ingest import LoadConfig, unlink_source, write_source
from graphrec.store import EmbeddedServer, Store, connect
from graphrec.tables import GraphTables
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

from .films import source
from .generated import Made, made_by_hand, sources
from .loads import A, B
from .snapshot import graph_of


@pytest.fixture
def embedded_store(embedded: EmbeddedServer) -> Iterator[Store]:
    """The embedded store, emptied, for what takes too long twice."""
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        yield store


@pytest.fixture
def real(data_root: Path) -> Callable[[str, str], GraphTables]:
    """A function that reads a data set; the test is skipped where it is not on this machine."""

    def read(loader: str, name: str) -> GraphTables:
        if not (data_root / name).is_dir():
            pytest.skip(f"no folder {name}; set GRAPHREC_DATA to the folder that has it")
        return loader_registry.get(loader).load(data_root / name)

    return read


def undone(store: Store, first: GraphTables, second: GraphTables, home: Path) -> None:
    """Load two sources and take the second out, then the first: each time exactly what was there is left."""
    write_source(store, first)
    before = graph_of(store)
    write_source(store, second)
    between = graph_of(store)
    name = second.sources[0].name
    foretold = unlink_source(store, name, home, dry_run=True)
    assert graph_of(store) == between
    done = unlink_source(store, name, home)
    assert foretold.written == done.written
    assert graph_of(store) == before
    unlink_source(store, first.sources[0].name, home)
    assert graph_of(store) == ({}, {})


def test_taking_out_what_came_last_gives_what_was_there(store: Store, tmp_path: Path) -> None:
    undone(store, A, B, tmp_path)
    if store.embedded or EVERYTHING:
        undone(store, B, A, tmp_path)


@NEO4J_IS_SLOW
def test_a_third_source_that_linked_two_others_leaves_them_apart_again(store: Store, tmp_path: Path) -> None:
    a = source("a", [("1", "Kingdom, The (Riget)", 1994, None)], [("u", "1", 1.0, 1)])
    c = source("c", [("1", "The Kingdom", 1994, 9)], [("w", "1", 3.0, 1)], users=[("w", "w@x")])
    undone(store, a, c, tmp_path)
    b = source("b", users=[("x", "u@x"), ("y", "w@x")], friends=[("x", "y")])
    for tables in (a, c):
        write_source(store, tables)
    before = graph_of(store)
    write_source(store, b)
    unlink_source(store, "b", tmp_path)
    assert graph_of(store) == before


@NEO4J_IS_SLOW
def test_what_was_made_by_hand_is_left(store: Store, tmp_path: Path) -> None:
    store.write("CREATE (:Item {id: '1', title: 'Heat', year: 1995, mine: true})-[:OWNED_BY]->(:Shop {id: 's'})")
    before = graph_of(store)
    write_source(store, A)
    store.write("MATCH (i:Item {id: '2'}) SET i.shelf = 4 CREATE (i)-[:OWNED_BY]->(:Shop {id: 't'})")
    foretold = unlink_source(store, "a", tmp_path, dry_run=True)
    done = unlink_source(store, "a", tmp_path)
    assert foretold.kept == done.kept == {"Item": 1}
    assert foretold.written == done.written
    assert {each.name: each.deleted for each in done.written}["Item"] == 1  # Brazil; Heat was there before
    nodes, edges = graph_of(store)
    assert nodes >= before[0]
    assert edges >= before[1]
    (left,) = store.read("MATCH (i:Item)-[:OWNED_BY]->(:Shop {id: 't'}) RETURN properties(i) AS properties")
    assert left["properties"] == {"id": "2", "shelf": 4}
    assert store.read("MATCH (n) RETURN count(n) AS n") == [{"n": 4}]


@NEO4J_IS_SLOW
def test_recommendations_hold_no_node_back(store: Store, tmp_path: Path) -> None:
    write_source(store, A)
    store.write("MATCH (u:User), (i:Item) CREATE (u)-[:RECOMMENDED {rank: 1}]->(i)")
    unlink_source(store, "a", tmp_path)
    assert graph_of(store) == ({}, {})


@NEO4J_IS_SLOW
def test_impressions_hold_no_node_back_and_stay_on_nodes_of_other_sources(store: Store, tmp_path: Path) -> None:
    write_source(store, source("b", [("1", "Heat", 1995, 170)], users=[("w", "w@x")]))
    store.write("MATCH (u:User), (i:Item) CREATE (u)-[:SHOWN {run: 'r', rank: 1, timestamp: 5}]->(i)")
    before = graph_of(store)
    write_source(store, A)
    store.write(
        "MATCH (u:User), (i:Item) WHERE NOT EXISTS { (u)-[:SHOWN]->(i) } "
        "CREATE (u)-[:SHOWN {run: 'r', rank: 1, timestamp: 6}]->(i), (u)-[:RECOMMENDED {rank: 1}]->(i)"
    )
    done = unlink_source(store, "a", tmp_path)
    assert done.kept == {}
    assert graph_of(store) == before


def test_a_user_that_other_programs_hold_loses_the_properties_of_the_source(store: Store, tmp_path: Path) -> None:
    write_source(store, A)
    store.write("MATCH (u:User {email: 'u@x'}) SET u.embedding = [0.5] CREATE (u)-[:OWNS]->(:Car {id: 'c'})")
    done = unlink_source(store, "a", tmp_path)
    assert done.kept == {"User": 1}
    assert {each.name: each.deleted for each in done.written}["User"] == 1
    (left,) = store.read("MATCH (u:User) RETURN properties(u) AS properties")
    assert left["properties"] == {"id": "u"}


@NEO4J_IS_SLOW
def test_a_source_that_the_graph_does_not_have(store: Store, tmp_path: Path) -> None:
    write_source(store, source("films"))
    with pytest.raises(UnknownNameError, match="there is no .*source.* 'film'; did you mean films"):
        unlink_source(store, "film", tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_films_of_two_releases(
    embedded_store: Store, real: Callable[[str, str], GraphTables], tmp_path: Path
) -> None:
    small = real("movielens", "ml-latest-small")
    old = real("movielens", "ml-100k")
    old = replace(old, sources=(replace(old.sources[0], name="ml-100k"),))
    undone(embedded_store, small, old, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_sources_of_people_who_trust(
    embedded_store: Store, real: Callable[[str, str], GraphTables], tmp_path: Path
) -> None:
    undone(embedded_store, real("filmtrust", "filmtrust"), real("ciao", "ciao"), tmp_path)


STORED = settings(
    deadline=None,
    max_examples=8 if EVERYTHING else 2,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)


def check_stored(store: Store, made: list[Made], loads: list[GraphTables], order: list[int], home: Path) -> None:
    """Order, loading twice and taking out, with dry runs beside."""

    def graph(tables: list[GraphTables]) -> None:
        store.write("MATCH (n) DETACH DELETE n")
        for each in made:
            store.write(
                f"CREATE (n:{each.label} {{id: $id}}) SET n += $properties",
                {"id": each.id, "properties": each.properties},
            )
        for each_tables in tables:
            foretold = write_source(store, each_tables, LoadConfig(dry_run=True)) if EVERYTHING else None
            loaded = write_source(store, each_tables)
            assert foretold is None or foretold.written == loaded.written

    graph([loads[at] for at in order])
    other = graph_of(store)
    graph(loads[:2])
    before = graph_of(store)
    write_source(store, loads[2])
    after = graph_of(store)
    assert after == other
    again = write_source(store, loads[1])
    assert {(each.created, each.changed, each.deleted) for each in again.written} <= {(0, 0, 0)}
    assert graph_of(store) == after
    foretold = unlink_source(store, loads[2].sources[0].name, home, dry_run=True)
    assert unlink_source(store, loads[2].sources[0].name, home).written == foretold.written
    assert graph_of(store) == before


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@STORED
@given(made_by_hand(), sources(3), st.permutations(range(3)))
def test_generated_sources(
    embedded_store: Store, home: Path, made: list[Made], loads: list[GraphTables], order: list[int]
) -> None:
    check_stored(embedded_store, made, loads, order, home)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@settings(STORED, max_examples=60)
@given(made_by_hand(), sources(3), st.permutations(range(3)))
def test_many_generated_sources(
    store: Store, home: Path, made: list[Made], loads: list[GraphTables], order: list[int]
) -> None:
    check_stored(store, made, loads, order, home)
