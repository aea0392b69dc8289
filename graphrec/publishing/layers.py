"""All lists of one kind while a version is published: what stands there, what is written beside it, what goes."""

from collections.abc import Iterator, Sequence

import numpy as np

from graphrec.publishing.diff import compare_lists, rewrite_small_layers
from graphrec.publishing.lists import TargetLists
from graphrec.publishing.versions import Version, read_withdrawn
from graphrec.publishing.write import Nodes, ObsoleteLists, mark_withdrawn, remove_lists, write_lists
from graphrec.schema import EdgeType
from graphrec.store import Store
from graphrec.store.read import Progress


class LayeredLists:
    """The lists of a kind in all layers, as they are found and then changed.

    `below` is the version that is read now. Where no lists are `wanted`, those that are read stay.
    """

    def __init__(
        self,
        store: Store,
        kind: EdgeType,
        wanted: TargetLists | None,
        below: Version | None,
        nodes: Nodes,
        progress: Progress,
    ) -> None:
        self.store, self.kind, self.wanted, self.nodes, self.progress = store, kind, wanted, nodes, progress
        layers = () if below is None else below.layers
        withdrawn = frozenset[str]() if below is None else read_withdrawn(store, below.id, kind.source)
        found = compare_lists(store, kind, [*nodes[kind.source]], layers, withdrawn, wanted)
        if wanted is not None and len(found.find_changed(wanted)):
            found = rewrite_small_layers(found, layers)
        self.diff = found
        self.changed = np.array([], dtype=np.int64) if wanted is None else found.find_changed(wanted)
        #: the layers below that are still read from
        self.layers_read = {layers[at] for at in np.unique(found.shown[found.same])}
        self._layers = list(found.layers)  # of each start node, kept as they change

    @property
    def layers(self) -> set[int]:
        """All layers in which lists stand."""
        return set().union(*set(self._layers))

    @property
    def has_changes(self) -> bool:
        """Whether a new version has other lists than the one below."""
        return bool(len(self.changed) or self.diff.num_withdrawn)

    def write(self, version: str, layers: Sequence[int]) -> int:
        """Write the lists that a version of these layers has to write, into the first of them, and say how many edges
        there are."""
        number = 0
        if self.wanted is not None:
            number = write_lists(self.store, self.wanted, self.changed, layers[0], self.nodes, self.progress)
            written = np.zeros(len(self.wanted) + 1, dtype=bool)  # the last for −1, no list
            written[self.changed] = True
            for at in np.flatnonzero(written[self.diff.place]):
                self._layers[at] = (layers[0], *self._layers[at])
        mark_withdrawn(self.store, self.kind.source, self.diff.find_withdrawn(layers), version)
        return number

    def remove(self, kept: Sequence[Version]) -> tuple[int, int]:
        """Delete the lists that none of the kept versions shows, in batches; how many lists and edges they were."""
        obsolete = list(self._find_obsolete(kept))
        edges = remove_lists(self.store, self.kind, obsolete, self.progress)
        return sum(len(layers) for _, layers in obsolete), edges

    def _find_obsolete(self, kept: Sequence[Version]) -> Iterator[ObsoleteLists]:
        withdrawn = [read_withdrawn(self.store, version.id, self.kind.source) for version in kept]
        shown: dict[tuple[int, ...], list[int | None]] = {}  # what each version shows where a node has these layers
        for at, layers in enumerate(self._layers):
            if layers not in shown:
                shown[layers] = [next((each for each in version.layers if each in layers), None) for version in kept]
            id_ = self.diff.ids[at]
            stay = {layer for layer, without in zip(shown[layers], withdrawn, strict=True) if id_ not in without}
            if gone := tuple(layer for layer in layers if layer not in stay):
                self._layers[at] = tuple(layer for layer in layers if layer in stay)
                yield id_, gone
