"""The seven checks of the leak audit; an edge that leaks in several ways is counted once, as the most specific kind."""

from collections.abc import Mapping

import numpy as np

from graphrec.evaluation.audit.duplicates import check_duplicates
from graphrec.evaluation.audit.edges import Mask, TypedEdges, edges_with_role, read_edges, role_of, summarise_check
from graphrec.evaluation.audit.findings import (
    DERIVED,
    IN_TRAINING,
    LATE,
    LATE_ELSEWHERE,
    OTHER_BEHAVIOUR,
    REVERSED,
    Audit,
    Check,
)
from graphrec.evaluation.audit.inputs import AuditInput, make_inputs
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.schema import Triple
from graphrec.train_view import derived
from graphrec.vocabulary import IndexArray


def audit(
    visible: HeteroGraph,
    train: Interactions,
    test: Interactions,
    cut: int | None,
    aliases: Mapping[str, IndexArray] | None = None,
    whole: HeteroGraph | None = None,
) -> Audit:
    """The results of the seven checks, in the order of KINDS.

    An edge that leaks in two ways is counted as one kind: a test pair takes precedence over a late time, a late time
    over a duplicate. Edges and their reverses are checked separately. A test pair that the user already had, in `train`
    at an earlier time, is not a leak: evaluation does not count it. Checks that need a cut, times, `aliases` or `whole`
    check zero edges without them.

    Args:
        visible: the graph that the model is fitted on, as returned by `restrict`.
        train: the interactions that the model is fitted to.
        test: the interactions that it is tested on.
        cut: the time of the first test interaction in a split by time, else None.
        aliases: by label the number [num_nodes] of the user or item that each node represents, from `alias_groups`.
        whole: the graph before `restrict`: the source of derived attributes and of repeated events.
    """
    inputs = make_inputs(visible, train, test, cut, aliases, whole)
    return Audit(
        (
            check_training(inputs),
            check_reverse(inputs),
            check_late(inputs),
            check_late_elsewhere(inputs),
            check_other_behaviour(inputs),
            check_duplicates(inputs),
            check_attributes(inputs),
        )
    )


def check_training(inputs: AuditInput) -> Check:
    """Test interactions among the training interactions, or among the target behaviour of the visible graph."""
    found = [(edges, inputs.is_test(edges) & ~inputs.is_repeated(edges)) for edges in inputs.training_edges]
    return summarise_check(inputs.visible, IN_TRAINING, sum(map(len, inputs.training_edges)), found)


def check_reverse(inputs: AuditInput) -> Check:
    """Test interactions among the reverse edges, or among any other edges from items to users."""
    reverse = list(edges_with_role(inputs.visible, "reverse"))
    other = list(edges_with_role(inputs.visible, "backward"))
    found = [(edges, inputs.is_test(edges) & ~inputs.is_repeated(edges)) for edges in reverse]
    found += [(edges, inputs.new_pairs.contain(*edges.ends(inputs.visible.target))) for edges in other]
    return summarise_check(inputs.visible, REVERSED, sum(map(len, reverse + other)), found)


def check_late(inputs: AuditInput) -> Check:
    """Interactions of the target behaviour at or after the cut that are not test interactions."""
    if inputs.cut is None:
        return summarise_check(inputs.visible, LATE, 0, ())
    edges = [*inputs.training_edges, *edges_with_role(inputs.visible, "reverse")]
    found = [(part, part.is_late(inputs.cut) & ~inputs.is_test(part)) for part in edges]
    return summarise_check(inputs.visible, LATE, sum(part.num_timed() for part in edges), found)


def check_late_elsewhere(inputs: AuditInput) -> Check:
    """Other behaviour, tags and social edges at or after the cut that do not join test pairs."""
    if inputs.cut is None:
        return summarise_check(inputs.visible, LATE_ELSEWHERE, 0, ())
    edges = list(edges_with_role(inputs.visible, "behaviour", "backward", "event"))
    found = []
    for part in edges:
        mask = part.is_late(inputs.cut)
        if role_of(part.triple, inputs.visible.target) != "event":
            mask &= ~inputs.new_pairs.contain(*part.ends(inputs.visible.target))
        found.append((part, mask))
    return summarise_check(inputs.visible, LATE_ELSEWHERE, sum(part.num_timed() for part in edges), found)


def check_other_behaviour(inputs: AuditInput) -> Check:
    """Test pairs joined by another behaviour, in either direction."""
    edges = list(edges_with_role(inputs.visible, "behaviour"))
    found = [(part, inputs.new_pairs.contain(*part.ends(inputs.visible.target))) for part in edges]
    return summarise_check(inputs.visible, OTHER_BEHAVIOUR, sum(map(len, edges)), found)


def check_attributes(inputs: AuditInput) -> Check:
    """Edges that graphrec published, attributes with a time at or after the cut, and attributes without a time that
    are explained only by later events or by events of test pairs."""
    num_checked, found = 0, []
    for edges in edges_with_role(inputs.visible, "system"):
        num_checked += len(edges)
        found.append((edges, np.ones(len(edges), dtype=bool)))
    hidden = _find_hidden(inputs)
    for edges in edges_with_role(inputs.visible, "attribute"):
        mask, explained = edges.is_late(inputs.cut), np.zeros(len(edges), dtype=bool)
        checkable = np.zeros(len(edges), dtype=bool)
        if inputs.cut is not None and edges.time is not None:
            checkable = ~np.isnan(edges.time)
        if inputs.whole is not None:
            store = inputs.visible.data[edges.triple]
            is_derived, explained = derived(inputs.whole, edges.triple, store.edge_index, hidden)
            checkable = checkable | is_derived
        num_checked += int(checkable.sum())
        found.append((edges, mask | (explained & ~_has_time(edges))))
    return summarise_check(inputs.visible, DERIVED, num_checked, found)


def _has_time(edges: TypedEdges) -> Mask:
    return np.zeros(len(edges), dtype=bool) if edges.time is None else ~np.isnan(edges.time)


def _find_hidden(inputs: AuditInput) -> dict[Triple, Mask]:
    """Masks of the events of each behaviour in the whole graph that a model must not see."""
    if inputs.whole is None:
        return {}
    target = inputs.whole.target
    hidden = {}
    for triple in inputs.whole.data.edge_types:
        if role_of(triple, target) in ("target", "behaviour"):
            edges = read_edges(inputs.whole, triple)
            hidden[triple] = edges.is_late(inputs.cut) | inputs.new_pairs.contain(*edges.ends(target))
    return hidden
