"""Cold-start items: items added to the graph after a run was trained, with the attributes its model can score."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from graphrec.relations import Origin
from graphrec.runs import TrainedRun
from graphrec.schema import ITEM, TEXT_EMBEDDING, USER
from graphrec.store import Store, counts
from graphrec.store.connection import Row, quote
from graphrec.store.read import read_ids
from graphrec.vocabulary import IndexArray, Vocabulary

#: Seconds after which new items are read again even if the number of items is unchanged.
CACHE_SECONDS = 600.0


@dataclass(frozen=True, eq=False)
class ItemRows:
    """Ids of n items, and by item-attribute relation their rows [n, num_values] over the run's vocabulary; their text
    vectors [n, dim] as `text_embedding` if the run's model reads them."""

    ids: tuple[str, ...] = ()
    attributes: Mapping[str, sparse.csr_array] = field(default_factory=dict)


class NewItems:
    """The items that a run does not know, read again whenever the number of items in the graph has changed."""

    def __init__(self, store: Store, trained: TrainedRun) -> None:
        self._store, self._trained = store, trained
        self.items = ItemRows()
        self._num_items, self._read_at = -1, 0.0

    def current(self) -> ItemRows:
        """The new items that are in the graph now."""
        num_items = counts.num_nodes(self._store, ITEM)
        if num_items != self._num_items or time.monotonic() - self._read_at > CACHE_SECONDS:
            self.refresh(self._store)
            self._num_items, self._read_at = num_items, time.monotonic()
        return self.items

    def refresh(self, store: Store) -> None:
        """Read the new items into `items` now."""
        self.items = read_new_items(store, self._trained)


def read_new_items(store: Store, trained: TrainedRun) -> ItemRows:
    """The items of a graph that a run does not know and that have an attribute or a text vector that it can read."""
    ids = read_ids(store, ITEM)
    new = ids[trained.items.find_positions(ids) < 0]
    if not len(new):
        return ItemRows()
    items = Vocabulary.of(ITEM, sorted(map(str, new)))
    rows = {
        origin.name: _count_rows(_read_attributes(store, origin, list(items.ids)), items, origin.values)
        for origin in trained.origins
        if origin.kind == "item_attributes" and origin.values is not None
    }
    if dim := trained.model.text_dim:
        rows[TEXT_EMBEDDING] = _read_vectors(store, items, dim)
    described = np.zeros(len(items), dtype=np.int64)
    for matrix in rows.values():
        described += np.diff(matrix.indptr)
    kept: IndexArray = np.flatnonzero(described)
    return ItemRows(tuple(items.id(kept)), {name: matrix[kept] for name, matrix in rows.items()})


def _read_vectors(store: Store, items: Vocabulary, dim: int) -> sparse.csr_array:
    """The text vectors [len(items), dim] float32; those of another length, of another encoder, are left out."""
    found = store.read(
        f"UNWIND $ids AS id MATCH (item:{ITEM} {{id: id}}) WHERE size(item.{TEXT_EMBEDDING}) = $dim "
        f"RETURN item.id AS item, item.{TEXT_EMBEDDING} AS vector",
        {"ids": list(items.ids), "dim": dim},
    )
    vectors = np.zeros((len(items), dim), dtype=np.float32)
    if found:
        vectors[items.find_positions([str(each["item"]) for each in found])] = [each["vector"] for each in found]
    return sparse.csr_array(vectors)


def _read_attributes(store: Store, origin: Origin, ids: list[str]) -> list[Row]:
    """Records item, value, number: the edges of an item-attribute relation at some items, counted per value."""
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


def _count_rows(rows: list[Row], items: Vocabulary, values: Vocabulary) -> sparse.csr_array:
    """Counts [len(items), len(values)] float32; values that the run does not know are left out."""
    row = items.find_positions([str(each["item"]) for each in rows])
    column = values.find_positions([str(each["value"]) for each in rows])
    number = np.array([each["number"] for each in rows], dtype=np.float32)
    kept = column >= 0
    shape = (len(items), len(values))
    return sparse.csr_array((number[kept], (row[kept], column[kept])), shape=shape)
