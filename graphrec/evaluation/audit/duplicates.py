"""Duplicate nodes of one user or item, and the check for test interactions that training has under a duplicate."""

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
    """The number of the user or item that each node represents [num_nodes]: nodes that share a key or are joined by
    links, directly or indirectly, have the same number. Numbers are assigned from 0 in the order of the nodes.

    `keys` of a node are the keys of its records (`source:key`; `:id` for a node without keys). `links` are pairs of
    keys that may be duplicates, as fusion proposes them in `links.csv` of a load report (`decision` is `proposed`).
    Keys that no node has are ignored: their source was unlinked.

    Raises DataError if `keys` and `ids` differ in length.
    """
    if len(ids) != len(keys):
        raise DataError(f"{len(ids):,} ids have {len(keys):,} lists of keys; give one list for each id, [] for no keys")
    node_of_key: dict[str, int] = {}
    rows, columns = [], []
    for node, (id_, node_keys) in enumerate(zip(ids, keys, strict=True)):
        for key in node_keys or [f":{id_}"]:
            rows.append(node)
            columns.append(node_of_key.setdefault(key, node))
    for left, right in links:
        if left in node_of_key and right in node_of_key:
            rows.append(node_of_key[left])
            columns.append(node_of_key[right])
    ones = np.ones(len(rows), dtype=bool)
    adjacency = sparse.csr_array((ones, (rows, columns)), shape=(len(ids), len(ids)))
    _, group = sparse.csgraph.connected_components(adjacency, directed=False)
    return np.asarray(group, dtype=np.int64)


def check_duplicates(inputs: AuditInput) -> Check:
    """Test interactions with a duplicate in training: an event that the graph has twice, or a pair with a duplicate
    node of the user or the item."""
    found: list[tuple[TypedEdges, Mask]] = [(edges, inputs.is_repeated(edges)) for edges in inputs.training_edges]
    num_checked = (
        sum(map(len, inputs.training_edges)) if inputs.whole is not None and inputs.test.time is not None else 0
    )
    if inputs.aliases is not None:
        num_checked = 0
        groups = [_group_nodes(inputs, label, size) for label, size in _num_nodes(inputs)]
        user, item = inputs.new_pairs.ends()
        sizes = [int(group.max(initial=-1)) + 1 for group in groups]
        test_pairs = Pairs.of(groups[0][user], groups[1][item], sizes[0], sizes[1])
        for edges in inputs.behaviours():
            num_checked += len(edges)
            users, items = edges.ends(inputs.visible.target)
            is_duplicate = test_pairs.contain(groups[0][users], groups[1][items])
            found.append((edges, is_duplicate & ~inputs.is_test(edges) & ~edges.is_late(inputs.cut)))
    return summarise_check(inputs.visible, DUPLICATES, num_checked, found)


def _num_nodes(inputs: AuditInput) -> list[tuple[str, int]]:
    """The labels of users and of items with their numbers of nodes."""
    user, _, item = inputs.visible.target
    return [(user, inputs.test.num_users), (item, inputs.test.num_items)]


def _group_nodes(inputs: AuditInput, label: str, size: int) -> IndexArray:
    """The group number of each node of a label [size], its own position without aliases."""
    group = np.arange(size) if inputs.aliases is None else np.asarray(inputs.aliases.get(label, np.arange(size)))
    if len(group) != size:
        raise DataError(
            f"aliases of {label} have {len(group):,} numbers, but the graph has {size:,} nodes; give one for each"
        )
    return group.astype(np.int64)
