"""All features of the nodes of one label, side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from graphrec.errors import DataError
from graphrec.features.category import category_features
from graphrec.features.reduction import standardise
from graphrec.features.structure import structure_features
from graphrec.features.text import text_features
from graphrec.features.time import time_features
from graphrec.hetero import HeteroGraph

#: Texts of the nodes of a label by property, in the order of its vocabulary; None where a node has none.
Texts = Mapping[str, Sequence[str | None]]


def number_features(graph: HeteroGraph, label: str) -> Tensor | None:
    """The numeric properties of each node, standardised, [num_nodes, dim] float32; None where the label has none.

    A property that some nodes lack is 0 (its mean) for them, and has a second column that is 1 where it is there.
    """
    columns = []
    for _, values in sorted(graph.data[label].items()):
        if not isinstance(values, Tensor) or values.dim() != 1:
            continue  # num_nodes, and whatever a program has put beside the properties
        known = values.double().isfinite()
        if not known.any():
            continue
        column = torch.zeros(len(values))
        column[known] = standardise(values.double()[known, None])[:, 0]
        columns += [column] if known.all() else [column, known.float()]
    return torch.stack(columns, dim=1) if columns else None


def node_features(
    graph: HeteroGraph,
    label: str,
    rng: np.random.Generator,
    texts: Texts | None = None,
    extra: Tensor | None = None,
    width: int = 64,
) -> Tensor | None:
    """Everything known of the nodes of a label, [num_nodes, dim] float32; None where nothing is.

    Side by side: numeric properties, structure and `extra` (coordinates from elsewhere, [num_nodes, any]), each column
    standardised; times, between −1 and 1 but for the activity; categories and `texts`, at most `width` columns for
    each relation or property, with a mean square of 1. A graph holds no texts of nodes (they stay in the database),
    so the caller passes them. Raises DataError unless there is one text or coordinate for each node.
    """
    num_nodes = int(graph.data[label].num_nodes)
    _check(label, num_nodes, texts or {}, extra)
    if not num_nodes:
        return None
    written = [text_features(values, rng, width) for _, values in sorted((texts or {}).items())]
    standard = [number_features(graph, label), structure_features(graph, label), extra]
    blocks = [standardise(block) for block in standard if block is not None]
    blocks += [block for block in (time_features(graph, label),) if block is not None]
    blocks += [_level(block) for block in (category_features(graph, label, rng, width), *written) if block is not None]
    return torch.cat(blocks, dim=1) if blocks else None


def _level(block: Tensor) -> Tensor:
    """The block over its root mean square: coordinates of short rows would vanish beside standardised columns."""
    size = block.square().mean().sqrt()
    return block / size if size > 0 else block


def _check(label: str, num_nodes: int, texts: Texts, extra: Tensor | None) -> None:
    lengths = {f"texts '{name}'": len(values) for name, values in texts.items()}
    if extra is not None:
        lengths["extra coordinates"] = len(extra)
    for what, length in lengths.items():
        if length != num_nodes:
            raise DataError(
                f"{label} has {num_nodes:,} nodes, but there are {length:,} {what}; "
                "give one for each node in the order of the vocabulary, None if it has none"
            )
