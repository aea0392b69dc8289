"""The candidates of one user under rules."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from graphrec.reranking import RerankingRules, Trace
from graphrec.reranking.item_features import Vectors
from graphrec.reranking.rerank import rerank
from graphrec.serving.candidates import Candidate
from graphrec.store import Store


def ruled(
    store: Store, rules: RerankingRules, user: str, candidates: Sequence[Candidate], k: int, vectors: Vectors | None
) -> tuple[list[Candidate], Trace]:
    """The k candidates that the rules leave, in their order, and what each rule did.

    Counts of friends do not compare with a model's scores: the rules see those of the first way, and after its last
    item ever smaller ones. A score that they changed is shown where it is the first way's.
    """
    if not candidates:
        return [], Trace()
    frame = pd.DataFrame(
        {
            "user_id": user,
            "item_id": [each.item for each in candidates],
            "score": _comparable(candidates),
            "rank": range(1, len(candidates) + 1),
        }
    )
    found, trace = rerank(rules, store, frame, k, vectors, trace=True)
    by_id = {each.item: each for each in candidates}
    left = [(by_id[item], float(score)) for item, score in zip(found["item_id"], found["score"], strict=True)]
    first = candidates[0].way
    return [replace(each, score=score) if each.way == first else each for each, score in left], trace


def _comparable(candidates: Sequence[Candidate]) -> list[float]:
    """The scores of the first way, and scores below them for what came after it."""
    scores = [each.score for each in candidates if each.way == candidates[0].way]
    least = min(scores)
    later = range(1, len(candidates) - len(scores) + 1)
    return [*scores, *(least / (1 + place) if least > 0 else least - place for place in later)]
