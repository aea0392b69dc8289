"""The seven kinds of leaks: each edge that tells of the test part is found once, as the most particular kind."""

from collections.abc import Mapping

import numpy as np

from graphrec.evaluation.audit.duplicates import copies
from graphrec.evaluation.audit.edges import Edges, Mask, check, having, read, role
from graphrec.evaluation.audit.findings import (
    BACKWARDS,
    DERIVED,
    GIVEN,
    LATE,
    LATE_ELSEWHERE,
    OTHERWISE,
    Audit,
    Check,
)
from graphrec.evaluation.audit.inputs import AuditInput, case_of
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.schema import Triple
from graphrec.train_view import derived
from graphrec.vocabulary import IndexArray


def audit(
    visible: HeteroGraph,
    known: Interactions,
    held: Interactions,
    cut: int | None,
    aliases: Mapping[str, IndexArray] | None = None,
    whole: HeteroGraph | None = None,
) -> Audit:
    """The seven checks of what a model is fitted on against what it is tested on, in the order of KINDS.

    An edge that leaks in two ways is counted as one kind: a test pair before its time, a time before a copy. Edges and
    their reverses are looked at one by one. A test pair that the user had before, in `known` at an earlier time, is no
    leak: evaluation does not count it. Without a cut, without times, without `aliases` or without `whole` the checks
    that need them have looked at nothing.

    Args:
        visible: the graph that the model is fitted on, as `restrict` leaves it.
        known: the interactions that it is fitted to.
        held: the part that it is tested on.
        cut: the time of the first test interaction where the split is by time, else None.
        aliases: by label the number [num_nodes] of the person or thing behind each node, from `alias_groups`.
        whole: the graph before `restrict`, which says what derived attributes come from and what stands there twice.
    """
    case = case_of(visible, known, held, cut, aliases, whole)
    found = (given(case), backwards(case), late(case), late_elsewhere(case), otherwise(case), copies(case))
    return Audit((*found, attributes(case)))


def given(case: AuditInput) -> Check:
    """Test interactions among those given to fit, or among the same behaviour in the graph."""
    found = [(edges, case.tested(edges) & ~case.doubled(edges)) for edges in case.given]
    return check(case.visible, GIVEN, sum(map(len, case.given)), found)


def backwards(case: AuditInput) -> Check:
    """Test interactions among the reverse edges, or among any other edges from items to users."""
    reverse = list(having(case.visible, "reverse"))
    other = list(having(case.visible, "backward"))
    found = [(edges, case.tested(edges) & ~case.doubled(edges)) for edges in reverse]
    found += [(edges, case.fresh.have(*edges.ends(case.visible.target))) for edges in other]
    return check(case.visible, BACKWARDS, sum(map(len, reverse + other)), found)


def late(case: AuditInput) -> Check:
    """Interactions of the behaviour to predict at or after the cut, beside test interactions."""
    if case.cut is None:
        return check(case.visible, LATE, 0, ())
    edges = [*case.given, *having(case.visible, "reverse")]
    found = [(part, part.late(case.cut) & ~case.tested(part)) for part in edges]
    return check(case.visible, LATE, sum(part.num_timed() for part in edges), found)


def late_elsewhere(case: AuditInput) -> Check:
    """Other behaviour, tags and social ties at or after the cut, beside those of test pairs."""
    if case.cut is None:
        return check(case.visible, LATE_ELSEWHERE, 0, ())
    edges = list(having(case.visible, "behaviour", "backward", "event"))
    found = []
    for part in edges:
        mask = part.late(case.cut)
        if role(part.triple, case.visible.target) != "event":
            mask &= ~case.fresh.have(*part.ends(case.visible.target))
        found.append((part, mask))
    return check(case.visible, LATE_ELSEWHERE, sum(part.num_timed() for part in edges), found)


def otherwise(case: AuditInput) -> Check:
    """Test pairs that another behaviour joins, whichever way round."""
    edges = list(having(case.visible, "behaviour"))
    found = [(part, case.fresh.have(*part.ends(case.visible.target))) for part in edges]
    return check(case.visible, OTHERWISE, sum(map(len, edges)), found)


def attributes(case: AuditInput) -> Check:
    """Edges that graphrec published, attributes with a time at or after the cut, and attributes without a time that
    only later events, or events of test pairs, explain."""
    looked_at, found = 0, []
    for edges in having(case.visible, "system"):
        looked_at += len(edges)
        found.append((edges, np.ones(len(edges), dtype=bool)))
    hidden = _hidden(case)
    for edges in having(case.visible, "attribute"):
        mask, explained = edges.late(case.cut), np.zeros(len(edges), dtype=bool)
        seen = np.zeros(len(edges), dtype=bool)
        if case.cut is not None and edges.time is not None:
            seen = ~np.isnan(edges.time)
        if case.whole is not None:
            store = case.visible.data[edges.triple]
            told, explained = derived(case.whole, edges.triple, store.edge_index, hidden)
            seen = seen | told
        looked_at += int(seen.sum())
        found.append((edges, mask | (explained & ~_timed(edges))))
    return check(case.visible, DERIVED, looked_at, found)


def _timed(edges: Edges) -> Mask:
    return np.zeros(len(edges), dtype=bool) if edges.time is None else ~np.isnan(edges.time)


def _hidden(case: AuditInput) -> dict[Triple, Mask]:
    """Which events of each behaviour of the whole graph a model must not see."""
    if case.whole is None:
        return {}
    target = case.whole.target
    found = {}
    for triple in case.whole.data.edge_types:
        if role(triple, target) in ("target", "behaviour"):
            edges = read(case.whole, triple)
            found[triple] = edges.late(case.cut) | case.fresh.have(*edges.ends(target))
    return found
