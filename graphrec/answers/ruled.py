"""The candidates of one user under rules."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from graphrec.answers.candidates import Candidate
from graphrec.rules import Rules, Trace
from graphrec.rules.apply import rerank
from graphrec.rules.facts import Vectors
from graphrec.store import Store


def ruled(
    store: Store, rules: Rules, user: str, candidates: Sequence[Candidate], k: int, vectors: Vectors | None
) -> tuple[list[Candidate], Trace]:
    """The k candidates that the rules leave, in their order, and what each rule did.

    Scores of several ways do not compare, so there the rules work on 1 / place, and leave an item's score as it is.
    """
    if not candidates:
        return [], Trace()
    one_way = len({each.way for each in candidates}) == 1
    scores = [each.score if one_way else 1.0 / place for place, each in enumerate(candidates, start=1)]
    frame = pd.DataFrame(
        {
            "user_id": user,
            "item_id": [each.item for each in candidates],
            "score": scores,
            "rank": range(1, len(candidates) + 1),
        }
    )
    found, trace = rerank(rules, store, frame, k, vectors, trace=True)
    by_id = {each.item: each for each in candidates}
    pairs = zip(found["item_id"], found["score"], strict=True)
    return [replace(by_id[item], score=float(score) if one_way else by_id[item].score) for item, score in pairs], trace
