"""The training view: the part of a graph that a model may see, without test interactions and what reveals them."""

import copy
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from graphrec.hetero import HeteroGraph, Mask, property_key, reverse
from graphrec.interactions import Interactions
from graphrec.schema import SYSTEM_RELATIONS, Triple, reverse_name


def restrict(
    graph: HeteroGraph, train: Interactions, cut: int | None = None, held: Interactions | None = None
) -> HeteroGraph:
    """The graph that a model may see; the input is not changed.

    It has only the training interactions of the target behaviour. Left out are edges of other types with a time of
    `cut` or later (edges without a time stay); edges of other behaviours between a user and an item of `held`, since a
    view or a tag of a test item would reveal it; everything that graphrec published; and attributes that are derived
    from hidden events only (`find_derived`).
    """
    data = copy.copy(graph.data)
    if "histories" in data:  # an exported graph has them, with all events
        del data.histories
    pairs = torch.from_numpy(np.stack([train.user_index, train.item_index]))
    targets = (graph.target, reverse(graph.target))
    hidden = {triple: _find_hidden(graph, triple, cut, held) for triple in data.edge_types if triple not in targets}
    if any(_find_named_nodes(graph, graph.target, label) is not None for label in data.node_types):
        is_train = _joins_pair_of(graph.data[graph.target].edge_index, graph.target, graph.target, train)
        hidden[graph.target] = ~is_train | _find_hidden(graph, graph.target, cut, None)
    for triple in data.edge_types:
        store = data[triple]
        if triple in targets:
            forward = triple == graph.target
            for name in list(store.keys()):
                del store[name]
            store.edge_index = pairs if forward else pairs.flip(0)
            if train.time is not None:
                store.timestamp = torch.from_numpy(train.time)
            if train.weight is not None:
                store.edge_weight = torch.from_numpy(train.weight)
            continue
        _, from_hidden = find_derived(graph, triple, store.edge_index, hidden)
        if "timestamp" in store:  # the time of an edge, if known, decides instead
            from_hidden = from_hidden & store.timestamp.isnan().numpy()
        if (removed := hidden[triple] | from_hidden).any():
            keep = torch.from_numpy(~removed)
            for name, value in list(store.items()):
                store[name] = value[:, keep] if name == "edge_index" else value[keep]
    return HeteroGraph(data, graph.vocabularies, graph.target)


def find_derived(
    graph: HeteroGraph, triple: Triple, edge_index: Tensor, hidden: Mapping[Triple, Mask]
) -> tuple[Mask, Mask]:
    """Which edges [num_edges] of a type are derived from events of the graph, and which only from hidden events.

    An attribute of a user or an item, such as (Item)-[HAS_TAG]->(Tag), is derived from events if its label is the name
    of a text property of a behaviour, TAGGED {tag}, and an event of the user or item has exactly the id of the
    attribute's node as this text. `hidden` masks the events [num_edges] of each behaviour that a model must not see.
    """
    no_edges = np.zeros(edge_index.shape[1], dtype=bool)
    user, _, item = graph.target
    swapped = triple[2] in (user, item)
    owner, label = (triple[2], triple[0]) if swapped else (triple[0], triple[2])
    if owner not in (user, item) or label in (user, item):
        return no_edges, no_edges
    codes_by_state: dict[bool, list[npt.NDArray[np.int64]]] = {True: [], False: []}  # by whether the event is hidden
    for behaviour, is_hidden in hidden.items():
        if (behaviour[0], behaviour[2]) != (user, item):
            continue
        if (node := _find_named_nodes(graph, behaviour, label)) is not None:
            codes = graph.data[behaviour].edge_index[0 if owner == user else 1].numpy() * len(graph.vocabularies[label])
            for state in (True, False):
                codes_by_state[state].append((codes + node)[(is_hidden == state) & (node >= 0)])
    if not codes_by_state[True]:
        return no_edges, no_edges
    first, second = edge_index.numpy()[::-1] if swapped else edge_index.numpy()
    edge_codes = first * len(graph.vocabularies[label]) + second
    by_visible, by_hidden = (np.isin(edge_codes, np.concatenate(codes_by_state[state])) for state in (False, True))
    return by_visible | by_hidden, by_hidden & ~by_visible


def _find_named_nodes(graph: HeteroGraph, behaviour: Triple, label: str) -> npt.NDArray[np.int64] | None:
    """The node of a label that each event [num_edges] names in the text property of this name, -1 without a node.

    None if the behaviour has no such property.
    """
    store = graph.data[behaviour]
    for name in store.keys():  # noqa: SIM118  # a store of PyG is not a mapping
        texts = graph.vocabularies.get(property_key(behaviour[1], name))
        if texts is not None and name.replace("_", "").casefold() == label.casefold():
            node_of_text = np.append(graph.vocabularies[label].ids.get_indexer(texts.ids), -1)
            return np.asarray(node_of_text[store[name].numpy()], dtype=np.int64)  # a missing text is -1, the last
    return None


def _find_hidden(graph: HeteroGraph, triple: Triple, cut: int | None, held: Interactions | None) -> Mask:
    """Which edges [num_edges] of a type a model must not see, apart from derived ones."""
    store = graph.data[triple]
    hidden = np.full(store.edge_index.shape[1], triple[1].removeprefix(reverse_name("")) in SYSTEM_RELATIONS)
    if cut is not None and "timestamp" in store:
        hidden |= (store.timestamp >= cut).numpy()  # NaN, an unknown time, is not hidden
    return hidden if held is None else hidden | _joins_pair_of(store.edge_index, triple, graph.target, held)


def _joins_pair_of(edge_index: Tensor, triple: Triple, target: Triple, rows: Interactions) -> Mask:
    """Which edges [num_edges] connect the user and the item of one of the rows, in either direction."""
    ends = (triple[0], triple[2])
    if ends not in ((target[0], target[2]), (target[2], target[0])):
        return np.zeros(edge_index.shape[1], dtype=bool)
    user, item = edge_index.numpy() if ends == (target[0], target[2]) else edge_index.flip(0).numpy()
    pairs = np.unique(rows.user_index * rows.num_items + rows.item_index)
    return np.isin(user * rows.num_items + item, pairs)
