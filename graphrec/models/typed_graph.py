"""One weighted adjacency matrix of all relations, over the nodes of all labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from torch import Tensor

from graphrec.hetero import HeteroGraph
from graphrec.interactions import FloatArray, Interactions
from graphrec.relations import TRUST, build_relations
from graphrec.schema import Triple
from graphrec.vocabulary import IndexArray

#: The kinds of relations that have a weight; the target behaviour has weight 1.
KINDS = ("behaviour", "social", "attribute", "item_relation")


@dataclass(frozen=True, eq=False)
class TypedGraph:
    """A symmetric weighted adjacency matrix whose rows are the nodes of all labels, label by label.

    Labels are those of the graph, and one such as `TAGGED.tag` for the texts of each behaviour that has any.

    adjacency: A, [num_nodes, num_nodes] float32.
    start: position of the first node of each label.
    size: number of nodes of each label.
    """

    adjacency: sparse.csr_array
    start: Mapping[str, int]
    size: Mapping[str, int]

    def part(self, label: str, x: Tensor) -> Tensor:
        """The rows of x [num_nodes, dim] that belong to the nodes of a label."""
        return x[self.start[label] : self.start[label] + self.size[label]]


def typed_graph(graph: HeteroGraph, interactions: Interactions, weights: Mapping[str, float]) -> TypedGraph:
    """The TypedGraph of the target behaviour `interactions` and of all other relations, with the weight of their kind.

    Relations of weight zero and social edges of non-positive trust are left out. Parallel edges of one relation count
    once; the weights of edges of several relations between two nodes are added.
    """
    blocks = [(*_target_labels(graph), interactions.matrix())]
    for triple in graph.data.edge_types:
        weight = weights.get(_kind(graph, triple), 0.0)
        if weight > 0 and triple != graph.target and not triple[1].startswith("rev_"):
            blocks.append((triple[0], triple[2], _edge_matrix(graph, triple) * np.float32(weight)))
    if weights.get("attribute", 0.0) > 0:
        attribute_weight = np.float32(weights["attribute"])
        blocks += [(label, name, matrix * attribute_weight) for label, name, matrix in _text_blocks(graph)]
    size = {label: int(graph.data[label].num_nodes) for label in graph.data.node_types}
    for source, target, matrix in blocks:
        size |= {source: matrix.shape[0], target: matrix.shape[1]}
    start = dict(zip(size, np.cumsum([0, *size.values()]).tolist(), strict=False))
    return TypedGraph(_join_blocks(blocks, start, sum(size.values())), start, size)


#: Label of the rows, label of the columns, and weights.
Block = tuple[str, str, sparse.csr_array]


def _join_blocks(blocks: list[Block], start: Mapping[str, int], num_nodes: int) -> sparse.csr_array:
    rows: list[IndexArray] = []
    columns: list[IndexArray] = []
    values: list[FloatArray] = []
    for source, target, matrix in blocks:
        rows.append(start[source] + np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr)))
        columns.append(start[target] + matrix.indices.astype(np.int64))
        values.append(matrix.data)
    ends = (np.concatenate(rows), np.concatenate(columns))
    data = np.concatenate(values).astype(np.float32)
    half = sparse.csr_array((data, ends), shape=(num_nodes, num_nodes))
    return sparse.csr_array(half + half.T.tocsr())


def _target_labels(graph: HeteroGraph) -> tuple[str, str]:
    return graph.target[0], graph.target[2]


def _kind(graph: HeteroGraph, triple: Triple) -> str:
    user, item = _target_labels(graph)
    ends = (triple[0], triple[2])
    kinds = {
        (user, item): "behaviour",
        (item, user): "behaviour",
        (user, user): "social",
        (item, item): "item_relation",
    }
    return kinds.get(ends, "attribute")


def _edge_matrix(graph: HeteroGraph, triple: Triple) -> sparse.csr_array:
    """The 0/1 matrix of a relation."""
    store = graph.data[triple]
    rows, columns = store.edge_index.numpy()
    trust = next((store[name].numpy() for name in TRUST if name in store), None)
    if trust is not None and _kind(graph, triple) == "social":
        rows, columns = rows[~(trust <= 0)], columns[~(trust <= 0)]  # NaN, an unknown trust, is kept
    shape = (graph.data[triple[0]].num_nodes, graph.data[triple[2]].num_nodes)
    matrix = sparse.csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _text_blocks(graph: HeteroGraph) -> list[Block]:
    """Blocks for the texts of behaviours, such as tags, which are labels here."""
    blocks = []
    attributes = build_relations(graph)
    kinds = (attributes.user_attributes, attributes.item_attributes)
    for label, kind in zip(_target_labels(graph), kinds, strict=True):
        for name, matrix in kind.items():
            if name in graph.vocabularies and name not in graph.data.node_types:
                ones = matrix.copy()
                ones.data[:] = 1.0
                blocks.append((label, name, ones))
    return blocks
