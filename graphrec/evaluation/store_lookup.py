"""What an evaluation asks of the store beside the graph: which nodes are one thing, and what things are called."""

from collections.abc import Iterable, Mapping

from graphrec.evaluation.audit import alias_groups
from graphrec.evaluation.preparation import Aliases
from graphrec.evaluation.result import ExampleUser
from graphrec.hetero import HeteroGraph
from graphrec.store import Store
from graphrec.store.connection import quote

#: Properties that say what a thing is called, the first that a node has.
TITLES = ("title", "name")


def aliases(store: Store, graph: HeteroGraph) -> Aliases:
    """Numbers [num_nodes] for users and items, the same for nodes that were made from the same record of a source."""
    found: Aliases = {}
    for label in dict.fromkeys((graph.target[0], graph.target[2])):
        rows = store.read(
            f"MATCH (n:{quote(label)}) WHERE n.keys IS NOT NULL UNWIND n.keys AS key "
            "WITH key, collect(DISTINCT n.id) AS ids WHERE size(ids) > 1 RETURN key, ids"
        )
        keys: dict[str, list[str]] = {}
        for row in rows:
            for id_ in row["ids"]:
                keys.setdefault(id_, []).append(row["key"])
        if keys:
            ids = list(graph.vocabularies[label].ids)
            found[label] = alias_groups(ids, [keys.get(id_, []) for id_ in ids])
    return found


def titles(store: Store, graph: HeteroGraph, examples: Iterable[ExampleUser]) -> Mapping[str, str]:
    """What the items of some examples are called, by id; those without a title are left out."""
    shown = list(examples)
    items = {item for e in shown for item in (*e.history, *e.wanted, *(s.item for s in e.shown))}
    items |= {r.steps[place] for e in shown for s in e.shown for r in s.reasons for place in r.items}
    named = ", ".join(f"n.{name}" for name in TITLES)
    rows = store.read(
        f"MATCH (n:{quote(graph.target[2])}) WHERE n.id IN $ids AND coalesce({named}) IS NOT NULL "
        f"RETURN n.id AS id, toString(coalesce({named})) AS title",
        {"ids": sorted(items)},
    )
    return {row["id"]: row["title"] for row in rows}
