"""Duplicate nodes of one person or thing, and the check for test interactions that training has under a duplicate."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from graphrec.errors import DataError
from graphrec.evaluation.audit.edges import Mask, TypedEdges, summarise_check
from graphrec.evaluation.audit.findings import DUPLICATES, Check
from graphrec.evaluation.audit.inputs import AuditInput
from graphrec.evaluation.audit.pairs import Pairs
from graphrec.vocabulary import IndexArray


def alias_groups(
    ids: Sequence[str], keys: Sequence[Sequence[str]], links: Iterable[tuple[str, str]] = ()
) -> IndexArray:
    """The number of the person or thing that each node represents [num_nodes]: nodes that share a key or are joined by
    links, directly or indirectly, have the same number. Numbers count from 0 in the order of the nodes.

    `keys` of a node are those it was fused from (`source:key`; `:id` for a node without keys). `links` are pairs of
    keys that may be the same thing, as fusion proposes them in `links.csv` of a load report (`decision` is `proposed`).
    Keys that no node has are ignored: their source was unloaded.

    Raises DataError if `keys` and `ids` differ in length.
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


def check_duplicates(inputs: AuditInput) -> Check:
    """Test interactions with a duplicate in training: the same event twice in the graph, or a pair whose user or item
    is another node of the same person or thing."""
    found: list[tuple[TypedEdges, Mask]] = [(edges, inputs.is_repeated(edges)) for edges in inputs.training_edges]
    num_checked = (
        sum(map(len, inputs.training_edges)) if inputs.whole is not None and inputs.test.time is not None else 0
    )
    if inputs.aliases is not None:
        num_checked = 0
        groups = [_group(inputs, label, size) for label, size in _sizes(inputs)]
        user, item = inputs.new_pairs.ends()
        sizes = [int(group.max(initial=-1)) + 1 for group in groups]
        wanted = Pairs.of(groups[0][user], groups[1][item], sizes[0], sizes[1])
        for edges in inputs.behaviours():
            num_checked += len(edges)
            users, items = edges.ends(inputs.visible.target)
            same = wanted.contain(groups[0][users], groups[1][items])
            found.append((edges, same & ~inputs.is_test(edges) & ~edges.is_late(inputs.cut)))
    return summarise_check(inputs.visible, DUPLICATES, num_checked, found)


def _sizes(inputs: AuditInput) -> list[tuple[str, int]]:
    user, _, item = inputs.visible.target
    return [(user, inputs.test.num_users), (item, inputs.test.num_items)]


def _group(inputs: AuditInput, label: str, size: int) -> IndexArray:
    group = np.arange(size) if inputs.aliases is None else np.asarray(inputs.aliases.get(label, np.arange(size)))
    if len(group) != size:
        raise DataError(f"aliases of {label} number {len(group):,} nodes, but the graph has {size:,}; number each once")
    return group.astype(np.int64)
