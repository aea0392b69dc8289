"""Whether the zeros of a rating look like "not rated" rather than like the lowest mark."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it loads torch
    from graphrec.hetero import HeteroGraph

#: Zeros are noticed if they are at least this share of the ratings and the most frequent value of all.
SHARE = 0.1

#: The other marks begin at 1 or above and are at least this many: a scale of 1 to 5, 1 to 10 or 10 to 100.
MARKS = 3


def zeros_that_mean_nothing(counts: Mapping[float, int], relation: str) -> str:
    """A sentence on what zeros of `rating` most likely are and what to do, from the number of each value; empty if
    they look like marks, as on a scale with a half or with negative values."""
    zeros, total = counts.get(0.0, 0), sum(counts.values())
    marks = {value: number for value, number in counts.items() if value != 0}
    if len(marks) < MARKS or min(marks) < 1 or zeros < SHARE * total or zeros < max(marks.values()):
        return ""
    low, high = (f"{value:g}" for value in (min(marks), max(marks)))
    return (
        f"{zeros:,} of {total:,} {relation} edges have the rating 0 and the others {low} to {high}: these zeros most "
        f'likely mean "not rated". Ranking models count the edge alone; for a model of ratings (mf with loss=mse), and '
        f'to weigh them apart, load them as another behaviour: where = {{ rating = ["{low}", …, "{high}"] }} in '
        f'[edges.{relation}], where = {{ rating = "0" }} in [edges.VIEWED]'
    )


def of_graph(graph: "HeteroGraph") -> str:
    """The same for the behaviour that models predict; empty if it has no ratings."""
    store = graph.data[graph.target]
    if "rating" not in store:
        return ""
    values, numbers = np.unique(store.rating.numpy().astype(np.float64), return_counts=True)
    counts = {value: number for value, number in zip(values.tolist(), numbers.tolist(), strict=True) if value == value}
    return zeros_that_mean_nothing(counts, graph.target[1])
