"""Scores of a run's model for one user of the live graph, who may be new or changed since training."""

from functools import cache, partial

import numpy as np

from graphrec.errors import GraphrecError
from graphrec.interactions import FloatArray
from graphrec.models.base import ROUNDING_ERROR
from graphrec.ranking.options import rank_by_id
from graphrec.reranking.batch import item_vectors
from graphrec.reranking.item_features import ItemVectors
from graphrec.runs import TrainedRun
from graphrec.serving.answer import Strategy
from graphrec.serving.candidates import Candidate, add_titles, top_positions
from graphrec.serving.new_items import NewItems
from graphrec.serving.user_context import UserContext
from graphrec.serving.user_rows import FoldInInput, encode_user
from graphrec.store import Store

#: Extra candidates fetched per request: some may have been deleted since training.
SPARE = 20


class FoldIn:
    """Ranks items for live users with a loaded run; data that all users share is computed once."""

    def __init__(self, store: Store, trained: TrainedRun) -> None:
        self.trained = trained
        self._store = store
        self._new_items = NewItems(store, trained)
        self._order = rank_by_id(trained.items)
        self._seen = trained.seen.matrix()
        #: The items and their vectors, computed when a rule first needs them, because user vectors are computed too.
        self.vectors: ItemVectors = cache(partial(item_vectors, trained))
        trained.users.find_positions(["x"])  # pandas builds its hash table at the first look-up
        trained.items.find_positions(["x"])

    def candidates(self, user: UserContext, seen: set[str], limit: int) -> tuple[list[Candidate], str]:
        """The best items for a user, including items newer than the run, and a note on their evidence.

        The list is empty if the model knows nothing about the user or cannot fold in; then the note says why, but is
        empty if the graph does not have the user.
        """
        run, encoded = self.trained.run, encode_user(user, self.trained)
        index = int(self.trained.users.find_positions([user.user])[0])
        evidence = _describe_evidence(encoded, self.trained.model.reads_relations)
        if not evidence and index < 0:
            return [], f"run {run.id} knows nothing of what this user did" if user.properties else ""
        try:
            scores, strategy = self._scores(encoded, index)
        except GraphrecError as error:
            return [], str(error)
        rounding_error = _rounding_error(scores)  # over all items, before the seen ones are masked
        for item in self.trained.items.find_positions(sorted(seen)):
            if item >= 0:
                scores[item] = -np.inf
        best = self._select_best(scores, limit, rounding_error)
        if strategy is Strategy.FOLD_IN:
            new = [pair for pair in self._score_new_items(encoded, rounding_error) if pair[0] not in seen]
            if new:
                best = sorted([*best, *new], key=lambda pair: (-pair[1], pair[0]))[: limit + SPARE]
            detail = f"from {evidence or 'no interactions'}"
            how = f"folded in {detail}"
        else:
            detail, how = run.model, "reranked"
        note = f"{how} by {run.model}, run {run.id}"
        if encoded.num_unknown_items:
            note += f"; the run does not know {encoded.num_unknown_items} of the user's items"
        return add_titles(self._store, best, strategy, detail, run.id)[:limit], note

    def _scores(self, encoded: FoldInInput, index: int) -> tuple[FloatArray, Strategy]:
        """Scores [num_items] and the strategy: as in training if the user's behaviour is unchanged, else folded in."""
        model, user = self.trained.model, np.array([index])
        unchanged = index >= 0 and set(encoded.target.item_index.tolist()) == set(self._seen[user].indices.tolist())
        if not unchanged:
            try:
                folded = model.fold_in_users(encoded.target, encoded.relations)
                return folded[0].cpu().numpy().copy(), Strategy.FOLD_IN
            except GraphrecError:
                if index < 0:
                    raise
        return model.score(user)[0].cpu().numpy().copy(), Strategy.RERANKED

    def _select_best(self, scores: FloatArray, limit: int, rounding_error: float) -> list[tuple[str, float]]:
        model, items = self.trained.model, self.trained.items
        positions = top_positions(scores, limit + SPARE, self._order, model.has_signed_scores, rounding_error)
        return list(zip(items.id(positions).tolist(), scores[positions].tolist(), strict=True))

    def _score_new_items(self, encoded: FoldInInput, rounding_error: float) -> list[tuple[str, float]]:
        """The items that are newer than the run, with their scores; empty if the model cannot score them."""
        new = self._new_items.current()
        if not new.ids:
            return []
        scores = self.trained.model.fold_in_new_items(encoded.target, encoded.relations, new.attributes)
        if scores is None:
            return []
        pairs = zip(new.ids, scores[0].cpu().numpy().tolist(), strict=True)
        return [(item, score) for item, score in pairs if score > rounding_error]


def _rounding_error(scores: FloatArray) -> float:
    """The size up to which a score of one user [num_items] is a rounding error."""
    return ROUNDING_ERROR * float(np.abs(scores[np.isfinite(scores)]).max(initial=0.0))


def _describe_evidence(encoded: FoldInInput, reads_relations: bool) -> str:
    """What the model reads about the user: `3 interactions`; without any, `2 friends and 1 attribute`, or empty."""
    interactions = len(encoded) if reads_relations else len(encoded.target)
    counts = [(interactions, "interaction")]
    if not interactions and reads_relations:
        counts = [(encoded.num_friends, "friend"), (encoded.num_attributes, "attribute")]
    return " and ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts if number)
