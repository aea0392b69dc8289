"""Candidate configs and the search space of sequence networks."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from graphrec.hetero import HeteroGraph
from graphrec.models.base import Range, Space
from graphrec.models.sequence_network.config import SequenceNetworkConfig

#: Mean number of events of a user from which histories count as long.
LONG_HISTORY = 50

#: Maximum number of events for which more than the default is tried: an epoch of more takes a minute on one core.
MAX_SEARCHED = 1 << 18

#: Settings for short and for long histories, those of the results on Amazon's reviews and on MovieLens 1M.
SHORT: dict[str, Any] = {"max_length": 50, "dropout": 0.3, "num_negatives": 1024, "batch_size": 1024}  # of any setting
LONG: dict[str, Any] = {"dropout": 0.1, "warmup_steps": 200, "epochs": 16}  # of any setting

#: Changes of single settings that are tried beside the default.
CHANGES: tuple[dict[str, Any], ...] = (  # of any setting
    {"dropout": 0.5},
    {"learning_rate": 0.001},
    {"learning_rate": 0.004},
    {"loss": "gbce", "num_negatives": 256},
)

C = TypeVar("C", bound=SequenceNetworkConfig)


def candidates(default: C, graph: HeteroGraph) -> list[C]:
    """The default for a graph, and for at most MAX_SEARCHED events changes of single settings.

    Short histories have half of the layers of `default`, rounded up, since deeper networks fit them too closely.
    """
    first = replace(default, **LONG)
    if not _has_long_histories(graph):
        first = replace(default, **SHORT, num_layers=(default.num_layers + 1) // 2)
    return [first, *(replace(first, **change) for change in CHANGES)] if _is_searched(graph) else [first]


def space(graph: HeteroGraph) -> Space:
    """The settings that matter most; empty for graphs of more than MAX_SEARCHED events."""
    if not _is_searched(graph):
        return {}
    return {
        "embedding_dim": (32, 64, 128),
        "num_layers": (1, 2, 3),
        "dropout": Range(0.05, 0.6),
        "num_negatives": (256, 512, 1024, 2048),
        "negative_exponent": Range(0.3, 1.0),
        "learning_rate": Range(5e-4, 1e-2, log=True),
        "epochs": Range(4, 40, log=True),
    }


def _has_long_histories(graph: HeteroGraph) -> bool:
    """Whether users with events have at least LONG_HISTORY events on average."""
    users = graph.data[graph.target].edge_index[0].numpy()
    return len(users) >= LONG_HISTORY * max(len(np.unique(users)), 1)


def _is_searched(graph: HeteroGraph) -> bool:
    return bool(graph.data[graph.target].num_edges <= MAX_SEARCHED)
