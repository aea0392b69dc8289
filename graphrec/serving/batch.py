"""Reranked answers for many users at once: those whose behaviour is unchanged since the run was trained."""

from collections.abc import Sequence

import numpy as np

from graphrec.behaviours import EXCLUDING_BEHAVIOURS
from graphrec.ranking.topk import recommend
from graphrec.reranking import RerankingRules
from graphrec.reranking.item_features import ItemVectors
from graphrec.reranking.rerank import rerank
from graphrec.runs import TrainedRun
from graphrec.schema import ITEM, USER
from graphrec.serving.answer import Answer, Recommended, Strategy
from graphrec.serving.candidates import read_titles
from graphrec.serving.user_context import PARAMETERS
from graphrec.serving.user_rows import changed_from
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun
from graphrec.store.connection import quote
from graphrec.vocabulary import IndexArray

_HISTORIES = f"""
UNWIND $ids AS id
MATCH (user:{USER} {{id: id}})-[:{{relation}}]->(item:{ITEM})
WHERE NOT EXISTS {{
    MATCH (user)-[met]->(:{ITEM})
    WHERE type(met) IN $excluding OR (met.received > $changed_from AND NOT type(met) IN $system) }}
RETURN id, collect(DISTINCT item.id) AS items
"""


def rerank_for_users(
    store: Store,
    trained: TrainedRun,
    run: ActiveRun,
    rules: RerankingRules,
    user_ids: Sequence[str],
    k: int,
    vectors: ItemVectors,
) -> dict[str, Answer]:
    """The answers by user, for the users to whom the rules leave at least k items that the model scores.

    Users who are new to the run, whose behaviour has changed since, or who have too few candidates are left out:
    `OnlineRecommender.recommend` answers each of them with more candidates and other strategies. Recency counts from
    the newest candidate of all the users, and an answer has no trace.
    """
    users = _find_unchanged(store, trained, run, user_ids)
    limit = min(k * rules.depth, len(trained.items))
    if not len(users):
        return {}
    frame = recommend(trained, users, limit).frame
    frame = frame[frame["score"] != 0]  # the popular items that fill lists up have score 0
    titles = read_titles(store, list(frame["item_id"].unique()))
    frame = frame[frame["item_id"].isin(titles.keys())]
    enough = frame["user_id"].value_counts().reindex(trained.users.id(users), fill_value=0) >= min(k, limit)
    reranked, _ = rerank(rules, store, frame[frame["user_id"].isin(enough.index[enough])], k, vectors)
    note = f"reranked by {run.model}, run {trained.run.id}"
    answers = {}
    for user, rows in reranked.groupby("user_id", sort=False):
        if len(rows) < k:
            continue
        items = tuple(
            Recommended(item, titles[item], score, rank, Strategy.RERANKED, run.model, trained.run.id)
            for item, score, rank in zip(rows["item_id"], rows["score"].tolist(), rows["rank"].tolist(), strict=True)
        )
        answers[str(user)] = Answer(str(user), k, items, (note,))
    return answers


def _find_unchanged(store: Store, trained: TrainedRun, run: ActiveRun, user_ids: Sequence[str]) -> IndexArray:
    """The positions of users whose items by the target behaviour have not changed since training, who exclude none, and
    of whom no other events were received since that the model reads.

    Items that the run does not know are ignored.
    """
    parameters = {
        "ids": list(user_ids),
        "excluding": sorted(EXCLUDING_BEHAVIOURS),
        "changed_from": changed_from(trained),
        "system": PARAMETERS["system"],
    }
    rows = store.read(_HISTORIES.replace("{relation}", quote(run.relation)), parameters)
    items = {row["id"]: row["items"] for row in rows}
    seen = trained.seen.matrix()
    unchanged = []
    for user, position in zip(user_ids, trained.users.find_positions(user_ids).tolist(), strict=True):
        if position >= 0:
            now = trained.items.find_positions(items.get(user, []))
            then = seen.indices[seen.indptr[position] : seen.indptr[position + 1]]
            if np.array_equal(np.unique(now[now >= 0]), np.unique(then)):
                unchanged.append(position)
    return np.array(unchanged, dtype=np.int64)
