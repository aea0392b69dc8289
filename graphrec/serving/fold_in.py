"""A run's model, asked about one user as the live graph has them now."""

from functools import cache, partial

import numpy as np

from graphrec.errors import GraphrecError
from graphrec.interactions import FloatArray
from graphrec.models.base import ROUNDING_ERROR
from graphrec.ranking.options import id_order
from graphrec.reranking.batch import vectors_of
from graphrec.reranking.item_features import Vectors
from graphrec.runs import TrainedRun
from graphrec.serving.answer import FOLDED_IN, RANKED
from graphrec.serving.candidates import Candidate, best, with_titles
from graphrec.serving.new_items import NewItems
from graphrec.serving.user_context import UserContext
from graphrec.serving.user_rows import FoldInInput, newcomer
from graphrec.store import Store

#: So many more candidates than are wanted are named, as some may have left the graph.
SPARE = 20


class FoldIn:
    """Answers from a loaded run; what does not change from user to user is made once."""

    def __init__(self, store: Store, trained: TrainedRun) -> None:
        self.trained = trained
        self._store = store
        self._fresh = NewItems(store, trained)
        self._order = id_order(trained.items)
        self._seen = trained.seen.matrix()
        #: The items and their vectors, made when rules first ask for them: a model makes those of users beside.
        self.vectors: Vectors = cache(partial(vectors_of, trained))
        trained.users.places(["x"])  # pandas makes its table of positions at the first question
        trained.items.places(["x"])

    def candidates(self, life: UserContext, seen: set[str], limit: int) -> tuple[list[Candidate], str]:
        """The best items for a user, of those that the run knows and of fresh ones, and a sentence that says from what.

        None where the model knows nothing of the user or cannot answer; the sentence says which.
        """
        run, someone = self.trained.run, newcomer(life, self.trained)
        index = int(self.trained.users.places([life.user])[0])
        way = _way(someone, self.trained.model.reads_relations)
        if not way and index < 0:
            return [], f"run {run.id} knows nothing of what this user did"
        try:
            scores, way = self._scores(someone, index, way)
        except GraphrecError as error:
            return [], str(error)
        rounding = _rounding_error(scores)  # of all items, before those that were seen are taken out
        for item in self.trained.items.places(sorted(seen)):
            if item >= 0:
                scores[item] = -np.inf
        found = self._best(scores, limit, rounding)
        fresh = [pair for pair in self._fresh_scores(someone, rounding) if pair[0] not in seen] if way != RANKED else []
        merged = sorted([*found, *fresh], key=lambda pair: (-pair[1], pair[0]))[: limit + SPARE] if fresh else found
        strange = f"; the run does not know {someone.strange} of the items they met" if someone.strange else ""
        told = f"{way} by {run.model}, run {run.id}{strange}"
        return with_titles(self._store, merged, way, run.id)[:limit], told

    def _scores(self, someone: FoldInInput, index: int, way: str) -> tuple[FloatArray, str]:
        """Scores [num_items], and the way: those of training for a user who has done nothing since."""
        model, user = self.trained.model, np.array([index])
        if index >= 0 and set(someone.target.item_index.tolist()) == set(self._seen[user].indices.tolist()):
            return model.score(user)[0].cpu().numpy().copy(), RANKED
        try:
            return model.fold_in_newcomers(someone.target, someone.around)[0].cpu().numpy().copy(), way
        except GraphrecError:
            if index < 0:
                raise
            return model.score(user)[0].cpu().numpy().copy(), RANKED

    def _best(self, scores: FloatArray, limit: int, rounding: float) -> list[tuple[str, float]]:
        positions = best(scores, limit + SPARE, self._order, self.trained.model.has_signed_scores, rounding)
        return list(zip(self.trained.items.id(positions).tolist(), scores[positions].tolist(), strict=True))

    def _fresh_scores(self, someone: FoldInInput, rounding: float) -> list[tuple[str, float]]:
        """NewItems items with their scores, where the model can tell any."""
        fresh = self._fresh.items()
        if not fresh.ids:
            return []
        found = self.trained.model.fold_in_new_items(someone.target, someone.around, fresh.attributes)
        if found is None:
            return []
        scores = found[0].cpu().numpy().tolist()
        return [(item, score) for item, score in zip(fresh.ids, scores, strict=True) if score > rounding]


def _rounding_error(scores: FloatArray) -> float:
    """The size up to which one of these scores [num_items] of a user is a rounding error."""
    return ROUNDING_ERROR * float(np.abs(scores[np.isfinite(scores)]).max(initial=0.0))


def _way(someone: FoldInInput, reads_relations: bool) -> str:
    """`folded in from 3 interactions`, or where there are none from friends and attributes; empty: from nothing."""
    interactions = len(someone) if reads_relations else len(someone.target)
    parts = [(interactions, "interaction")]
    if not interactions and reads_relations:
        parts = [(someone.friends, "friend"), (someone.values, "attribute")]
    told = [f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in parts if number]
    return f"{FOLDED_IN} from {' and '.join(told)}" if told else ""
