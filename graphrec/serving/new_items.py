"""Items that came into the graph after a run was trained, with the attributes by which its model can score them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from graphrec.relations import Origin
from graphrec.runs import TrainedRun
from graphrec.schema import ITEM, USER
from graphrec.store import Store
from graphrec.store.connection import Row, quote
from graphrec.store.read import read_ids
from graphrec.vocabulary import IndexArray, Vocabulary

#: Where the number of items stays the same, new ones are looked for after so many seconds again.
SECONDS_KEPT = 600.0

_COUNT = f"MATCH (item:{ITEM}) RETURN count(item) AS number"


@dataclass(frozen=True, eq=False)
class FreshItems:
    """The ids of items that a run does not know, and their rows [n, num_values] of item-attribute relations."""

    ids: tuple[str, ...] = ()
    attributes: Mapping[str, sparse.csr_array] = field(default_factory=dict)


class NewItems:
    """The fresh items of a run, looked for again when the number of items in the graph has changed."""

    def __init__(self, store: Store, trained: TrainedRun) -> None:
        self._store, self._trained = store, trained
        self._found, self._number, self._made = FreshItems(), -1, 0.0

    def items(self) -> FreshItems:
        """Those that there are now."""
        number = int(self._store.read(_COUNT)[0]["number"])
        if number != self._number or time.monotonic() - self._made > SECONDS_KEPT:
            self._found, self._number, self._made = fresh_items(self._store, self._trained), number, time.monotonic()
        return self._found


def fresh_items(store: Store, trained: TrainedRun) -> FreshItems:
    """The items of a graph that a run does not know and that have an attribute which it does."""
    ids = read_ids(store, ITEM)
    new = ids[trained.items.places(ids) < 0]
    if not len(new):
        return FreshItems()
    items = Vocabulary.of(ITEM, sorted(map(str, new)))
    rows = {
        origin.name: _rows(_read(store, origin, list(items.ids)), items, origin.values)
        for origin in trained.origins
        if origin.kind == "item_attributes" and origin.values is not None
    }
    described = np.zeros(len(items), dtype=np.int64)
    for matrix in rows.values():
        described += np.diff(matrix.indptr)
    kept: IndexArray = np.flatnonzero(described)
    return FreshItems(tuple(items.id(kept)), {name: matrix[kept] for name, matrix in rows.items()})


def _read(store: Store, origin: Origin, ids: list[str]) -> list[Row]:
    """Records of item, value and number of the edges of a relation that new items have."""
    source, relation, target = origin.triple
    if origin.text:
        start, value = f"(:{USER})-[edge:{quote(relation)}]->(item)", f"edge.{quote(origin.text)}"
    elif source == ITEM:
        start, value = f"(item)-[:{quote(relation)}]->(value:{quote(target)})", "value.id"
    else:
        start, value = f"(item)<-[:{quote(relation)}]-(value:{quote(source)})", "value.id"
    return store.read(
        f"UNWIND $ids AS id MATCH (item:{ITEM} {{id: id}}) MATCH {start} WHERE {value} IS NOT NULL "
        f"RETURN item.id AS item, {value} AS value, count(*) AS number",
        {"ids": ids},
    )


def _rows(rows: list[Row], items: Vocabulary, values: Vocabulary) -> sparse.csr_array:
    """Counts [len(items), len(values)] float32 of texts, of nodes ones; values that the run does not know left out."""
    row = items.places([str(each["item"]) for each in rows])
    column = values.places([str(each["value"]) for each in rows])
    number = np.array([each["number"] for each in rows], dtype=np.float32)
    kept = column >= 0
    shape = (len(items), len(values))
    return sparse.csr_array((number[kept], (row[kept], column[kept])), shape=shape)
