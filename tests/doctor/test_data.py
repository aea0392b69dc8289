"""The doctor's checks of store and data: each finds its planted defect, and is silent without it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from graphrec.doctor import FAILED, OK, WARNING, Finding, data
from graphrec.doctor import store as about_store
from graphrec.evaluation.memory_estimate import Shape
from graphrec.fusion.provenance import SourceManifest
from graphrec.schema import EdgeType, NodeType
from graphrec.store import Store
from graphrec.store.lease import hold_lease
from graphrec.store.nodes import ensure_constraint
from graphrec.store.sources import save_source
from graphrec.tables import Source
from tests.sizes import NEO4J_IS_SLOW

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = int(NOW.timestamp())

#: Nothing is wrong here; the label Other belongs to somebody else.
SOUND = f"""
CREATE (a:User {{id: 'a', keys: ['one:a', 'two:9']}}), (b:User {{id: 'b', keys: ['one:b']}}),
       (x:Item {{id: 'x', keys: ['one:x']}}), (:Other {{name: 'theirs'}}),
       (a)-[:RATED {{source: 'one', timestamp: {SECONDS}}}]->(x), (b)-[:TAGGED {{source: 'one', timestamp: 5}}]->(x),
       (a)-[:FRIEND {{source: 'one'}}]->(b),
       (:Source {{id: 'one', status: 'loaded'}}), (:Run {{id: 'r', version: 1, status: 'published'}}),
       (a)-[:RECOMMENDED {{version: 1, score: 0.5, rank: 1}}]->(x)
