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
    """The arguments of `audit` and what several checks derive from them.

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
        """Which edges between users and items [n] are test interactions: the pair is in test, and the edge is not
        earlier than its first test interaction. For edges that are not training interactions it is enough that `train`
        does not have the pair."""
        user, item = edges.ends(self.visible.target)
        index = self.pairs.find(user, item)
        mask = index >= 0
        rows = np.flatnonzero(mask)
        fitted = edges is self.training_edges[0]
        is_new = np.full(len(rows), fitted)
        if edges.time is not None and self.pairs.first is not None:
            is_new = edges.time[rows] >= self.pairs.first[index[rows]]
        mask[rows] = is_new if fitted else is_new | self.new_pairs.contain(user[rows], item[rows])
        return mask

    def is_repeated(self, edges: TypedEdges) -> Mask:
        """Which edges [n] are test interactions whose event the whole graph has more often than the test part: the edge
        is then a duplicate of the event, not the test interaction itself."""
        is_test = self.is_test(edges)
        test = as_edges(self.test, self.visible.target)
        whole = None if self.whole is None else read_edges(self.whole, self.whole.target)
        if whole is None or whole.time is None or edges.time is None or test.time is None or not is_test.any():
            return np.zeros(len(edges), dtype=bool)
        test_events, num_in_test = np.unique(self._number_events(test), return_counts=True)
        events = self._number_events(whole)
        rows = np.searchsorted(test_events, events[np.isin(events, test_events)])
        num_in_whole = np.bincount(rows, minlength=len(test_events))
        repeated = test_events[(num_in_whole > num_in_test) & (test_events >= 0)]
        return is_test & np.isin(self._number_events(edges), repeated)

    def _number_events(self, edges: TypedEdges) -> IndexArray:
        """The number [n] of the pair and time of each edge, -1 if the pair or the time is not in the test part."""
        if self.test.time is None or edges.time is None:
            return np.full(len(edges), -1, dtype=np.int64)
        times = np.unique(self.test.time)
        when = np.minimum(np.searchsorted(times, edges.time), len(times) - 1)
        index = self.pairs.find(*edges.ends(self.visible.target))
        return np.where((index >= 0) & (times[when] == edges.time), index * len(times) + when, -1)

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
    in_train = pairs.find(train.user_index, train.item_index)
    new_pairs = pairs.without(in_train[in_train >= 0])
    fit, seen = as_edges(train, visible.target), read_edges(visible, visible.target)
    training_edges = (fit,) if _are_equal(fit, seen) else (fit, _find_additional(fit, seen, train.num_items))
    return AuditInput(visible, test, cut, aliases, whole, pairs, new_pairs, training_edges)


def _are_equal(one: TypedEdges, other: TypedEdges) -> bool:
    if one.time is not None and other.time is not None and not np.array_equal(one.time, other.time):
        return False
    return np.array_equal(one.source, other.source) and np.array_equal(one.target, other.target)


def _find_additional(fit: TypedEdges, seen: TypedEdges, num_items: int) -> TypedEdges:
    """The edges of `seen` that are not in `fit`, compared by pair and, if both have times, by time."""
    codes = [part.source * num_items + part.target for part in (fit, seen)]
    if fit.time is not None and seen.time is not None:
        times, when = np.unique(np.concatenate([fit.time, seen.time]), return_inverse=True)
        codes = [pair * len(times) + part for pair, part in zip(codes, np.split(when, [len(fit)]), strict=True)]
    new = ~np.isin(codes[1], codes[0])
    return TypedEdges(seen.triple, seen.source[new], seen.target[new], None if seen.time is None else seen.time[new])
