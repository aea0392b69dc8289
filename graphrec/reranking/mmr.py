"""The places of one list, filled one by one: no category more often than its cap, and each item unlike those above."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphrec.interactions import FloatArray
from graphrec.reranking.spec import Cap


@dataclass(frozen=True, eq=False)
class Selection:
    """Positions of the items that get the places, in their order; and of those left out, with the title of the cap."""

    chosen: list[int]
    capped: dict[int, str]


def select(
    scores: FloatArray,
    k: int,
    caps: Sequence[tuple[Cap, Sequence[tuple[str, ...]]]],
    alike: FloatArray | None = None,
    weight: float = 1.0,
) -> Selection:
    """The Selection of k of m items.

    scores [m], best first; caps with the categories of each item [m]; alike [m, m] and `weight`, the λ of maximal
    marginal relevance; without `alike` the places go by score.
    """
    worth = weight * _from_0_to_1(scores) if alike is not None else -np.arange(len(scores), dtype=np.float64)
    nearest = np.zeros(len(scores))  # the likeness of each item to the most similar one above
    open_ = np.ones(len(scores), dtype=bool)
    counts: Counter[tuple[str, str]] = Counter()
    chosen: list[int] = []
    capped: dict[int, str] = {}
    while len(chosen) < k and open_.any():
        value = worth if alike is None else worth - (1 - weight) * nearest
        best = int(np.argmax(np.where(open_, value, -np.inf)))
        open_[best] = False
        full = [cap.title for cap, of in caps if any(counts[cap.name, each] >= cap.max for each in of[best])]
        if full:
            capped[best] = full[0]
            continue
        chosen.append(best)
        counts.update((cap.name, each) for cap, of in caps for each in of[best])
        if alike is not None:
            nearest = np.maximum(nearest, alike[best])
    return Selection(chosen, capped)


def _from_0_to_1(scores: FloatArray) -> FloatArray:
    """Scores [m] as shares of the best; where some are negative, of the span."""
    least = min(float(scores.min(initial=0.0)), 0.0)
    span = float(scores.max(initial=0.0)) - least
    found: FloatArray = (scores - least) / (span or 1.0)
    return found
