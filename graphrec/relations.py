"""The relations of a graph besides its target behaviour, as sparse matrices over its users and items."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy import sparse

from graphrec.behaviours import EXCLUDING_BEHAVIOURS
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.schema import UNDIRECTED, Triple
from graphrec.vocabulary import Vocabulary

#: Text properties of behaviour whose values describe the item and the user: TAGGED {tag}.
ATTRIBUTE_TEXTS = ("tag",)

#: Property of item–item edges with their strength.
SIMILARITY = "similarity"

#: Properties of social edges with the strength of trust; edges whose strength is not positive are left out.
TRUST = ("value", "weight")


@dataclass(frozen=True, eq=False)
class Relations:
    """All relations of users or items in a graph except the target behaviour, by name.

    behaviours: other behaviours, over the same users and items, without those by which users exclude items.
    social: [num_users, num_users] float32, row u has the users whom u follows; undirected relations are symmetric.
    user_attributes, item_attributes: [num_users or num_items, num_values] float32, one column for each genre, tag, …;
        a behaviour with a tag is a relation of both kinds, named `TAGGED.tag`, with the counts of each tag.
    item_items: [num_items, num_items] float32, symmetric.
    """

    behaviours: Mapping[str, Interactions] = field(default_factory=dict)
    social: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    user_attributes: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    item_attributes: Mapping[str, sparse.csr_array] = field(default_factory=dict)
    item_items: Mapping[str, sparse.csr_array] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The names of all relations, each once."""
        kinds = (self.behaviours, self.social, self.user_attributes, self.item_attributes, self.item_items)
        return list(dict.fromkeys(name for kind in kinds for name in kind))


@dataclass(frozen=True, eq=False)
class Origin:
    """The edges that a relation was built from, so that those of one node can be read from a live graph.

    name, kind: key and field in Relations; triple: the edge type; text: the edge property with the value of an
    attribute, empty if the value is a node; values: the vocabulary of an attribute's columns.
    """

    name: str
    kind: str
    triple: Triple
    text: str = ""
    values: Vocabulary | None = None


def find_origins(graph: HeteroGraph) -> tuple[Origin, ...]:
    """The Origin of each relation of a graph, as in `build_relations`."""
    result: list[Origin] = []
    user, _, item = graph.target
    for triple in _find_forward_types(graph):
        name, ends = _name_relation(graph, triple), {triple[0], triple[2]}
        if (triple[0], triple[2]) == (user, item):
            result.append(Origin(name, "behaviours", triple))
            for text in ATTRIBUTE_TEXTS:
                if text in graph.data[triple] and (values := graph.vocabularies.get(f"{triple[1]}.{text}")) is not None:
                    kinds = ("user_attributes", "item_attributes")
                    result += [Origin(f"{name}.{text}", kind, triple, text, values) for kind in kinds]
        elif ends in ({user}, {item}):
            result.append(Origin(name, "social" if ends == {user} else "item_items", triple))
        elif len(ends & {user, item}) == 1:
            kind = "user_attributes" if user in ends else "item_attributes"
            (label,) = ends - {user, item}
            result.append(Origin(name, kind, triple, values=graph.vocabularies.get(label)))
    return tuple(result)


def build_relations(graph: HeteroGraph) -> Relations:
    """The Relations of a graph. If several triples share a name, the label at the other end is added: `IN:Genre`."""
    matrices: dict[str, dict[str, sparse.csr_array]] = {kind: {} for kind in ("social", "user", "item", "item_items")}
    behaviours: dict[str, Interactions] = {}
    user, _, item = graph.target
    for triple in _find_forward_types(graph):
        source, _, target = triple
        name = _name_relation(graph, triple)
        if (source, target) == (user, item):
            behaviours[name] = interactions(replace(graph, target=triple))
            _add_texts(graph, triple, name, matrices)
        elif source == target == user:
            matrices["social"][name] = _build_social(graph, triple)
        elif source == target == item:
            matrices["item_items"][name] = _symmetrise(_build_matrix(graph, triple, graph.data[triple].get(SIMILARITY)))
        elif source in (user, item) and target not in (user, item):
            matrices["user" if source == user else "item"][name] = _build_matrix(graph, triple)
        elif target in (user, item) and source not in (user, item):
            matrices["user" if target == user else "item"][name] = _build_matrix(graph, triple).T.tocsr()
    return Relations(behaviours, matrices["social"], matrices["user"], matrices["item"], matrices["item_items"])


def _find_forward_types(graph: HeteroGraph) -> list[Triple]:
    """The edge types except the target behaviour, reverse types, and those by which users exclude items."""
    triples: list[Triple] = graph.data.edge_types
    return [
        triple
        for triple in triples
        if not triple[1].startswith("rev_") and triple != graph.target and triple[1] not in EXCLUDING_BEHAVIOURS
    ]


def _name_relation(graph: HeteroGraph, triple: Triple) -> str:
    source, relation, target = triple
    same_type = [other for other in _find_forward_types(graph) if other[1] == relation]
    if len(same_type) == 1:
        return relation
    return f"{relation}:{target if source in (graph.target[0], graph.target[2]) else source}"


def _build_matrix(graph: HeteroGraph, triple: Triple, values: torch.Tensor | None = None) -> sparse.csr_array:
    source, _, target = triple
    rows, columns = graph.data[triple].edge_index.numpy()
    shape = (graph.data[source].num_nodes, graph.data[target].num_nodes)
    data = np.ones(len(rows), dtype=np.float32) if values is None else values.numpy().astype(np.float32)
    matrix = sparse.csr_array((data, (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    if values is None:
        matrix.data[:] = 1.0
    return matrix


def _build_social(graph: HeteroGraph, triple: Triple) -> sparse.csr_array:
    store = graph.data[triple]
    values = next((store[name] for name in TRUST if name in store), None)
    matrix = _build_matrix(graph, triple, None if values is None else values.nan_to_num(nan=1.0))
    matrix.data[matrix.data < 0] = 0.0  # distrust is no preference
    matrix.eliminate_zeros()
    return _symmetrise(matrix) if triple[1] in UNDIRECTED else matrix


def _symmetrise(matrix: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array(matrix.maximum(matrix.T.tocsr()))


def _add_texts(graph: HeteroGraph, triple: Triple, name: str, matrices: dict[str, dict[str, sparse.csr_array]]) -> None:
    """Add the values of a text property of a behaviour as attributes of its users and of its items."""
    store = graph.data[triple]
    ends = store.edge_index.numpy()
    for text in ATTRIBUTE_TEXTS:
        vocabulary = graph.vocabularies.get(f"{triple[1]}.{text}")
        if text not in store or vocabulary is None:
            continue
        codes = store[text].numpy()
        known = codes >= 0
        for kind, label, index in (("user", triple[0], ends[0]), ("item", triple[2], ends[1])):
            shape = (graph.data[label].num_nodes, len(vocabulary))
            ones = np.ones(int(known.sum()), dtype=np.float32)
            matrix = sparse.csr_array((ones, (index[known], codes[known])), shape=shape)
            matrix.sum_duplicates()
            matrices[kind][f"{name}.{text}"] = matrix
