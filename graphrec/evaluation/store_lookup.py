"""Lookups of an evaluation in the store: duplicate nodes and titles of items."""

from collections.abc import Iterable, Mapping

from graphrec.evaluation.audit import alias_groups
from graphrec.evaluation.preparation import Aliases
from graphrec.evaluation.result import ExampleUser
from graphrec.hetero import HeteroGraph
from graphrec.store import Store
from graphrec.store.connection import quote

#: Properties that may contain the title of a node, in order of precedence.
TITLES = ("title", "name")


def aliases(store: Store, graph: HeteroGraph) -> Aliases:
    """By label the group numbers [num_nodes] of users and items: nodes from the same record of a source share one."""
    groups: Aliases = {}
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
            groups[label] = alias_groups(ids, [keys.get(id_, []) for id_ in ids])
    return groups


def titles(store: Store, graph: HeteroGraph, examples: Iterable[ExampleUser]) -> Mapping[str, str]:
    """The titles of the items of some examples, by id; items without a title are left out."""
    users = list(examples)
    items = {item for e in users for item in (*e.history, *e.wanted, *(s.item for s in e.shown))}
    items |= {r.steps[index] for e in users for s in e.shown for r in s.reasons for index in r.items}
    properties = ", ".join(f"n.{name}" for name in TITLES)
    rows = store.read(
        f"MATCH (n:{quote(graph.target[2])}) WHERE n.id IN $ids AND coalesce({properties}) IS NOT NULL "
        f"RETURN n.id AS id, toString(coalesce({properties})) AS title",
        {"ids": sorted(items)},
    )
    return {row["id"]: row["title"] for row in rows}
