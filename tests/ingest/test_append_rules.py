"""A file that is appended gives what its rows and those that were loaded before give together, by every rule."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec import ingest
from graphrec.errors import DataError, GraphrecError, RefusedError
from graphrec.ingest import LoadConfig, Loaded
from graphrec.store import Store
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

TOML = """name = "log"
[nodes.Item]
file = "items.csv"
id = "item"
properties = ["title", {{ name = "year", type = "int" }}]
repeated = "{nodes}"
[edges.LISTENED]
file = "rows.csv"
from = "User:user"
to = "Item:item"
properties = [{{ name = "rating", type = "float" }}]
weight = {{ name = "count", type = "int" }}
time = {{ column = "at", unit = "s" }}
dangling = "{dangling}"
{rule}
[edges.FRIEND]
file = "friends.csv"
from = "User:a"
to = "User:b"
repeated = "first"
"""
#: The ways in which repeated edges become one.
RULES = (
    'repeated = "first"',
    'repeated = "last"',
    'repeated = "first"\nby = "timestamp"',
    'repeated = "last"\nby = "timestamp"',
    'repeated = "max"\nby = "rating"',
    'repeated = "sum"',
    'repeated = "sum"\nby = "timestamp"\ncombined = ["count", "rating"]',
    'repeated = "last"\nkey = ["rating"]',
)
HEADERS = {"items": "item,title,year", "rows": "user,item,rating,count,at", "friends": "a,b"}
Rows = dict[str, list[str]]


def load(store: Store, folder: Path, rows: Rows, rule: str = RULES[5], append: bool = False, **how: str) -> Loaded:
    """Load, or append, the rows of each file; a file without rows has a header alone."""
    folder.mkdir(exist_ok=True)
    again = how.pop("again", "") == "yes"
    form = {"nodes": "last", "dangling": "refuse", "rule": rule, **how}
    (folder / "log.toml").write_text(TOML.format(**form))
    for name, header in HEADERS.items():
        (folder / f"{name}.csv").write_text("\n".join([header, *rows.get(name, [])]) + "\n")
    options = LoadConfig(append=append, allow_removal=not append, again=again)
    return ingest.load(store, "table", folder / "log.toml", folder, options)


def edges(store: Store, relation: str = "LISTENED") -> list[dict[str, Any]]:
    found = store.read(f"MATCH (u)-[r:{relation}]->(i) RETURN u.id AS u, i.id AS i, properties(r) AS properties")
    return sorted(found, key=json.dumps)


def shown(store: Store) -> Any:
    """Nodes and edges without the Source."""
    nodes = store.read("MATCH (n) WHERE NOT n:Source RETURN labels(n) AS labels, properties(n) AS properties")
    return sorted(nodes, key=json.dumps), edges(store), edges(store, "FRIEND")


def listened(store: Store) -> list[tuple[Any, ...]]:
    names = ("rating", "count", "timestamp")
    return [(row["u"], row["i"], *(row["properties"].get(name) for name in names)) for row in edges(store)]


ITEMS = {"items": ["i1,Heat,1995", "i2,Alien,1979"]}


@NEO4J_IS_SLOW
def test_counts_add_up_and_the_same_rows_not_twice(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, {**ITEMS, "rows": ["u1,i1,,3,1500000000"]})
    days: list[Rows] = [
        {"rows": ["u1,i1,,2,1500000001", "u2,i1,,1,1500000002"]},
        {"rows": ["u2,i1,,4,1500000003"]},
    ]
    for day in days:
        load(store, tmp_path, day, append=True)
    expected = [("u1", "i1", None, 5, 1500000001), ("u2", "i1", None, 5, 1500000003)]
    assert listened(store) == expected
    for day in days:  # every earlier append is remembered
        with pytest.raises(RefusedError, match=r"the same rows were appended to log before.*--again"):
            load(store, tmp_path, day, append=True)
    assert listened(store) == expected
    load(store, tmp_path, days[0], append=True, again="yes")
    assert [row[3] for row in listened(store)] == [7, 6]
    load(store, tmp_path, {**ITEMS, **days[0]})
    load(store, tmp_path, days[0], append=True)  # the file that is the whole source was not appended to it
    assert [row[3] for row in listened(store)] == [4, 2]


@NEO4J_IS_SLOW
def test_an_append_of_sums_that_was_cut_off_is_not_guessed(store: Store, tmp_path: Path) -> None:
    rows = {**ITEMS, "rows": ["u1,i1,,3,1500000000"]}
    load(store, tmp_path, rows)
    store.write("MATCH (s:Source) SET s.appending = 'x', s.status = 'loading'")
    with pytest.raises(RefusedError, match="was interrupted.*load all files of the source together"):
        load(store, tmp_path, {"rows": ["u1,i1,,2,1500000001"]}, append=True)
    with pytest.raises(RefusedError, match="was interrupted"):
        load(store, tmp_path, {"rows": ["u1,i1,,2,1500000001"]}, append=True, again="yes")
    load(store, tmp_path, {}, RULES[3], append=True)  # nothing is summed here
    store.write("MATCH (s:Source) SET s.appending = 'x'")
    load(store, tmp_path, rows)
    load(store, tmp_path, {"rows": ["u1,i1,,2,1500000001"]}, append=True)
    assert [row[3] for row in listened(store)] == [5]


#: The rating that is kept by each of the first RULES where a late row says 1.
KEPT = {RULES[0]: 5.0, RULES[1]: 1.0, RULES[2]: 1.0, RULES[3]: 5.0, RULES[4]: 5.0}


@NEO4J_IS_SLOW
def test_a_late_row_counts_as_the_rule_says(store: Store, tmp_path: Path) -> None:
    head, _, edge = TOML.partition("[edges.LISTENED]")
    edge = edge.partition("[edges.FRIEND]")[0]
    tables = [f"[edges.BY_{number}]{edge}".replace("{rule}", rule) for number, rule in enumerate(KEPT)]
    (tmp_path / "log.toml").write_text("".join([head, *tables]).format(nodes="last", dangling="refuse"))
    (tmp_path / "items.csv").write_text("\n".join([HEADERS["items"], *ITEMS["items"]]) + "\n")

    def take(row: str, append: bool) -> Loaded:
        (tmp_path / "rows.csv").write_text(f"{HEADERS['rows']}\n{row}\n")
        return ingest.load(store, "table", tmp_path / "log.toml", tmp_path, LoadConfig(append=append))

    take("u1,i1,5,1,1500000010", append=False)
    for again in (False, True):
        written = take("u1,i1,1,1,1400000000", append=True).written
        for number, kept in enumerate(KEPT.values()):
            (found,) = edges(store, f"BY_{number}")
            assert found["properties"]["rating"] == kept, [*KEPT][number]
        assert any(each.created or each.changed or each.deleted for each in written) is not again


@NEO4J_IS_SLOW
def test_refused_repeats_are_refused_unless_they_say_the_same(store: Store, tmp_path: Path) -> None:
    rows = {**ITEMS, "rows": ["u1,i1,5,1,1500000010"]}
    load(store, tmp_path, rows, "")
    before = shown(store)
    load(store, tmp_path, rows, "", append=True, nodes="refuse")
    with pytest.raises(
        DataError, match=r"LISTENED: 1 of 1 appended rows .*u1 → i1: rating 5.0 in the graph, 4.0 in the"
    ):
        load(store, tmp_path, {"rows": ["u1,i1,4,1,1500000010"]}, "", append=True)
    with pytest.raises(DataError, match=r"Item: 1 of 2 appended rows .*i1: title 'Heat' in the graph, 'Heat 2' in"):
        load(store, tmp_path, {"items": ["i1,Heat 2,", "i2,,"]}, "", append=True, nodes="refuse")
    with pytest.raises(DataError, match="identified by their ends alone, the appended ones by rating"):
        load(store, tmp_path, rows, RULES[7], append=True)
    assert shown(store) == before


@NEO4J_IS_SLOW
def test_edges_end_at_nodes_that_the_graph_has_of_the_source(store: Store, tmp_path: Path) -> None:
    store.write("CREATE (:Item {id: 'i1'}), (:Item {id: 'i9'})")  # so that log's own is called log:i1
    load(store, tmp_path, {**ITEMS, "rows": ["u1,i1,,1,1500000000"]})
    for dangling in ("refuse", "drop"):
        day = {"rows": [f"u{len(dangling)},i2,,1,1500000000", f"u{len(dangling)},i1,,1,1500000000"]}
        load(store, tmp_path, day, append=True, dangling=dangling)
    assert [row[:2] for row in listened(store)] == [
        *(("u1", "log:i1"), ("u4", "i2"), ("u4", "log:i1"), ("u6", "i2"), ("u6", "log:i1")),
    ]
    assert store.read("MATCH (i:Item {id: 'i2'}) RETURN i.title AS title, i.year AS year") == [
        {"title": "Alien", "year": 1979}
    ]
    foreign = {"rows": ["u1,i9,,1,1500000000", "u9,i1,,1,1500000000"]}  # i9 is none of this source's
    with pytest.raises(GraphrecError, match="i9"):
        load(store, tmp_path, foreign, append=True)
    assert load(store, tmp_path, foreign, append=True, dangling="drop").cleaning.dropped == 1
    with pytest.raises(DataError, match="none of its 1 rows can be kept"):
        load(store, tmp_path, {"rows": ["u1,i9,,1,1500000000"]}, append=True, dangling="drop")


@NEO4J_IS_SLOW
@pytest.mark.parametrize(("nodes", "title", "year"), [("first", "Heat", 1995), ("last", "Heat 2", 1995)])
def test_nodes_take_the_first_or_last_value_that_is_there(
    nodes: str, title: str, year: int, store: Store, tmp_path: Path
) -> None:
    load(store, tmp_path, {"items": ["i1,Heat,", "i2,,1979"]}, nodes=nodes)
    load(store, tmp_path, {"items": ["i1,Heat 2,1995", "i2,Alien,"]}, append=True, nodes=nodes)
    found = store.read("MATCH (i:Item) RETURN i.id AS id, i.title AS title, i.year AS year ORDER BY id")
    assert [tuple(row.values()) for row in found] == [("i1", title, year), ("i2", "Alien", 1979)]


def test_options_that_count_all_rows_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="load all files together without append"):
        ingest.load(store, "movielens", None, tmp_path, LoadConfig(append=True, min_interactions=2))


CELL = {
    "rating": st.sampled_from(["", "1", "4.5"]),
    "count": st.sampled_from(["", "1", "2"]),
    "at": st.sampled_from(["", "1500000000", "1500000001"]),
}
ROW = st.tuples(st.sampled_from("ab"), st.sampled_from(["i1", "i2"]), *CELL.values()).map(",".join)
FRIENDS = st.tuples(st.sampled_from("abc"), st.sampled_from("abc")).map(",".join)


QUICK = settings(deadline=None, max_examples=4 if EVERYTHING else 2, suppress_health_check=[*HealthCheck])
PARTS = {
    "rule": st.sampled_from(RULES),
    "rows": st.lists(ROW, min_size=1, max_size=8),
    "friends": st.lists(FRIENDS, max_size=4),
    "cut": st.integers(0, 8),
    "pair": st.integers(0, 4),
}


def need_one_file(
    store: Store, folder: Path, rule: str, rows: list[str], friends: list[str], cut: int, pair: int
) -> None:
    """That a file loaded in two parts, the second appended, is as it is loaded whole."""
    if "key" in rule:
        rows = [row for row in rows if row.split(",")[2]] or ["a,i1,1,1,1500000000"]
    store.write("MATCH (n) DETACH DELETE n")
    load(store, folder, {**ITEMS, "rows": rows, "friends": friends}, rule)
    expected = shown(store)
    store.write("MATCH (n) DETACH DELETE n")
    load(store, folder, {**ITEMS, "rows": rows[:cut], "friends": friends[:pair]}, rule)
    load(store, folder, {"rows": rows[cut:], "friends": friends[pair:]}, rule, append=True)
    assert shown(store) == expected


@NEO4J_IS_SLOW
@QUICK
@given(**PARTS)
def test_a_file_in_two_parts_is_one_file(store: Store, tmp_path: Path, **parts: Any) -> None:
    need_one_file(store, tmp_path, **parts)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(QUICK, max_examples=150)
@given(**PARTS)
def test_a_file_in_two_parts_is_one_file_in_the_long_run(store: Store, tmp_path: Path, **parts: Any) -> None:
    need_one_file(store, tmp_path, **parts)
