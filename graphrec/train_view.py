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
    """The graph that a model may see: of the target behaviour only the training interactions, of every relation with
    times only edges before `cut` (those without a time stay), of every other behaviour no pair of user and item that is
    in `held`: a view or a tag of a test item would reveal it. Nor anything that graphrec published, nor attributes
    that only events which it may not see explain (`derived`). The input is not changed."""
    data = copy.copy(graph.data)
    pairs = torch.from_numpy(np.stack([train.user_index, train.item_index]))
    targets = (graph.target, reverse(graph.target))
    hidden = {triple: _hidden(graph, triple, cut, held) for triple in data.edge_types if triple not in targets}
    if any(_values(graph, graph.target, label) is not None for label in data.node_types):
        kept = _among(graph.data[graph.target].edge_index, graph.target, graph.target, train)
        hidden[graph.target] = ~kept | _hidden(graph, graph.target, cut, None)
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
        _, later = derived(graph, triple, store.edge_index, hidden)
        if "timestamp" in store:  # a known time says more than what others say
            later = later & store.timestamp.isnan().numpy()
        if (gone := hidden[triple] | later).any():
            keep = torch.from_numpy(~gone)
            for name, value in list(store.items()):
                store[name] = value[:, keep] if name == "edge_index" else value[keep]
    return HeteroGraph(data, graph.vocabularies, graph.target)


def derived(graph: HeteroGraph, triple: Triple, edge_index: Tensor, hidden: Mapping[Triple, Mask]) -> tuple[Mask, Mask]:
    """Which edges [num_edges] of a type say what events of the graph say too, and for which all those are hidden.

    So does an attribute of a user or an item, such as (Item)-[HAS_TAG]->(Tag), whose label is the name of a text on a
    behaviour, TAGGED {tag}: `hidden` has the events [num_edges] of each behaviour that a model must not see. An edge
    that no event explains comes from elsewhere. The text must be the id of the attribute's node, letter by letter.
    """
    none = np.zeros(edge_index.shape[1], dtype=bool)
    user, _, item = graph.target
    swapped = triple[2] in (user, item)
    thing, label = (triple[2], triple[0]) if swapped else (triple[0], triple[2])
    if thing not in (user, item) or label in (user, item):
        return none, none
    codes_by_state: dict[bool, list[npt.NDArray[np.int64]]] = {True: [], False: []}  # by whether the event is hidden
    for behaviour, gone in hidden.items():
        if (behaviour[0], behaviour[2]) == (user, item) and (value := _values(graph, behaviour, label)) is not None:
            codes = graph.data[behaviour].edge_index[0 if thing == user else 1].numpy() * len(graph.vocabularies[label])
            for state in (True, False):
                codes_by_state[state].append((codes + value)[(gone == state) & (value >= 0)])
    if not codes_by_state[True]:
        return none, none
    first, second = edge_index.numpy()[::-1] if swapped else edge_index.numpy()
    wanted = first * len(graph.vocabularies[label]) + second
    open_, shut = (np.isin(wanted, np.concatenate(codes_by_state[state])) for state in (False, True))
    return open_ | shut, shut & ~open_


def _values(graph: HeteroGraph, behaviour: Triple, label: str) -> npt.NDArray[np.int64] | None:
    """The node of a label that each event [num_edges] names in the text of that name, -1 where it names none."""
    store = graph.data[behaviour]
    for name in store.keys():  # noqa: SIM118  # a store of PyG is no mapping
        texts = graph.vocabularies.get(property_key(behaviour[1], name))
        if texts is not None and name.replace("_", "").casefold() == label.casefold():
            place = np.append(graph.vocabularies[label].ids.get_indexer(texts.ids), -1)
            return np.asarray(place[store[name].numpy()], dtype=np.int64)  # a missing text is -1, the last
    return None


def _hidden(graph: HeteroGraph, triple: Triple, cut: int | None, held: Interactions | None) -> Mask:
    """Which edges [num_edges] of a type a model must not see, whatever the others are."""
    store = graph.data[triple]
    gone = np.full(store.edge_index.shape[1], triple[1].removeprefix(reverse_name("")) in SYSTEM_RELATIONS)
    if cut is not None and "timestamp" in store:
        gone |= (store.timestamp >= cut).numpy()  # NaN, an unknown time, stays
    return gone if held is None else gone | _among(store.edge_index, triple, graph.target, held)


def _among(edge_index: Tensor, triple: Triple, target: Triple, rows: Interactions) -> Mask:
    """Which edges [num_edges] between users and items, either way round, join a pair of some rows."""
    ends = (triple[0], triple[2])
    if ends not in ((target[0], target[2]), (target[2], target[0])):
        return np.zeros(edge_index.shape[1], dtype=bool)
    user, item = edge_index.numpy() if ends == (target[0], target[2]) else edge_index.flip(0).numpy()
    wanted = np.unique(rows.user_index * rows.num_items + rows.item_index)
    return np.isin(user * rows.num_items + item, wanted)
