"""Many users ranked by a run's model under rules at once: the users whose behaviour is still that of the training."""

from collections.abc import Sequence

import numpy as np

from graphrec.ranking.topk import recommend
from graphrec.reranking import RerankingRules
from graphrec.reranking.item_features import Vectors
from graphrec.reranking.rerank import rerank
from graphrec.runs import TrainedRun
from graphrec.schema import ITEM, USER
from graphrec.serving.answer import RANKED, Answer, Recommended
from graphrec.serving.candidates import titles
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun
from graphrec.store.connection import quote
from graphrec.vocabulary import IndexArray

_DID = f"""
UNWIND $ids AS id
MATCH (user:{USER} {{id: id}})-[:{{relation}}]->(item:{ITEM})
RETURN id, collect(DISTINCT item.id) AS items
"""


def ranked_under_rules(
    store: Store,
    trained: TrainedRun,
    run: ActiveRun,
    rules: RerankingRules,
    user_ids: Sequence[str],
    k: int,
    vectors: Vectors,
) -> dict[str, Answer]:
    """The answers of those users for whom the model alone has k items that the rules leave.

    Left out are users who are new to the run or did something since, and those whom the model or the rules leave with
    too few candidates: `Answers.of` looks deeper for each of them, and elsewhere. Recency counts from the newest
    candidate of all the users, and an answer has no trace.
    """
    users = _unchanged(store, trained, run, user_ids)
    limit = min(k * rules.depth, len(trained.items))
    if not len(users):
        return {}
    frame = recommend(trained, users, limit).frame
    frame = frame[frame["score"] != 0]  # the most popular items fill up lists, with score 0
    known = titles(store, list(frame["item_id"].unique()))
    frame = frame[frame["item_id"].isin(known.keys())]
    whole = frame["user_id"].value_counts().reindex(trained.users.id(users), fill_value=0) >= min(k, limit)
    found, _ = rerank(rules, store, frame[frame["user_id"].isin(whole.index[whole])], k, vectors)
    note = f"{RANKED} by {run.model}, run {trained.run.id}"
    answers = {}
    for user, rows in found.groupby("user_id", sort=False):
        if len(rows) < k:
            continue
        items = zip(rows["item_id"], rows["score"].tolist(), rows["rank"].tolist(), strict=True)
        places = tuple(Recommended(i, known[i], score, rank, RANKED, trained.run.id) for i, score, rank in items)
        answers[str(user)] = Answer(str(user), k, places, (note,))
    return answers


def _unchanged(store: Store, trained: TrainedRun, run: ActiveRun, user_ids: Sequence[str]) -> IndexArray:
    """The positions of the users whose items of the target behaviour, as far as the run knows them, are those of the
    training."""
    rows = store.read(_DID.replace("{relation}", quote(run.relation)), {"ids": list(user_ids)})
    items = {row["id"]: row["items"] for row in rows}
    seen = trained.seen.matrix()
    chosen = []
    for user, position in zip(user_ids, trained.users.places(user_ids).tolist(), strict=True):
        if position >= 0:
            now = trained.items.places(items.get(user, []))
            then = seen.indices[seen.indptr[position] : seen.indptr[position + 1]]
            if np.array_equal(np.unique(now[now >= 0]), np.unique(then)):
                chosen.append(position)
    return np.array(chosen, dtype=np.int64)
