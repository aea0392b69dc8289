"""Inputs of the leak audit: the visible graph, the training interactions and the test interactions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from graphrec.evaluation.audit.edges import Mask, TypedEdges, as_edges, edges_with_role, read_edges
from graphrec.evaluation.audit.pairs import Pairs
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class AuditInput:
    """The arguments of `audit` and what all checks derive from them.

    pairs: test pairs; new_pairs: test pairs that are not in train, which are the only ones that evaluation counts.
    training_edges: the interactions to fit to, and edges of the same behaviour that only the visible graph has.
    """

    visible: HeteroGraph
    test: Interactions
    cut: int | None
    aliases: Mapping[str, IndexArray] | None
    whole: HeteroGraph | None
    pairs: Pairs
    new_pairs: Pairs
    training_edges: tuple[TypedEdges, ...]

    def is_test(self, edges: TypedEdges) -> Mask:
        """Which edges between users and items are test interactions: the pair is in test and was not there earlier. For
        training interactions this is decided by time, for other edges also by whether `train` has the pair."""
        user, item = edges.ends(self.visible.target)
        place = self.pairs.place(user, item)
        found = place >= 0
        rows = np.flatnonzero(found)
        fitted = edges is self.training_edges[0]
        is_new = np.full(len(rows), fitted)
        if edges.time is not None and self.pairs.first is not None:
            is_new = edges.time[rows] >= self.pairs.first[place[rows]]
        found[rows] = is_new if fitted else is_new | self.new_pairs.contain(user[rows], item[rows])
        return found

    def is_repeated(self, edges: TypedEdges) -> Mask:
        """Which test interactions among the edges are events that the whole graph has more often than the test part:
        the edge is then another copy of the event, not the test interaction itself."""
        found = self.is_test(edges)
        test = as_edges(self.test, self.visible.target)
        whole = None if self.whole is None else read_edges(self.whole, self.whole.target)
        if whole is None or whole.time is None or edges.time is None or test.time is None or not found.any():
            return np.zeros(len(edges), dtype=bool)
        tested, in_test = np.unique(self._events(test), return_counts=True)
        events = self._events(whole)
        in_all = np.bincount(np.searchsorted(tested, events[np.isin(events, tested)]), minlength=len(tested))
        return found & np.isin(self._events(edges), tested[(in_all > in_test) & (tested >= 0)])

    def _events(self, edges: TypedEdges) -> IndexArray:
        """A number [n] for each pair and time, -1 if the pair or the time is not in the test part."""
        if self.test.time is None or edges.time is None:
            return np.full(len(edges), -1, dtype=np.int64)
        times = np.unique(self.test.time)
        when = np.minimum(np.searchsorted(times, edges.time), len(times) - 1)
        place = self.pairs.place(*edges.ends(self.visible.target))
        return np.where((place >= 0) & (times[when] == edges.time), place * len(times) + when, -1)

    def behaviours(self) -> Iterator[TypedEdges]:
        """All edges from users to items: training edges and other behaviours."""
        yield from self.training_edges
        for edges in edges_with_role(self.visible, "behaviour"):
            if edges.triple[0] == self.visible.target[0]:
                yield edges


def make_inputs(
    visible: HeteroGraph,
    train: Interactions,
    test: Interactions,
    cut: int | None,
    aliases: Mapping[str, IndexArray] | None,
    whole: HeteroGraph | None,
) -> AuditInput:
    """The AuditInput of the arguments of `audit`."""
    pairs = Pairs.of(test.user_index, test.item_index, test.num_users, test.num_items, test.time)
    places = pairs.place(train.user_index, train.item_index)
    fit, seen = as_edges(train, visible.target), read_edges(visible, visible.target)
    given = (fit,) if _same(fit, seen) else (fit, _beyond(fit, seen, train.num_items))
    return AuditInput(visible, test, cut, aliases, whole, pairs, pairs.without(places[places >= 0]), given)


def _same(one: TypedEdges, other: TypedEdges) -> bool:
    if one.time is not None and other.time is not None and not np.array_equal(one.time, other.time):
        return False
    return np.array_equal(one.source, other.source) and np.array_equal(one.target, other.target)


def _beyond(fit: TypedEdges, seen: TypedEdges, num_items: int) -> TypedEdges:
    """The edges that are not among the training interactions, compared by pair and, if both have times, by time."""
    both = [part.source * num_items + part.target for part in (fit, seen)]
    if fit.time is not None and seen.time is not None:
        times, when = np.unique(np.concatenate([fit.time, seen.time]), return_inverse=True)
        both = [pair * len(times) + part for pair, part in zip(both, np.split(when, [len(fit)]), strict=True)]
    new = ~np.isin(both[1], both[0])
    return TypedEdges(seen.triple, seen.source[new], seen.target[new], None if seen.time is None else seen.time[new])