"""


def findings(store: Store, writing: bool = False) -> dict[str, Finding]:
    return {finding.name: finding for finding in data.examine(store, NOW, writing)}


def test_nothing_is_wrong_with_a_sound_graph_or_an_empty_one(store: Store) -> None:
    empty = findings(store)
    assert {finding.state for finding in empty.values()} == {OK}
    assert empty["size"].remedy.startswith("run graphrec sniff FILES…")
    store.write(SOUND)
    sound = findings(store)
    assert {finding.state for finding in sound.values()} == {OK}
    assert sound["size"].seen == "6 nodes and 4 edges"
    assert sound["nodes without id"].seen == "no Other node has one; graphrec ignores them"
    assert sound["edges without source"].seen == "none"


@pytest.mark.parametrize(
    ("plant", "name", "state", "seen", "remedy"),
    [
        (
            "CREATE (:Item)",
            "nodes without id",
            FAILED,
            "1 of 2 Item nodes have none",
            "MATCH (n:`Item`) WHERE n.id IS NULL RETURN n",
        ),
        (
            'UNWIND [1, 2, 3] AS k CREATE (:Twin {id: "it\'s"})',
            "duplicate ids",
            FAILED,
            "1 id of Twin (it's) on more than one node",
            r"MATCH (n:`Twin`) WHERE n.id = 'it\'s' RETURN n",
        ),
        (
            "CREATE (:User {id: 'c', keys: ['two:9']})",
            "duplicate keys",
            FAILED,
            "1 key of User (two:9) on more than one node",
            "MATCH (n:`User`) WHERE 'two:9' IN n.keys RETURN n",
        ),
        (
            "CREATE (c:User {id: 'c'}), (:Item {id: 'y'}), (:Item {id: 'z'}) WITH c MATCH (x:Item {id: 'x'}) "
            "CREATE (c)-[:RECOMMENDED {version: 1}]->(x)",
            "orphans",
            WARNING,
            "1 of 3 Users without behaviour, 2 of 3 Items without behaviour",
            "load behaviour",
        ),
        (
            "MATCH (a:User {id: 'a'}), (x:Item) CREATE (a)-[:VIEWED]->(x), (a)-[:VIEWED]->(x)",
            "edges without source",
            OK,
            "2 VIEWED: not written by a load",
            "",
        ),
        (
            f"MATCH (a:User {{id: 'a'}}), (x:Item) CREATE (a)-[:VIEWED {{timestamp: {SECONDS + 90_000}}}]->(x)",
            "times in the future",
            WARNING,
            "1 VIEWED (up to 2026-01-02)",
            "correct these times",
        ),
        (
            f"MATCH (a:User {{id: 'a'}}), (x:Item) CREATE (a)-[:VIEWED {{timestamp: {SECONDS * 1000 - 9}}}]->(x)",
            "times in the future",
            FAILED,
            "1 VIEWED look like milliseconds",
            "r.timestamp / 1000",
        ),
        (
            "CREATE (:Source {id: 'two', status: 'loading'})",
            "loads",
            WARNING,
            "two was interrupted",
            "graphrec load two again",
        ),
        (
            "CREATE (:Run {id: 's', status: 'publishing'})",
            "published runs",
            WARNING,
            "s was interrupted",
            "graphrec publish s again",
        ),
        (
            f"MATCH (a:User {{id: 'a'}}), (x:Item) CREATE (a)-[:SHOWN {{timestamp: {SECONDS}}}]->(x), "
            "(a)-[:SHOWN]->(x), "
            "(a)-[:SHOWN {timestamp: 'noon'}]->(x), (a)-[:SHOWN {timestamp: datetime('2026-01-01T00:00:00Z')}]->(x)",
            "impressions",
            WARNING,
            "3 of 4 SHOWN edges without Unix seconds as timestamp",
            "WHERE NOT coalesce(r.timestamp < 1e99, false) RETURN r",
        ),
        (
            "MATCH (run:Run) DETACH DELETE run",
            "recommendations of deleted runs",
            WARNING,
            "1 recommendation of version 1, whose run is not in the graph",
            "publish a run again",
        ),
    ],
)
def test_a_planted_defect_is_found_and_nothing_else(
    store: Store, plant: str, name: str, state: str, seen: str, remedy: str
) -> None:
    store.write(SOUND)
    store.write(plant)
    found = findings(store)
    assert found[name].state == state
    assert seen in found[name].seen
    assert remedy in found[name].remedy
    others = {other: finding.state for other, finding in found.items() if other not in (name, "orphans")}
    assert set(others.values()) == {OK}


def test_zero_ratings_and_the_sizes_that_decide_the_memory(store: Store) -> None:
    store.write(
        "CREATE (u:User {id: 'u'}), (g:Genre {id: 'g'}) WITH u, g UNWIND range(0, 7) AS n "
        "WITH u, g, n, [0, 0, 0, 0, 1, 5, 7, 10][n] AS mark "
        "CREATE (i:Item {id: toString(n)}), (u)-[:RATED {rating: mark}]->(i), (i)-[:IN_GENRE]->(g), "
        "(u)-[:RECOMMENDED {version: 1}]->(i) "
        "WITH DISTINCT u, g CREATE (new:Item {id: 'new'}), (new)-[:IN_GENRE]->(g), "
        "(u)-[:RECOMMENDED {version: 1}]->(new), (u)-[:SHOWN]->(new)"
    )
    found = data.check_zero_ratings(store, ["RATED", "IN_GENRE"])
    assert found.state == WARNING
    assert found.seen.startswith("4 of 8 RATED edges have the rating 0 and the others 1 to 10")
    assert "[edges.VIEWED]" in found.remedy
    assert data.measure_shape(store) == Shape(1, 9, 27, 64 + 1 + 81, 8)


@NEO4J_IS_SLOW
def test_what_is_under_way_is_not_cut_off(store: Store) -> None:
    store.write("CREATE (:Source {id: 'two', status: 'loading'}), (:Run {id: 's', status: 'publishing'})")
    found = findings(store, writing=True)
    assert (found["loads"].state, found["loads"].seen) == (OK, "two is in progress")
    assert (found["published runs"].state, found["published runs"].seen) == (OK, "s is in progress")


def test_times_of_other_types_are_left_alone(store: Store) -> None:
    store.write(SOUND)
    store.write(
        "MATCH (a:User {id: 'a'}), (x:Item) CREATE (a)-[:VIEWED {timestamp: '2099-01-01'}]->(x), "
        "(a)-[:VIEWED {timestamp: date('2099-01-01')}]->(x), (a)-[:VIEWED {timestamp: 7.5}]->(x)"
    )
    assert findings(store)["times in the future"].state == OK


def test_the_remedy_for_milliseconds_works(store: Store) -> None:
    store.write(SOUND)
    store.write(f"MATCH (a:User {{id: 'a'}}), (x:Item) CREATE (a)-[:VIEWED {{timestamp: {SECONDS * 1000}}}]->(x)")
    store.write(findings(store)["times in the future"].remedy.removeprefix("divide them: "))
    assert findings(store)["times in the future"].state == OK


def test_constraints(store: Store) -> None:
    store.write("CREATE (:Held {id: '1', keys: ['one:1']}), (:Loose {id: '1', keys: ['one:1']}), (:Theirs {id: '1'})")
    ensure_constraint(store, "Held")
    finding = about_store.check_constraints(store)
    assert (finding.state, finding.seen) == (WARNING, "no constraint makes the ids of Loose unique")
    assert "CREATE CONSTRAINT FOR (n:`Loose`) REQUIRE n.id IS UNIQUE" in finding.remedy
    store.write("MATCH (n:Loose) DELETE n")
    assert about_store.check_constraints(store).state == OK


@pytest.mark.parametrize(
    ("found", "state"),
    [("Neo4j Kernel 5.26.30", OK), ("Neo4j Kernel 2026.01.1", OK), ("Neo4j Kernel 5.25.9", FAILED)],
)
def test_the_version_of_the_server(found: str, state: str) -> None:
    assert about_store.check_version(found, "it answers").state == state


LINE = "2026-11-24 20:47:03.662 {level} [HttpServer] <ArcadeDB_0> {text}\n"


@pytest.mark.parametrize(
    ("text", "state", "seen"),
    [
        (LINE.format(level="INFO ", text="ERROR is only a word here"), OK, "no errors"),
        (LINE.format(level="SEVER", text="Disk is full") * 2, WARNING, "2 errors, the last: Disk is full"),
        (LINE.format(level="ERROR", text="Broken"), WARNING, "1 error, the last: Broken"),
        ("java.lang.OutOfMemoryError: Java heap space\n", FAILED, "out of memory"),
    ],
)
def test_the_log_of_the_server(tmp_path: Path, text: str, state: str, seen: str) -> None:
    path = tmp_path / "server.log"
    assert about_store.check_log(path).seen == "there is no log"
    path.write_text(text)
    finding = about_store.check_log(path)
    assert finding.state == state
    assert seen in finding.seen


def test_a_graph_that_never_had_what_a_check_is_about(store: Store) -> None:
    assert data.check_orphans(store, []).state == OK
    assert data.check_vanished_runs(store, []).state == OK
    assert data.check_unfinished(store, "loads", "NeverHeardOf", "loading", False).state == OK
    store.write("CREATE (:User {id: 'a'})")
    assert data.check_orphans(store, []).seen == "1 of 1 User without behaviour"


def test_doubled_edges_are_found_with_what_mends_them(store: Store) -> None:
    rated, tagged = (
        EdgeType("User", "RATED", "Item", ("rating",)),
        EdgeType("User", "TAGGED", "Item", ("tag",), ("tag",)),
    )
    save_source(store, SourceManifest(Source("shop"), (NodeType("User"), NodeType("Item")), (rated, tagged)), "loaded")
    store.write(
        "CREATE (a:User {id: 'a'}), (x:Item {id: 'x'}), (y:Item {id: 'y'}) "
        "CREATE (a)-[:RATED {source: 'shop', rating: 1.0}]->(x), (a)-[:RATED {source: 'other', rating: 1.0}]->(x), "
        "(a)-[:TAGGED {source: 'shop', tag: 'p'}]->(x), (a)-[:TAGGED {source: 'shop', tag: 'q'}]->(x), "
        "(a)-[:TAGGED {source: 'shop', tag: 'p'}]->(y), (a)-[:TAGGED {source: 'shop'}]->(y)"
    )
    assert data.check_doubled_edges(store).state == OK
    store.write(
        "MATCH (a:User {id: 'a'}), (x:Item {id: 'x'}) CREATE (a)-[:RATED {source: 'shop', rating: 2.0}]->(x), "
        "(a)-[:TAGGED {source: 'shop', tag: 'p'}]->(x)"
    )
    found = data.check_doubled_edges(store)
    assert (found.state, found.seen) == (FAILED, "1 RATED of shop, 1 TAGGED of shop too many")
    assert "run graphrec load shop again" in found.remedy


@NEO4J_IS_SLOW
def test_the_lease_of_a_writer(store: Store) -> None:
    assert about_store.check_lease(store).seen == "no process is writing"
    with hold_lease(store, "load of shop"):
        finding = about_store.check_lease(store)
        assert finding.state == WARNING
        assert finding.seen.startswith("load of shop by ")
        store.write("MATCH (l:WriteLease) SET l.renewed = 0")
        left = about_store.check_lease(store)
        assert (left.state, left.seen[:21]) == (OK, "left by load of shop ")
        assert data.check_size(store, []).seen == "the graph is empty"


@NEO4J_IS_SLOW
def test_rejected_events_of_streams_are_counted(store: Store) -> None:
    store.write(
        "UNWIND [['clicks', true], ['clicks', false], ['orders', false]] AS row "
        "CREATE (:RejectedEvent {id: toString(rand()), stream: row[0], held: row[1]})"
    )
    found = findings(store)["rejected events"]
    assert (found.state, found.seen) == (WARNING, "2 of clicks, 1 of them held, 1 of orders, 0 of them held")
    assert "graphrec rejected list" in found.remedy
