"""Copies of one person or thing: which nodes they are, and test interactions that stand in training under another."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from graphrec.errors import DataError
from graphrec.evaluation.audit.edges import Edges, Mask, check
from graphrec.evaluation.audit.findings import COPIES, Check
from graphrec.evaluation.audit.inputs import AuditInput
from graphrec.evaluation.audit.pairs import Pairs
from graphrec.vocabulary import IndexArray


def alias_groups(
    ids: Sequence[str], keys: Sequence[Sequence[str]], links: Iterable[tuple[str, str]] = ()
) -> IndexArray:
    """The number of the person or thing that each node stands for, [num_nodes]: nodes that share a key, or that links
    join, directly or over others, have one number; numbers count from 0 in the order of the nodes.

    `keys` are those that a node was fused from (`source:key`; none for a node made by hand, whose key is `:id`).
    `links` are pairs of keys that may be one thing: fusion proposes them and writes them into `links.csv` of the
    source's report, where `decision` is `proposed`. Keys that no node has are passed over: their source is gone.

    Raises DataError where there are not as many keys as ids.
    """
    if len(ids) != len(keys):
        raise DataError(f"{len(ids):,} ids have {len(keys):,} lists of keys; give one list for each, [] for none")
    number: dict[str, int] = {}
    rows, columns = [], []
    for node, (id_, own) in enumerate(zip(ids, keys, strict=True)):
        for key in own or [f":{id_}"]:
            other = number.setdefault(key, node)
            rows.append(node)
            columns.append(other)
    for left, right in links:
        if left in number and right in number:
            rows.append(number[left])
            columns.append(number[right])
    ones = np.ones(len(rows), dtype=bool)
    joined = sparse.csr_array((ones, (rows, columns)), shape=(len(ids), len(ids)))
    _, group = sparse.csgraph.connected_components(joined, directed=False)
    return np.asarray(group, dtype=np.int64)


def copies(case: AuditInput) -> Check:
    """Test interactions that stand in training in a second copy: the same event twice in the graph, or a pair whose
    user or item is another node of the same person or thing."""
    found: list[tuple[Edges, Mask]] = [(edges, case.doubled(edges)) for edges in case.given]
    looked_at = sum(map(len, case.given)) if case.whole is not None and case.held.time is not None else 0
    if case.aliases is not None:
        looked_at = 0
        groups = [_group(case, label, size) for label, size in _sizes(case)]
        user, item = case.fresh.ends()
        sizes = [int(group.max(initial=-1)) + 1 for group in groups]
        wanted = Pairs.of(groups[0][user], groups[1][item], sizes[0], sizes[1])
        for edges in case.behaviours():
            looked_at += len(edges)
            users, items = edges.ends(case.visible.target)
            same = wanted.have(groups[0][users], groups[1][items])
            found.append((edges, same & ~case.tested(edges) & ~edges.late(case.cut)))
    return check(case.visible, COPIES, looked_at, found)


def _sizes(case: AuditInput) -> list[tuple[str, int]]:
    user, _, item = case.visible.target
    return [(user, case.held.num_users), (item, case.held.num_items)]


def _group(case: AuditInput, label: str, size: int) -> IndexArray:
    group = np.arange(size) if case.aliases is None else np.asarray(case.aliases.get(label, np.arange(size)))
    if len(group) != size:
        raise DataError(f"aliases of {label} number {len(group):,} nodes, but the graph has {size:,}; number each once")
    return group.astype(np.int64)
