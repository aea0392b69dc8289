"""What a graph knows beside its target behaviour, as sparse matrices over its users and items."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy import sparse

from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.schema import UNDIRECTED, Triple
from graphrec.vocabulary import Vocabulary

#: Texts on behaviour whose values repeat and describe the item (and the user): TAGGED {tag}.
ATTRIBUTE_TEXTS = ("tag",)

#: Properties of social edges that say how much one user trusts another; edges that are not positive are left out.
TRUST = ("value", "weight")


@dataclass(frozen=True, eq=False)
class Relations:
    """All relations of a graph that touch users or items, but the target behaviour, each by its name.

    behaviours: other behaviours, over the same users and items.
    social: [num_users, num_users] float32, row u holds whom u follows; undirected relations are symmetric.
    user_attributes, item_attributes: [num_users or num_items, num_values] float32, one column for each genre, tag, …;
        a behaviour with a tag gives one of each, named `TAGGED.tag`, with the number of times the tag was given.
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
    """Where the edges of a relation are, so that those of one node can be read from a live graph.

    name, kind: as in Relations, the kind being its field; triple: the edge type; text: the property of its edges that
    names the value of an attribute, empty where the value is a node; values: the vocabulary of an attribute's columns.
    """

    name: str
    kind: str
    triple: Triple
    text: str = ""
    values: Vocabulary | None = None


def origins(graph: HeteroGraph) -> tuple[Origin, ...]:
    """The Origin of each of the relations that `relations` finds in a graph."""
    found: list[Origin] = []
    user, _, item = graph.target
    for triple in _forward(graph):
        name, ends = _name(graph, triple), {triple[0], triple[2]}
        if (triple[0], triple[2]) == (user, item):
            found.append(Origin(name, "behaviours", triple))
            for text in ATTRIBUTE_TEXTS:
                if text in graph.data[triple] and (values := graph.vocabularies.get(f"{triple[1]}.{text}")) is not None:
                    kinds = ("user_attributes", "item_attributes")
                    found += [Origin(f"{name}.{text}", kind, triple, text, values) for kind in kinds]
        elif ends in ({user}, {item}):
            found.append(Origin(name, "social" if ends == {user} else "item_items", triple))
        elif len(ends & {user, item}) == 1:
            kind = "user_attributes" if user in ends else "item_attributes"
            (label,) = ends - {user, item}
            found.append(Origin(name, kind, triple, values=graph.vocabularies[label]))
    return tuple(found)


def relations(graph: HeteroGraph) -> Relations:
    """The Relations of a graph. A name that several triples share gets the label at the other end: `IN:Genre`."""
    found: dict[str, dict[str, sparse.csr_array]] = {kind: {} for kind in ("social", "user", "item", "item_items")}
    behaviours: dict[str, Interactions] = {}
    user, _, item = graph.target
    for triple in _forward(graph):
        source, _, target = triple
        name = _name(graph, triple)
        if (source, target) == (user, item):
            behaviours[name] = interactions(replace(graph, target=triple))
            _add_texts(graph, triple, name, found)
        elif source == target == user:
            found["social"][name] = _social(graph, triple)
        elif source == target == item:
            found["item_items"][name] = _symmetric(_matrix(graph, triple))
        elif source in (user, item) and target not in (user, item):
            found["user" if source == user else "item"][name] = _matrix(graph, triple)
        elif target in (user, item) and source not in (user, item):
            found["user" if target == user else "item"][name] = _matrix(graph, triple).T.tocsr()
    return Relations(behaviours, found["social"], found["user"], found["item"], found["item_items"])


def _forward(graph: HeteroGraph) -> list[Triple]:
    """The edge types but the target behaviour and those that are others read backwards."""
    triples: list[Triple] = graph.data.edge_types
    return [triple for triple in triples if not triple[1].startswith("rev_") and triple != graph.target]


def _name(graph: HeteroGraph, triple: Triple) -> str:
    source, relation, target = triple
    twins = [other for other in _forward(graph) if other[1] == relation]
    if len(twins) == 1:
        return relation
    return f"{relation}:{target if source in (graph.target[0], graph.target[2]) else source}"


def _matrix(graph: HeteroGraph, triple: Triple, values: torch.Tensor | None = None) -> sparse.csr_array:
    source, _, target = triple
    rows, columns = graph.data[triple].edge_index.numpy()
    shape = (graph.data[source].num_nodes, graph.data[target].num_nodes)
    data = np.ones(len(rows), dtype=np.float32) if values is None else values.numpy().astype(np.float32)
    matrix = sparse.csr_array((data, (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    if values is None:
        matrix.data[:] = 1.0
    return matrix


def _social(graph: HeteroGraph, triple: Triple) -> sparse.csr_array:
    store = graph.data[triple]
    values = next((store[name] for name in TRUST if name in store), None)
    matrix = _matrix(graph, triple, None if values is None else values.nan_to_num(nan=1.0))
    matrix.data[matrix.data < 0] = 0.0  # distrust is no preference
    matrix.eliminate_zeros()
    return _symmetric(matrix) if triple[1] in UNDIRECTED else matrix


def _symmetric(matrix: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array(matrix.maximum(matrix.T.tocsr()))


def _add_texts(graph: HeteroGraph, triple: Triple, name: str, found: dict[str, dict[str, sparse.csr_array]]) -> None:
    """The values of a repeating text on a behaviour as attributes of its users and of its items."""
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
            found[kind][f"{name}.{text}"] = matrix
