"""What a new version has to write: the lists that are not already read so from the version below it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.publishing.lists import Cells, StoredList, TargetLists, find_starts_with_lists, read_lists
from graphrec.schema import EdgeType
from graphrec.store import Store
from graphrec.store.edges import Integers
from graphrec.store.read import MISSING

#: Readers look through the layers of the active version, so there are at most so many; then the smallest are written
#: anew.
MAX_LAYERS = 32

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ListDiff:
    """The lists that the graph has of a kind, beside those that are wanted.

    Attributes:
        kind: their type.
        ids: the start nodes that have lists in any layer [N].
        layers: for each of them the layers that have one.
        place: the position of its list among the wanted [N], −1 where there is none.
        shown: the position of the layer that it is read from in the layers of the version below [N], −1 for none.
        same: whether that list stays as it is [N].
    """

    kind: EdgeType
    ids: Sequence[str]
    layers: Sequence[tuple[int, ...]]
    place: Integers
    shown: Integers
    same: Bools

    def find_changed(self, wanted: TargetLists) -> Integers:
        """The positions of the wanted lists that the graph does not have yet."""
        new = np.ones(len(wanted), dtype=bool)
        new[self.place[self.same]] = False
        return np.flatnonzero(new)

    def layer_sizes(self, num_layers: int) -> Integers:
        """How many lists that stay are read from each layer of the version below [num_layers]."""
        return np.bincount(self.shown[self.same], minlength=num_layers)

    def _without(self, positions: Collection[int]) -> "ListDiff":
        """The survey in which no list stays that is read from these layers of the version below."""
        stays = self.same & ~np.isin(self.shown, list(positions))
        return ListDiff(self.kind, self.ids, self.layers, self.place, self.shown, stays)

    def find_withdrawn(self, layers: Collection[int]) -> list[str]:
        """The start nodes that are to have no list, but would have one in these layers of the new version."""
        none = np.flatnonzero((self.place < 0) & ~self.same).tolist()
        wanted = {*layers}
        return [self.ids[at] for at in none if not wanted.isdisjoint(self.layers[at])]

    @property
    def num_withdrawn(self) -> int:
        """How many start nodes have a list in the version below and are to have none."""
        return int(((self.place < 0) & (self.shown >= 0) & ~self.same).sum())


def compare_lists(
    store: Store,
    kind: EdgeType,
    starts: Sequence[str],
    layers: Sequence[int],
    withdrawn: Collection[str],
    wanted: TargetLists | None,
) -> ListDiff:
    """What the graph has of a kind, and which of it stays.

    `starts` are all its start nodes, `layers` those of the version below, and `withdrawn` the start nodes that have no
    list in it. Where nothing is `wanted`, all that is read stays.
    """
    starts = find_starts_with_lists(store, kind, starts)
    order = {layer: position for position, layer in enumerate(layers)}
    cells = wanted.cells() if wanted is not None and starts else {}
    ids: list[str] = []
    has: list[tuple[int, ...]] = []
    place, shown, same = [], [], []
    known: dict[tuple[int, ...], tuple[int, ...]] = {}  # each combination of layers once, however many nodes have it
    for piece in read_lists(store, kind if wanted is None else wanted.edges.kind, starts):
        found: dict[str, list[StoredList]] = {}
        for stored in piece:
            found.setdefault(stored.start, []).append(stored)
        at = (
            [-1] * len(found)
            if wanted is None
            else wanted.edges.starts.get_indexer(pd.Index(list(found), dtype=object)).tolist()
        )
        for (start, lists), position in zip(found.items(), at, strict=True):
            mine = tuple(sorted(stored.layer for stored in lists))
            read = None if start in withdrawn else min(lists, key=lambda each: order.get(each.layer, len(order)))
            layer = -1 if read is None else order.get(read.layer, -1)
            ids.append(start)
            has.append(known.setdefault(mine, mine))
            place.append(position)
            shown.append(layer)
            if wanted is None or read is None or layer < 0 or position < 0:
                same.append(wanted is None and layer >= 0)
            else:
                same.append(_is_same_list(read.cells, cells, wanted, position))
    numbers = np.array([place, shown], dtype=np.int64)
    return ListDiff(kind, ids, has, numbers[0], numbers[1], np.array(same, dtype=bool))


def rewrite_small_layers(found: ListDiff, layers: Sequence[int]) -> ListDiff:
    """The survey in which so many lists of the smallest layers are to be written anew that few layers are left."""
    sizes = found.layer_sizes(len(layers))
    read = np.flatnonzero(sizes)
    surplus = len(read) + 1 - MAX_LAYERS
    return found if surplus <= 0 else found._without(read[np.argsort(sizes[read], kind="stable")[:surplus]].tolist())


def _is_same_list(stored: Cells, wanted: Cells, lists: TargetLists, position: int) -> bool:
    """Whether a stored list has the same items in the same order, scores equal as float32, and the same of all else."""
    begin, stop = lists.offsets[position], lists.offsets[position + 1]
    size, ranks = int(stop - begin), stored["rank"]
    if len(ranks) != size or set(ranks) != set(range(1, size + 1)):
        return False
    order = sorted(range(size), key=ranks.__getitem__)
    for name in ("t", *lists.edges.kind.properties):
        theirs = wanted[name][begin:stop]
        mine = [stored[name][at] for at in order]
        mine = [None if value == MISSING else value for value in mine] if MISSING in mine else mine
        if mine != theirs and not (name == "score" and _has_same_scores(mine, theirs)):
            return False
    return True


def _has_same_scores(mine: Sequence[float | None], theirs: Sequence[float | None]) -> bool:
    return None not in mine and np.array_equal(np.array(mine, dtype=np.float32), np.array(theirs, dtype=np.float32))
