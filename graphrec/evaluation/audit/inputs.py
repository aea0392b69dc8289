"""What is audited: what a model sees and is given, and what it is tested on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from graphrec.evaluation.audit.edges import Edges, Mask, as_edges, having, read
from graphrec.evaluation.audit.pairs import Pairs
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.vocabulary import IndexArray


@dataclass(frozen=True, eq=False)
class AuditInput:
    """The arguments of an audit, and what all checks need of them.

    pairs: those that the model is tested on; fresh: those of them that are not known, only which are counted as found.
    given: the interactions given to fit, and what the graph has of the same behaviour beyond them.
    """

    visible: HeteroGraph
    held: Interactions
    cut: int | None
    aliases: Mapping[str, IndexArray] | None
    whole: HeteroGraph | None
    pairs: Pairs
    fresh: Pairs
    given: tuple[Edges, ...]

    def tested(self, edges: Edges) -> Mask:
        """Which edges between users and items are test interactions: their pair is in test, and the user did not
        have it before. That they had is shown by an earlier time in `known`, and in the graph by `known` having it."""
        user, item = edges.ends(self.visible.target)
        place = self.pairs.place(user, item)
        found = place >= 0
        rows = np.flatnonzero(found)
        is_known = edges is self.given[0]
        told = np.full(len(rows), is_known)
        if edges.time is not None and self.pairs.first is not None:
            told = edges.time[rows] >= self.pairs.first[place[rows]]
        found[rows] = told if is_known else told | self.fresh.have(user[rows], item[rows])
        return found

    def doubled(self, edges: Edges) -> Mask:
        """Which of the test interactions among the edges are events that stand in the whole graph more often than in
        the test part: not what that holds was given away, but another copy of it."""
        found = self.tested(edges)
        held = as_edges(self.held, self.visible.target)
        whole = None if self.whole is None else read(self.whole, self.whole.target)
        if whole is None or whole.time is None or edges.time is None or held.time is None or not found.any():
            return np.zeros(len(edges), dtype=bool)
        tested, in_test = np.unique(self._events(held), return_counts=True)
        events = self._events(whole)
        in_all = np.bincount(np.searchsorted(tested, events[np.isin(events, tested)]), minlength=len(tested))
        return found & np.isin(self._events(edges), tested[(in_all > in_test) & (tested >= 0)])

    def _events(self, edges: Edges) -> IndexArray:
        """A number [n] for each pair at a time, -1 where that pair or that time is not in the test part."""
        if self.held.time is None or edges.time is None:
            return np.full(len(edges), -1, dtype=np.int64)
        times = np.unique(self.held.time)
        when = np.minimum(np.searchsorted(times, edges.time), len(times) - 1)
        place = self.pairs.place(*edges.ends(self.visible.target))
        return np.where((place >= 0) & (times[when] == edges.time), place * len(times) + when, -1)

    def behaviours(self) -> Iterator[Edges]:
        """All edges from users to items: given ones and other behaviours."""
        yield from self.given
        for edges in having(self.visible, "behaviour"):
            if edges.triple[0] == self.visible.target[0]:
                yield edges


def case_of(
    visible: HeteroGraph,
    known: Interactions,
    held: Interactions,
    cut: int | None,
    aliases: Mapping[str, IndexArray] | None,
    whole: HeteroGraph | None,
) -> AuditInput:
    """The case of an audit's arguments."""
    pairs = Pairs.of(held.user_index, held.item_index, held.num_users, held.num_items, held.time)
    places = pairs.place(known.user_index, known.item_index)
    fit, seen = as_edges(known, visible.target), read(visible, visible.target)
    given = (fit,) if _same(fit, seen) else (fit, _beyond(fit, seen, known.num_items))
    return AuditInput(visible, held, cut, aliases, whole, pairs, pairs.without(places[places >= 0]), given)


def _same(one: Edges, other: Edges) -> bool:
    if one.time is not None and other.time is not None and not np.array_equal(one.time, other.time):
        return False
    return np.array_equal(one.source, other.source) and np.array_equal(one.target, other.target)


def _beyond(fit: Edges, seen: Edges, num_items: int) -> Edges:
    """The edges of a graph that are not among those given to fit, by pair and, where both have one, by time."""
    both = [part.source * num_items + part.target for part in (fit, seen)]
    if fit.time is not None and seen.time is not None:
        times, when = np.unique(np.concatenate([fit.time, seen.time]), return_inverse=True)
        both = [pair * len(times) + part for pair, part in zip(both, np.split(when, [len(fit)]), strict=True)]
    new = ~np.isin(both[1], both[0])
    return Edges(seen.triple, seen.source[new], seen.target[new], None if seen.time is None else seen.time[new])
