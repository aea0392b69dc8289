"""Greedy selection of one list by maximal marginal relevance and caps per category."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphrec.interactions import FloatArray
from graphrec.reranking.spec import Cap


@dataclass(frozen=True, eq=False)
class Selection:
    """Positions of the selected items in list order; and, by position, the title of the cap that removed an item."""

    chosen: list[int]
    capped: dict[int, str]


def select(
    scores: FloatArray,
    k: int,
    caps: Sequence[tuple[Cap, Sequence[tuple[str, ...]]]],
    similarity: FloatArray | None = None,
    lambda_: float = 1.0,
) -> Selection:
    """Select k of m items one by one.

    scores [m], best first; caps with the categories of each item [m]; similarity [m, m] and `lambda_`, the λ of
    maximal marginal relevance. Without `similarity` items are selected by score.
    """
    relevance = -np.arange(len(scores), dtype=np.float64) if similarity is None else lambda_ * _scaled(scores)
    highest_similarity = np.zeros(len(scores))  # of each item to the items selected so far
    is_open = np.ones(len(scores), dtype=bool)
    counts: Counter[tuple[str, str]] = Counter()
    chosen: list[int] = []
    capped: dict[int, str] = {}
    while len(chosen) < k and is_open.any():
        value = relevance if similarity is None else relevance - (1 - lambda_) * highest_similarity
        best = int(np.argmax(np.where(is_open, value, -np.inf)))
        is_open[best] = False
        full = [cap.title for cap, of in caps if any(counts[cap.name, each] >= cap.max for each in of[best])]
        if full:
            capped[best] = full[0]
            continue
        chosen.append(best)
        counts.update((cap.name, each) for cap, of in caps for each in of[best])
        if similarity is not None:
            highest_similarity = np.maximum(highest_similarity, similarity[best])
    return Selection(chosen, capped)


def _scaled(scores: FloatArray) -> FloatArray:
    """Scores [m] divided by the highest; if some are negative, scaled from the lowest (0) to the highest (1)."""
    least = min(float(scores.min(initial=0.0)), 0.0)
    span = float(scores.max(initial=0.0)) - least
    found: FloatArray = (scores - least) / (span or 1.0)
    return found
