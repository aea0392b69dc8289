"""All features of the nodes of a label, concatenated."""

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

#: Property -> the texts of the nodes of a label, in the order of the vocabulary; None for nodes without a text.
Texts = Mapping[str, Sequence[str | None]]


def number_features(graph: HeteroGraph, label: str) -> Tensor | None:
    """The standardised numeric properties of each node, [num_nodes, dim] float32; None if the label has none.

    A property that some nodes lack is 0 (its mean) for them, and has a second column: 1 for nodes that have it, else 0.
    """
    columns = []
    for _, values in sorted(graph.data[label].items()):
        if not isinstance(values, Tensor) or values.dim() != 1:
            continue  # num_nodes, and tensors that a program has added
        is_known = values.double().isfinite()
        if not is_known.any():
            continue
        column = torch.zeros(len(values))
        column[is_known] = standardise(values.double()[is_known, None])[:, 0]
        columns += [column] if is_known.all() else [column, is_known.float()]
    return torch.stack(columns, dim=1) if columns else None


def node_features(
    graph: HeteroGraph,
    label: str,
    rng: np.random.Generator,
    texts: Texts | None = None,
    extra: Tensor | None = None,
    width: int = 64,
) -> Tensor | None:
    """The features of the nodes of a label, [num_nodes, dim] float32; None if there are no features.

    The columns are, in this order: numeric properties, structure and `extra`, standardised; times; attributes and
    `texts`, each scaled to a mean square of 1.

    Args:
        graph: the graph.
        label: the label.
        rng: generator of the reduction of wide features.
        texts: texts of the nodes, which a graph does not contain (they are in the database).
        extra: other features, [num_nodes, any].
        width: maximum number of columns of each attribute relation and each text property.

    Raises:
        DataError: the number of texts or of rows of `extra` is not that of the nodes.
    """
    num_nodes = int(graph.data[label].num_nodes)
    _check_lengths(label, num_nodes, texts or {}, extra)
    if not num_nodes:
        return None
    text_blocks = [text_features(values, rng, width) for _, values in sorted((texts or {}).items())]
    standard = [number_features(graph, label), structure_features(graph, label), extra]
    blocks = [standardise(block) for block in standard if block is not None]
    blocks += [block for block in (time_features(graph, label),) if block is not None]
    blocks += [
        _scale_block(block)
        for block in (category_features(graph, label, rng, width), *text_blocks)
        if block is not None
    ]
    return torch.cat(blocks, dim=1) if blocks else None


def _scale_block(block: Tensor) -> Tensor:
    """The block divided by its root mean square, so that it has the scale of standardised columns."""
    size = block.square().mean().sqrt()
    return block / size if size > 0 else block


def _check_lengths(label: str, num_nodes: int, texts: Texts, extra: Tensor | None) -> None:
    lengths = {f"texts '{name}'": len(values) for name, values in texts.items()}
    if extra is not None:
        lengths["extra coordinates"] = len(extra)
    for what, length in lengths.items():
        if length != num_nodes:
            raise DataError(
                f"{label} has {num_nodes:,} nodes, but there are {length:,} {what}; "
                "give one for each node in the order of the vocabulary, None if it has none"
            )
