"""Compare the lists to publish with those in the graph: a new version writes only the lists that differ."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.publishing.lists import Columns, StoredList, TargetLists, find_starts_with_lists, read_lists
from graphrec.schema import EdgeType
from graphrec.store import Store
from graphrec.store.edges import Integers
from graphrec.store.read import MISSING

#: Maximum number of layers of a version, since readers search all of them; beyond it the smallest are rewritten.
MAX_LAYERS = 32

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ListDiff:
    """The lists of a type in the graph, compared with the target lists.

    Attributes:
        kind: their type.
        ids: the start nodes that have a list in any layer [N].
        layers: for each start node the layers that have a list of it.
        target: the position of its target list [N], −1 if it has none.
        current: the position, among the layers of the current version, of the layer that its list is read from [N], −1
            if it has none.
        unchanged: whether that list equals the target list and so is not written again [N].
    """

    kind: EdgeType
    ids: Sequence[str]
    layers: Sequence[tuple[int, ...]]
    target: Integers
    current: Integers
    unchanged: Bools

    def find_changed(self, target_lists: TargetLists) -> Integers:
        """The positions of the target lists that must be written."""
        changed = np.ones(len(target_lists), dtype=bool)
        changed[self.target[self.unchanged]] = False
        return np.flatnonzero(changed)

    def layer_sizes(self, num_layers: int) -> Integers:
        """The number of unchanged lists in each layer of the current version [num_layers]."""
        return np.bincount(self.current[self.unchanged], minlength=num_layers)

    def with_rewritten(self, positions: Collection[int]) -> "ListDiff":
        """The same diff with all lists in these layers of the current version counted as changed."""
        unchanged = self.unchanged & ~np.isin(self.current, list(positions))
        return ListDiff(self.kind, self.ids, self.layers, self.target, self.current, unchanged)

    def find_withdrawn(self, layers: Collection[int]) -> list[str]:
        """The start nodes without a target list that have a list in one of the layers of the new version."""
        without_list = np.flatnonzero((self.target < 0) & ~self.unchanged).tolist()
        read = {*layers}
        return [self.ids[at] for at in without_list if not read.isdisjoint(self.layers[at])]

    @property
    def num_withdrawn(self) -> int:
        """The number of start nodes that have a list in the current version and no target list."""
        return int(((self.target < 0) & (self.current >= 0) & ~self.unchanged).sum())


def compare_lists(
    store: Store,
    kind: EdgeType,
    starts: Sequence[str],
    layers: Sequence[int],
    withdrawn: Collection[str],
    target_lists: TargetLists | None,
) -> ListDiff:
    """Compare the lists in the graph with the target lists; if `target_lists` is None, all current lists stay.

    `starts` are all start nodes of the graph, `layers` the layers of the current version, newest first, and `withdrawn`
    the start nodes that have no list in it.
    """
    starts = find_starts_with_lists(store, kind, starts)
    order = {layer: position for position, layer in enumerate(layers)}
    columns = target_lists.columns() if target_lists is not None and starts else {}
    ids: list[str] = []
    layers_of: list[tuple[int, ...]] = []
    target, current, unchanged = [], [], []
    interned: dict[tuple[int, ...], tuple[int, ...]] = {}  # one tuple for each combination of layers saves memory
    for piece in read_lists(store, kind if target_lists is None else target_lists.edges.kind, starts):
        lists_of: dict[str, list[StoredList]] = {}
        for stored in piece:
            lists_of.setdefault(stored.start, []).append(stored)
        positions = (
            [-1] * len(lists_of)
            if target_lists is None
            else target_lists.edges.starts.get_indexer(pd.Index(list(lists_of), dtype=object)).tolist()
        )
        for (start, lists), position in zip(lists_of.items(), positions, strict=True):
            own_layers = tuple(sorted(stored.layer for stored in lists))
            read = None if start in withdrawn else min(lists, key=lambda each: order.get(each.layer, len(order)))
            layer = -1 if read is None else order.get(read.layer, -1)
            ids.append(start)
            layers_of.append(interned.setdefault(own_layers, own_layers))
            target.append(position)
            current.append(layer)
            if target_lists is None or read is None or layer < 0 or position < 0:
                unchanged.append(target_lists is None and layer >= 0)
            else:
                unchanged.append(_is_same_list(read.columns, columns, target_lists, position))
    numbers = np.array([target, current], dtype=np.int64)
    return ListDiff(kind, ids, layers_of, numbers[0], numbers[1], np.array(unchanged, dtype=bool))


def rewrite_small_layers(diff: ListDiff, layers: Sequence[int]) -> ListDiff:
    """The diff with the lists of the smallest layers counted as changed, so that at most MAX_LAYERS layers remain."""
    sizes = diff.layer_sizes(len(layers))
    read = np.flatnonzero(sizes)
    surplus = len(read) + 1 - MAX_LAYERS
    return (
        diff if surplus <= 0 else diff.with_rewritten(read[np.argsort(sizes[read], kind="stable")[:surplus]].tolist())
    )


def _is_same_list(stored: Columns, target: Columns, lists: TargetLists, position: int) -> bool:
    """Whether a stored list has the items, order and other properties of a target list, and scores equal as float32."""
    begin, stop = lists.offsets[position], lists.offsets[position + 1]
    size, ranks = int(stop - begin), stored["rank"]
    if len(ranks) != size or set(ranks) != set(range(1, size + 1)):
        return False
    order = sorted(range(size), key=ranks.__getitem__)
    for name in ("t", *lists.edges.kind.properties):
        expected = target[name][begin:stop]
        values = [stored[name][at] for at in order]
        values = [None if value == MISSING else value for value in values] if MISSING in values else values
        if values != expected and not (name == "score" and _has_same_scores(values, expected)):
            return False
    return True


def _has_same_scores(first: Sequence[float | None], second: Sequence[float | None]) -> bool:
    return None not in first and np.array_equal(np.array(first, dtype=np.float32), np.array(second, dtype=np.float32))
