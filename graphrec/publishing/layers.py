"""All lists of one kind while a version is published: what stands there, what is written beside it, what goes."""

from collections.abc import Iterator, Sequence

import numpy as np

from graphrec.publishing.diff import compact, survey
from graphrec.publishing.lists import TargetLists
from graphrec.publishing.versions import Version, withdrawn_in
from graphrec.publishing.write import Doomed, Nodes, remove_lists, withdraw, write_lists
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
        withdrawn = frozenset[str]() if below is None else withdrawn_in(store, below.id, kind.source)
        found = survey(store, kind, [*nodes[kind.source]], layers, withdrawn, wanted)
        if wanted is not None and len(found.to_write(wanted)):
            found = compact(found, layers)
        self.survey = found
        self.chosen = np.array([], dtype=np.int64) if wanted is None else found.to_write(wanted)
        #: the layers below that are still read from
        self.read = {layers[at] for at in np.unique(found.shown[found.same])}
        self._layers = list(found.layers)  # of each start node, kept as they change

    @property
    def layers(self) -> set[int]:
        """All layers in which lists stand."""
        return set().union(*set(self._layers))

    @property
    def changes(self) -> bool:
        """Whether a new version has other lists than the one below."""
        return bool(len(self.chosen) or self.survey.lost)

    def write(self, version: str, layers: Sequence[int]) -> int:
        """Write the lists that a version of these layers has to write, into the first of them, and say how many edges
        there are."""
        number = 0
        if self.wanted is not None:
            number = write_lists(self.store, self.wanted, self.chosen, layers[0], self.nodes, self.progress)
            written = np.zeros(len(self.wanted) + 1, dtype=bool)  # the last for −1, no list
            written[self.chosen] = True
            for at in np.flatnonzero(written[self.survey.place]):
                self._layers[at] = (layers[0], *self._layers[at])
        withdraw(self.store, self.kind.source, self.survey.to_withdraw(layers), version)
        return number

    def remove(self, kept: Sequence[Version]) -> tuple[int, int]:
        """Delete the lists that none of the kept versions shows, in batches; how many lists and edges they were."""
        doomed = list(self._doomed(kept))
        edges = remove_lists(self.store, self.kind, doomed, self.progress)
        return sum(len(layers) for _, layers in doomed), edges

    def _doomed(self, kept: Sequence[Version]) -> Iterator[Doomed]:
        withdrawn = [withdrawn_in(self.store, version.id, self.kind.source) for version in kept]
        shown: dict[tuple[int, ...], list[int | None]] = {}  # what each version shows where a node has these layers
        for at, layers in enumerate(self._layers):
            if layers not in shown:
                shown[layers] = [next((each for each in version.layers if each in layers), None) for version in kept]
            id_ = self.survey.ids[at]
            stay = {layer for layer, without in zip(shown[layers], withdrawn, strict=True) if id_ not in without}
            if gone := tuple(layer for layer in layers if layer not in stay):
                self._layers[at] = tuple(layer for layer in layers if layer in stay)
                yield id_, gone
