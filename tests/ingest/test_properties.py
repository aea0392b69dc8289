"""What holds of fusion whatever the sources say: no order, no loss, and everything can be undone. Without a database.

Rules that are not one to one are left out here: two records of one source can become one node by them, whose edges and
values nobody can tell apart again, so neither taking the other source out nor another order gives exactly the same.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphrec.store.edges import to_python
from graphrec.tables import GraphTables
from tests.sizes import EVERYTHING

from .generated import Made, made_by_hand, several_to_one, sources
from .simulated import Graph

#: A load takes 50 ms, so a failure is shrunk only in the long run.
QUICK = settings(
    deadline=None, max_examples=8 if EVERYTHING else 2, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
)
LONG = settings(QUICK, max_examples=300, phases=[Phase.generate, Phase.shrink])
#: Rows more than the timeout of a usual test.
LONG_SECONDS = 1_800


def loaded(made: list[Made], loads: list[GraphTables]) -> Graph:
    graph = Graph.of(made)
    for tables in loads:
        graph.load(tables)
    return graph


def said_edges(tables: GraphTables) -> Counter[tuple[Any, ...]]:
    """The edges of a source between keys."""
    source = tables.sources[0].name
    found: Counter[tuple[Any, ...]] = Counter()
    for table in tables.edges:
        kind = table.type
        columns = [to_python(table.frame[name]) for name in ("source_id", "target_id", *kind.properties)]
        for start, end, *cells in zip(*columns, strict=True):
            there = tuple(sorted(pair for pair in zip(kind.properties, cells, strict=True) if pair[1] is not None))
            found[kind.triple, f"{source}:{start}", f"{source}:{end}", there] += 1
    return found


def stored_edges(graph: Graph, source: str) -> Counter[tuple[Any, ...]]:
    """The edges of a source between the keys of its records: each node has one of them at most."""
    found: Counter[tuple[Any, ...]] = Counter()
    for edge in graph.edges:
        if edge.source == source:
            keys = [
                next(key for key in node.properties["keys"] if key.startswith(f"{source}:"))
                for node in (edge.start, edge.end)
            ]
            found[(edge.start.label, edge.relation, edge.end.label), *keys, edge.properties] += 1
    return found


def need_whole(graph: Graph, made: list[Made], loads: list[GraphTables]) -> None:
    """Every record is on one node, every value of it can be read there, every edge is between its records, no more."""
    where: dict[tuple[str, str], dict[str, Any]] = {}
    for node in graph.nodes:
        keys = node.properties.get("keys", [f":{node.properties['id']}"])
        assert keys == sorted(keys)
        assert len({key.partition(":")[0] for key in keys}) == len(keys)
        for key in keys:
            assert (node.label, key) not in where
            where[node.label, key] = node.properties
    records = {(each.label, f":{each.id}"): each.properties for each in made}
    for tables in loads:
        source = tables.sources[0].name
        for table in tables.nodes:
            columns = [to_python(table.frame[name]) for name in table.type.properties]
            for id_, *cells in zip(table.frame["id"].tolist(), *columns, strict=True):
                records[table.type.label, f"{source}:{id_}"] = dict(zip(table.type.properties, cells, strict=True))
        assert stored_edges(graph, source) == said_edges(tables)
    assert where.keys() == records.keys()
    for (label, key), said in records.items():
        there, source = where[label, key], key.partition(":")[0]
        several = len(there.get("keys", [])) > 1
        for name, value in said.items():
            own = there.get(f"{source}:{name}", there.get(name) if not source else None)
            assert (own if several else there.get(name)) == value
            assert value is None or there[name] is not None


def check(made: list[Made], loads: list[GraphTables], other: list[GraphTables], again: int, out: int) -> None:
    graph = loaded(made, loads)
    need_whole(graph, made, loads)
    whole = graph.shown()
    assert loaded(made, other).shown() == whole  # the order makes no difference
    fused = graph.load(loads[again])
    assert graph.shown() == whole  # twice is once
    assert all(
        not plan.changed and plan.created.empty and plan.moved.empty and not plan.deleted for plan in fused.nodes
    )
    graph.unlink(loads[out].sources[0].name)
    assert graph.shown() == loaded(made, [*loads[:out], *loads[out + 1 :]]).shown()  # a source can be taken out


#: Three sources in `make test` would take seconds for each example.
SEVERAL = 3 if EVERYTHING else 2


@QUICK
@given(
    made_by_hand(),
    sources(SEVERAL),
    st.permutations(range(SEVERAL)),
    st.integers(0, SEVERAL - 1),
    st.integers(0, SEVERAL - 1),
)
def test_sources_in_any_order(
    made: list[Made], loads: list[GraphTables], order: list[int], again: int, out: int
) -> None:
    check(made, loads, [loads[at] for at in order], again, out)


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS)
@LONG
@given(made_by_hand(), sources(4), st.permutations(range(4)), st.integers(0, 3), st.integers(0, 3))
def test_four_sources_in_any_order(
    made: list[Made], loads: list[GraphTables], order: list[int], again: int, out: int
) -> None:
    check(made, loads, [loads[at] for at in order], again, out)


def changes(made: list[Made], loads: list[GraphTables], newer: GraphTables) -> None:
    graph = loaded(made, [*loads, newer])
    need_whole(graph, made, [loads[1], newer])
    assert graph.shown() == loaded(made, [newer, loads[1]]).shown()


@QUICK
@given(made_by_hand(), sources(2), sources(1))
def test_a_source_that_changed_is_as_if_it_had_always_been_so(
    made: list[Made], loads: list[GraphTables], newer: list[GraphTables]
) -> None:
    changes(made, loads, newer[0])


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS)
@LONG
@given(made_by_hand(), sources(2), sources(1))
def test_a_source_that_changed_is_as_if_it_had_always_been_so_in_the_long_run(
    made: list[Made], loads: list[GraphTables], newer: list[GraphTables]
) -> None:
    changes(made, loads, newer[0])


@QUICK
@given(made_by_hand(), sources(2))
def test_where_several_records_of_a_source_become_one_none_is_lost(made: list[Made], loads: list[GraphTables]) -> None:
    loads = [several_to_one(tables) for tables in loads]
    graph = loaded(made, loads)
    whole = graph.shown()
    keys = Counter(
        (node.label, key) for node in graph.nodes for key in node.properties.get("keys", [f":{node.properties['id']}"])
    )
    expected = [(each.label, f":{each.id}") for each in made]
    expected += [
        (table.type.label, f"{tables.sources[0].name}:{id_}")
        for tables in loads
        for table in tables.nodes
        for id_ in table.frame["id"]
    ]
    assert keys == Counter(expected)
    for tables in loads:
        assert {edge[:3] for edge in _ends(graph, tables)} == {edge[:3] for edge in _wanted(graph, tables)}
    graph.load(loads[1])
    assert graph.shown() == whole


def _ends(graph: Graph, tables: GraphTables) -> set[tuple[Any, ...]]:
    """The edges of a source between nodes, without direction where they have none and without properties."""
    undirected = {table.type.relation for table in tables.edges if table.type.undirected}
    found = set()
    for edge in graph.edges:
        if edge.source == tables.sources[0].name:
            ends = [(node.label, node.properties["id"]) for node in (edge.start, edge.end)]
            found.add((edge.relation, *(sorted(ends) if edge.relation in undirected else ends)))
    return found


def _wanted(graph: Graph, tables: GraphTables) -> set[tuple[Any, ...]]:
    holds = {(node.label, key): node for node in graph.nodes for key in node.properties.get("keys", [])}
    source, found = tables.sources[0].name, set()
    for table in tables.edges:
        kind = table.type
        for start, end in zip(table.frame["source_id"], table.frame["target_id"], strict=True):
            nodes = holds[kind.source, f"{source}:{start}"], holds[kind.target, f"{source}:{end}"]
            ends = [(node.label, node.properties["id"]) for node in nodes]
            if not (kind.undirected and ends[0] == ends[1]):
                found.add((kind.relation, *(sorted(ends) if kind.undirected else ends)))
    return found
