"""The lists of one type during a publication: compare with the graph, write changed lists, remove obsolete ones."""

from collections.abc import Iterator, Sequence

import numpy as np

from graphrec.progress import StageProgress
from graphrec.publishing.diff import compare_lists, rewrite_small_layers
from graphrec.publishing.lists import TargetLists
from graphrec.publishing.versions import Version, read_withdrawn
from graphrec.publishing.write import ElementIds, ObsoleteLists, mark_withdrawn, remove_lists, write_lists
from graphrec.schema import EdgeType
from graphrec.store import Store


class LayeredLists:
    """The lists of a type in all layers: first as they are in the graph, then as a publication changes them.

    `current` is the version that readers see now; if `target` is None, its lists stay.
    """

    def __init__(
        self,
        store: Store,
        kind: EdgeType,
        target: TargetLists | None,
        current: Version | None,
        nodes: ElementIds,
        progress: StageProgress,
    ) -> None:
        self.store, self.kind, self.target, self.nodes, self.progress = store, kind, target, nodes, progress
        layers = () if current is None else current.layers
        withdrawn = frozenset[str]() if current is None else read_withdrawn(store, current.id, kind.source)
        diff = compare_lists(store, kind, [*nodes[kind.source]], layers, withdrawn, target)
        if target is not None and len(diff.find_changed(target)):
            diff = rewrite_small_layers(diff, layers)
        self.diff = diff
        self.changed = np.array([], dtype=np.int64) if target is None else diff.find_changed(target)
        #: layers of the current version from which the new one reads unchanged lists
        self.layers_read = {layers[at] for at in np.unique(diff.current[diff.unchanged])}
        self._layers = list(diff.layers)  # of each start node, updated by `write` and `remove`

    @property
    def layers(self) -> set[int]:
        """All layers that contain lists."""
        return set().union(*set(self._layers))

    @property
    def has_changes(self) -> bool:
        """Whether the new version has other lists than the current one."""
        return bool(len(self.changed) or self.diff.num_withdrawn)

    def write(self, version: str, layers: Sequence[int]) -> int:
        """Write the changed lists into the first of the layers of a version; return the number of edges."""
        number = 0
        if self.target is not None:
            number = write_lists(self.store, self.target, self.changed, layers[0], self.nodes, self.progress)
            written = np.zeros(len(self.target) + 1, dtype=bool)  # the last entry is for −1, no list
            written[self.changed] = True
            for at in np.flatnonzero(written[self.diff.target]):
                self._layers[at] = (layers[0], *self._layers[at])
        mark_withdrawn(self.store, self.kind.source, self.diff.find_withdrawn(layers), version)
        return number

    def remove(self, kept: Sequence[Version]) -> tuple[int, int]:
        """Delete in batches the lists that no kept version shows; return the numbers of lists and edges."""
        obsolete = list(self._find_obsolete(kept))
        edges = remove_lists(self.store, self.kind, obsolete, self.progress)
        return sum(len(layers) for _, layers in obsolete), edges

    def _find_obsolete(self, kept: Sequence[Version]) -> Iterator[ObsoleteLists]:
        withdrawn = [read_withdrawn(self.store, version.id, self.kind.source) for version in kept]
        shown: dict[tuple[int, ...], list[int | None]] = {}  # layers of a node -> the layer that each version shows
        for at, layers in enumerate(self._layers):
            if layers not in shown:
                shown[layers] = [next((each for each in version.layers if each in layers), None) for version in kept]
            id_ = self.diff.ids[at]
            stay = {layer for layer, without in zip(shown[layers], withdrawn, strict=True) if id_ not in without}
            if gone := tuple(layer for layer in layers if layer not in stay):
                self._layers[at] = tuple(layer for layer in layers if layer in stay)
                yield id_, gone
