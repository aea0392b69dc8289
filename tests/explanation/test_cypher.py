"""The Cypher of an explanation, pasted as it is, returns exactly the paths that it names, on both stores."""

from dataclasses import replace
from typing import Any

import pytest

from graphrec.explanation import add_titles, as_cypher, explain
from graphrec.explanation.cypher import build_patterns, literal
from graphrec.explanation.labels import counted_behaviours
from graphrec.explanation.model import Explanation, Node, Path
from graphrec.ingest import write_source
from graphrec.runs import TrainedRun
from graphrec.store import Store
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

from . import worlds

PAIRS = (
    ("O'Hara \\{}", "Item2"),
    ("User5", 'a "quoted" `item`'),
    ("User9", "Item12"),
    ("User3", "Item4"),
    ("User13", "Item15"),
)


def ids(path: Any) -> list[str]:  # a path of the driver
    return [node["id"] for node in path.nodes]


def pieces(path: Path) -> list[list[str]]:
    """The ids of the nodes of the pieces of a path; where it goes over a text, each end has a piece of its own."""
    found: list[list[str]] = [[]]
    for place, node in enumerate(path.nodes):
        if node.is_text:
            found += [[path.nodes[place - 1].id], [path.nodes[place + 1].id], []]
        else:
            found[-1].append(node.id)
    texts = any(node.is_text for node in path.nodes)
    return [piece for place, piece in enumerate(found) if not texts or len(piece) > 1 or place % 3]


def test_the_statement_returns_exactly_the_named_paths(store: Store, trained: TrainedRun) -> None:
    write(store)
    kinds: set[str] = set()
    # Neo4j takes seconds to plan such a statement; the second pair has paths of every kind.
    for user, item in PAIRS if store.embedded or EVERYTHING else PAIRS[1:2]:
        found = add_titles(explain(trained, user, item, 15), store, counted_behaviours(trained))
        rows = store.read(as_cypher(found))
        returned: dict[int, list[Any]] = {}
        for row in rows:
            returned.setdefault(row["number"], []).append(row["path"])
        if not found.paths:
            assert [ids(row["path"]) for row in rows] == [[user], [item]]
            continue
        assert sorted(returned) == list(range(1, len(found.paths) + 1))
        for number, path in enumerate(found.paths, start=1):
            assert not any(step.gone for step in path.steps)
            texts = any(node.is_text for node in path.nodes)
            got = [ids(one) for one in returned[number]]
            assert len(got) == len(pieces(path))
            for piece in pieces(path):  # the node at the other end of a text is any that has it
                assert any(piece == one or (texts and piece == one[:1] and len(one) == 2) for one in got)
            types = {edge.type for one in returned[number] for edge in one.relationships}
            assert types <= {relation for step in path.steps for relation in step.relations}
            kinds |= types
    assert {"PURCHASED", "FRIEND", "FOLLOWS", "IN_GENRE", "LIVES_IN", "TAGGED"} <= kinds


@NEO4J_IS_SLOW
def test_titles_and_relationships_are_those_of_the_graph(store: Store, trained: TrainedRun) -> None:
    write(store)
    found = add_titles(explain(trained, "User3", "Item4", 40), store, counted_behaviours(trained))
    assert found.item.title == "The Item4"
    real = {
        (row["u"], row["i"]): set(row["t"])
        for row in store.read(
            "MATCH (u:User)-[r]->(i:Item) RETURN u.id AS u, i.id AS i, collect(DISTINCT type(r)) AS t"
        )
    }
    for path in found.paths:
        for before, step, after in zip(path.nodes, path.steps, path.nodes[1:], strict=False):
            if step.forward is not None and before.label != after.label:
                pair = (before.id, after.id) if step.forward else (after.id, before.id)
                assert set(step.relations) == real[pair] & {"PURCHASED", "VIEWED", "TAGGED"}
    path = found.paths[0]
    store.write("MATCH (:User {id: $u})-[r]->() DETACH DELETE r", {"u": found.user.id})
    again = add_titles(explain(trained, "User3", "Item4", 40), store, counted_behaviours(trained))
    assert any(step.gone for step in again.paths[0].steps)
    assert again.paths[0].contribution == path.contribution


def write(store: Store) -> None:
    write_source(store, worlds.tables())


@pytest.mark.parametrize(
    "text", ["it's", "back\\slash", "line\nfeed", "tab\t", "\u2028", "naïve 😀", "\x07", "$x {y} `z`"]
)
def test_any_text_can_stand_in_a_statement(store: Store, text: str) -> None:
    assert store.read(f"RETURN {literal(text)} AS text") == [{"text": text}]


def test_a_jump_divides_the_pattern(trained: TrainedRun) -> None:
    found: Explanation = explain(trained, "User3", "Item4", 1)
    user, item = found.user, found.item
    near = Node("Item", "it's")
    steps = found.paths[0].steps
    path = Path((user, near, item), (replace(steps[0], relations=("LIKES IT",)), replace(steps[0], relations=())), 0.5)
    assert build_patterns(path) == [
        ("(:User {id: row.n0})-[:`LIKES IT`]->(:Item {id: row.n1})", ["User3", "it's"]),
        ("(:Item {id: row.n0})", ["Item4"]),
    ]
