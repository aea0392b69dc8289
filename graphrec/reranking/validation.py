"""Whether a graph has what rules speak of, and understands their predicates."""

from collections.abc import Iterable

import pandas as pd

from graphrec.errors import DataError, UnknownNameError
from graphrec.reranking.item_features import holds
from graphrec.reranking.predicate import names
from graphrec.reranking.spec import RerankingRules
from graphrec.schema import ITEM, USER
from graphrec.store import Store, counts
from graphrec.store.connection import quote


def check(rules: RerankingRules, store: Store) -> None:
    """Raise an error with the rule's name if it names what the graph does not have, or is not understood.

    Each predicate is tried on one item and one user.

    Raises:
        UnknownNameError: a label, relationship type or property that the graph does not have; it names the nearest.
        DataError: the database does not understand a predicate.
    """
    known = _Known(store)
    trial = _trial(store)
    for rule in rules.predicates:
        used = names(rule.where)
        known.need(rule.title, used.labels, used.relations, used.properties)
        holds(store, rule, trial)
    for cap in rules.cap:
        if cap.property:
            known.need(cap.title, properties=[(ITEM, cap.property)])
        else:
            known.need(cap.title, [cap.label], [cap.relation])
    if (recency := rules.recency) is not None:
        if recency.property:
            known.need(recency.title, properties=[(ITEM, recency.property)])
        else:
            known.need(recency.title, relations=[recency.behaviour], properties=[(recency.behaviour, "timestamp")])


class _Known:
    """The names that a graph has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._labels, self._relations = counts.known_labels(store), counts.known_relations(store)

    def need(
        self,
        rule: str,
        labels: Iterable[str] = (),
        relations: Iterable[str] = (),
        properties: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Raise UnknownNameError for the first name that the graph does not have."""
        for kind, wanted, known in (("label", labels, self._labels), ("relationship", relations, self._relations)):
            for name in wanted:
                if name not in known:
                    raise UnknownNameError(f"{kind} for {rule}", name, known)
        for owner, name in properties:
            if not self._has(owner, name):
                raise UnknownNameError(f"property of {owner} for {rule}", name, self._properties(owner))

    def _has(self, owner: str, name: str) -> bool:
        """Whether a node or edge has the property; looked up one by one, which ends at the first that has."""
        pattern = self._pattern(owner)
        return bool(self._store.read(f"MATCH {pattern} WHERE x.{quote(name)} IS NOT NULL RETURN 1 AS one LIMIT 1"))

    def _properties(self, owner: str) -> list[str]:
        rows = self._store.read(f"MATCH {self._pattern(owner)} UNWIND keys(x) AS name RETURN DISTINCT name")
        return sorted(row["name"] for row in rows)

    def _pattern(self, owner: str) -> str:
        return f"(x:{quote(owner)})" if owner in self._labels else f"()-[x:{quote(owner)}]->()"


def _trial(store: Store) -> pd.DataFrame:
    """One user and one item. Raises DataError where the graph has no items."""
    items = store.read(f"MATCH (n:{ITEM}) RETURN n.id AS id LIMIT 1")
    users = store.read(f"MATCH (n:{USER}) RETURN n.id AS id LIMIT 1")
    if not items:
        raise DataError("the graph has no items, so there is nothing that rules could be for; load some first")
    user = users[0]["id"] if users else ""
    return pd.DataFrame({"user_id": [user], "item_id": [items[0]["id"]]})
