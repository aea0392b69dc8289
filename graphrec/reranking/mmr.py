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
    relevance = -np.arange(len(scores), dtype=np.float64) if similarity is None else lambda_ * _scale(scores)
    highest_similarity = np.zeros(len(scores))  # of each item to the items selected so far
    is_open = np.ones(len(scores), dtype=bool)
    counts: Counter[tuple[str, str]] = Counter()
    chosen: list[int] = []
    capped: dict[int, str] = {}
    while len(chosen) < k and is_open.any():
        value = relevance if similarity is None else relevance - (1 - lambda_) * highest_similarity
        best = int(np.argmax(np.where(is_open, value, -np.inf)))
        is_open[best] = False
        exceeded = [
            cap.title for cap, categories in caps if any(counts[cap.name, each] >= cap.max for each in categories[best])
        ]
        if exceeded:
            capped[best] = exceeded[0]
            continue
        chosen.append(best)
        counts.update((cap.name, each) for cap, categories in caps for each in categories[best])
        if similarity is not None:
            highest_similarity = np.maximum(highest_similarity, similarity[best])
    return Selection(chosen, capped)


def _scale(scores: FloatArray) -> FloatArray:
    """Scores [m] divided by the highest; if some are negative, scaled from the lowest (0) to the highest (1)."""
    lowest = min(float(scores.min(initial=0.0)), 0.0)
    span = float(scores.max(initial=0.0)) - lowest
    scaled: FloatArray = (scores - lowest) / (span or 1.0)
    return scaled
