"""Meta-paths: sequences of edge types that random walks follow, chosen from the graph's schema or parsed from text."""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from graphrec.errors import DataError, UnknownNameError
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.schema import Triple, reverse_name

_PART = re.compile(r"(\w+)(?:-\[(\w+)\])?")


def choose_metapath(graph: HeteroGraph) -> list[Triple]:
    """A cycle that starts at users and passes the target behaviour, each attribute of items, and each relation between
    users: User-Item-Genre-Item-User-User if there are genres and friends."""
    user, relation, item = graph.target
    back: Triple = (item, reverse_name(relation), user)
    path: list[Triple] = []
    forward: list[Triple] = [t for t in graph.data.edge_types if not t[1].startswith("rev_") and _has_edges(graph, t)]
    for source, name, target in forward:
        if item in (source, target) and {source, target}.isdisjoint({user}) and source != target:
            to_attribute: Triple = (source, name, target)
            from_attribute: Triple = (target, reverse_name(name), source)
            detour = (to_attribute, from_attribute) if source == item else (from_attribute, to_attribute)
            path += [graph.target, *detour, back]
    path = path or [graph.target, back]
    return path + [triple for triple in forward if triple[0] == triple[2] == user]


def parse_metapath(text: str, graph: HeteroGraph) -> list[Triple]:
    """The edge types of a path such as `User-Item-Genre-Item-User` or `User-[RATED]-Item-User`.

    If several relations join two labels and the text names none of them, the target behaviour is taken if it is one.

    Raises:
        UnknownNameError: the graph has no such label or relation.
        DataError: the text has another form, does not end at its first label, leaves out users or items, or has two
            labels that no relation or several relations join.
    """
    if not re.fullmatch(r"\w+(-(\[\w+\]-)?\w+)+", text):
        raise DataError(f"metapath takes labels such as `User-Item-User`, not {text!r}")
    parts = [(label, relation or None) for label, relation in _PART.findall(text)]
    for label, _ in parts:
        if label not in graph.data.node_types:
            raise UnknownNameError("label", label, graph.data.node_types)
    if parts[0][0] != parts[-1][0]:
        raise DataError(f"the metapath {text} ends at {parts[-1][0]}; it must end where it begins, at {parts[0][0]}")
    missing = {graph.target[0], graph.target[2]} - {label for label, _ in parts}
    if missing:
        raise DataError(f"the metapath {text} must visit {' and '.join(sorted(missing))}")
    return [_find_relation(graph, a, relation, b) for (a, relation), (b, _) in pairwise(parts)]


def collect_edges(graph: HeteroGraph, interactions: Interactions, path: Sequence[Triple]) -> dict[Triple, Tensor]:
    """The edge_index [2, num_edges] of each edge type of a path; the edges of the target are `interactions`."""
    pairs = torch.from_numpy(np.stack([interactions.user_index, interactions.item_index]))
    user, relation, item = graph.target
    edges: dict[Triple, Tensor] = {graph.target: pairs, (item, reverse_name(relation), user): pairs.flip(0)}
    return {triple: edges[triple] if triple in edges else graph.data[triple].edge_index for triple in path}


def _has_edges(graph: HeteroGraph, triple: Triple) -> bool:
    return bool(graph.data[triple].num_edges)


def _find_relation(graph: HeteroGraph, source: str, relation: str | None, target: str) -> Triple:
    triples: list[Triple] = [t for t in graph.data.edge_types if (t[0], t[2]) == (source, target)]
    names = [t[1] for t in triples]
    if relation is not None:
        matches = [t for t in triples if t[1] in (relation, reverse_name(relation))]
        if not matches:
            raise UnknownNameError("relation", relation, names, owner=f"from {source} to {target} the graph")
        return matches[0]
    behaviour, reverse = graph.target, (graph.target[2], reverse_name(graph.target[1]), graph.target[0])
    preferred = [t for t in triples if t in (behaviour, reverse)] or [t for t in triples if not _is_reverse(t)]
    if len(preferred) == 1:
        return preferred[0]
    if not triples:
        raise DataError(f"no relation joins {source} and {target}, so no metapath passes them")
    raise DataError(
        f"{len(preferred)} relations join {source} and {target}: {', '.join(t[1] for t in preferred)}; "
        f"name one, as in {source}-[{preferred[0][1]}]-{target}"
    )


def _is_reverse(triple: Triple) -> bool:
    """Whether an edge type between nodes of one label is the reverse of another one."""
    return triple[0] == triple[2] and triple[1].startswith("rev_")
