"""Checks rules against a graph: every name they use must exist, and the database must accept every predicate."""

from collections.abc import Iterable

import pandas as pd

from graphrec.errors import DataError, UnknownNameError
from graphrec.reranking.item_features import evaluate_predicate
from graphrec.reranking.predicate import find_names
from graphrec.reranking.spec import RerankingRules
from graphrec.schema import ITEM, USER
from graphrec.store import Store, counts
from graphrec.store.connection import quote


def require_applicable(rules: RerankingRules, store: Store) -> None:
    """Raise an error with the rule's name unless the graph has every name that the rules use.

    Each predicate is evaluated for one user and one item.

    Raises:
        UnknownNameError: the graph has no such label, relationship type or property; the message offers the nearest.
        DataError: the database rejects a predicate.
    """
    known = _GraphNames(store)
    sample = _read_one_pair(store)
    for rule in rules.predicates:
        used = find_names(rule.where)
        known.require(rule.title, used.labels, used.relations, used.properties)
        evaluate_predicate(store, rule, sample)
    for cap in rules.cap:
        if cap.property:
            known.require(cap.title, properties=[(ITEM, cap.property)])
        else:
            known.require(cap.title, [cap.label], [cap.relation])
    if (recency := rules.recency) is not None:
        if recency.property:
            known.require(recency.title, properties=[(ITEM, recency.property)])
        else:
            known.require(recency.title, relations=[recency.behaviour], properties=[(recency.behaviour, "timestamp")])


class _GraphNames:
    """The labels, relationship types and properties of a graph."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._labels, self._relations = counts.known_labels(store), counts.known_relations(store)

    def require(
        self,
        rule: str,
        labels: Iterable[str] = (),
        relations: Iterable[str] = (),
        properties: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Raise UnknownNameError for the first name that the graph does not have."""
        for kind, names, known in (("label", labels, self._labels), ("relationship", relations, self._relations)):
            for name in names:
                if name not in known:
                    raise UnknownNameError(kind, name, known, owner=f"{rule}: the graph")
        for owner, name in properties:
            if not self._has(owner, name):
                raise UnknownNameError("property", name, self._read_properties(owner), owner=f"{rule}: {owner}")

    def _has(self, owner: str, name: str) -> bool:
        """Whether any node or edge of a label or type has the property; the query stops at the first."""
        pattern = self._pattern(owner)
        return bool(self._store.read(f"MATCH {pattern} WHERE x.{quote(name)} IS NOT NULL RETURN 1 AS one LIMIT 1"))

    def _read_properties(self, owner: str) -> list[str]:
        rows = self._store.read(f"MATCH {self._pattern(owner)} UNWIND keys(x) AS name RETURN DISTINCT name")
        return sorted(row["name"] for row in rows)

    def _pattern(self, owner: str) -> str:
        return f"(x:{quote(owner)})" if owner in self._labels else f"()-[x:{quote(owner)}]->()"


def _read_one_pair(store: Store) -> pd.DataFrame:
    """A table of one user and one item. Raises DataError if the graph has no items."""
    items = store.read(f"MATCH (n:{ITEM}) RETURN n.id AS id LIMIT 1")
    users = store.read(f"MATCH (n:{USER}) RETURN n.id AS id LIMIT 1")
    if not items:
        raise DataError("the graph has no items, so no rule can apply; load some first")
    user = users[0]["id"] if users else ""
    return pd.DataFrame({"user_id": [user], "item_id": [items[0]["id"]]})
