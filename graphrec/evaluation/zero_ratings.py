"""Detects zeros of a rating that most likely mean "not rated" instead of the lowest mark."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it loads torch
    from graphrec.hetero import HeteroGraph

#: Minimum share of zeros among the ratings to report them; they must also be the most frequent value.
MIN_SHARE = 0.1

#: Minimum number of distinct other marks, which must all be at least 1: a scale of 1 to 5, 1 to 10 or 10 to 100.
MIN_MARKS = 3


def describe_missing_zeros(counts: Mapping[float, int], relation: str) -> str:
    """A sentence that zeros of `rating` most likely mean "not rated" and what to do, from the number of each value;
    empty if they may be marks, as on a scale with a half or with negative values."""
    zeros, total = counts.get(0.0, 0), sum(counts.values())
    marks = {value: number for value, number in counts.items() if value != 0}
    if len(marks) < MIN_MARKS or min(marks) < 1 or zeros < MIN_SHARE * total or zeros < max(marks.values()):
        return ""
    low, high = (f"{value:g}" for value in (min(marks), max(marks)))
    return (
        f"{zeros:,} of {total:,} {relation} edges have the rating 0 and the others {low} to {high}: these zeros most "
        f'likely mean "not rated". Ranking models ignore the value; for a model of ratings (mf with loss=mse), or '
        f'to weight them differently, load them as another behaviour: where = {{ rating = ["{low}", …, "{high}"] }} in '
        f'[edges.{relation}], where = {{ rating = "0" }} in [edges.VIEWED]'
    )


def describe_missing_zeros_in_graph(graph: "HeteroGraph") -> str:
    """The sentence of `zeros_that_mean_nothing` for the target behaviour; empty if it has no ratings."""
    store = graph.data[graph.target]
    if "rating" not in store:
        return ""
    values, numbers = np.unique(store.rating.numpy().astype(np.float64), return_counts=True)
    counts = {value: number for value, number in zip(values.tolist(), numbers.tolist(), strict=True) if value == value}
    return describe_missing_zeros(counts, graph.target[1])
