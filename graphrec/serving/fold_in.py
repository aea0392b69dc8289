"""Scores of a run's model for one user of the live graph, who may be new or changed since training."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from graphrec.errors import GraphrecError, format_value
from graphrec.explanation import Explanation, ReasonFinder, explain, explain_fold_in
from graphrec.interactions import FloatArray
from graphrec.models.base import ROUNDING_ERROR
from graphrec.ranking.options import rank_by_id
from graphrec.reranking.batch import item_vectors
from graphrec.reranking.item_features import ItemVectors
from graphrec.runs import TrainedRun
from graphrec.schema import ITEM
from graphrec.serving.answer import NoScoreError, Strategy
from graphrec.serving.candidates import Candidate, add_titles, read_titles, top_positions
from graphrec.serving.new_items import ItemRows, NewItems
from graphrec.serving.user_context import UserContext
from graphrec.serving.user_rows import FoldInInput, changed_from, encode_user
from graphrec.store import Store
from graphrec.vocabulary import IndexArray

#: Extra candidates fetched per request: some may have been deleted since training.
SPARE = 20


class FoldIn:
    """Ranks items for live users with a loaded run; data that all users share is computed once.

    A long-lived server gives `find_titles` and `find_new_items`, which answer from memory; by default the graph is read
    for each answer.

    find_titles: function of ids that returns a mapping with at least the titles of those that are in the graph.
    find_new_items: function that returns the items that the run does not know.
    """

    def __init__(
        self,
        store: Store,
        trained: TrainedRun,
        find_titles: Callable[[Sequence[str]], Mapping[str, Any]] | None = None,
        find_new_items: Callable[[], ItemRows] | None = None,
    ) -> None:
        self.trained = trained
        self._find_titles = find_titles or partial(read_titles, store)
        self._find_new_items = find_new_items or NewItems(store, trained).current
        self._changed_from = changed_from(trained)
        self._order = rank_by_id(trained.items)
        self._seen = trained.seen.matrix()
        #: The items and their vectors, computed when a rule first needs them, because user vectors are computed too.
        self.vectors: ItemVectors = cache(partial(item_vectors, trained))
        self._reason_finder = cache(partial(ReasonFinder, trained))
        trained.users.find_few([])  # builds the dict of the positions
        trained.items.find_few([])

    def candidates(self, user: UserContext, seen: set[str], limit: int) -> tuple[list[Candidate], str]:
        """The best items for a user, including items newer than the run, and a note on their evidence.

        The list is empty if the model knows nothing about the user or cannot fold in; then the note says why, but is
        empty if the graph does not have the user.
        """
        run, encoded = self.trained.run, encode_user(user, self.trained)
        index = int(self.trained.users.find_few([user.user])[0])
        evidence = _describe_evidence(encoded, self.trained.model.reads_relations)
        if not evidence and index < 0:
            return [], f"run {run.id} knows nothing of what this user did" if user.properties else ""
        try:
            scores, strategy = self._scores(user, encoded, index)
        except GraphrecError as error:
            return [], str(error)
        rounding_error = _rounding_error(scores)  # over all items, before the seen ones are masked
        known = self.trained.items.find_few(seen)
        scores[known[known >= 0]] = -np.inf
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
        titles = self._find_titles([item for item, _ in best])
        return add_titles(titles, best, strategy, detail, run.id)[:limit], note

    def knows(self, user: str) -> bool:
        """Whether the run was trained with a user."""
        return bool(self.trained.users.find_few([user])[0] >= 0)

    def has_changed(self, user: UserContext) -> bool:
        """Whether the user's items by the target behaviour are others than in training, where unknown items do not
        count; or the graph received events of the user since then, and the model reads other behaviours."""
        now = self.trained.items.find_few(edge.id for edge in user.behaviour(self.trained.run.relation))
        index = int(self.trained.users.find_few([user.user])[0])
        if set(now[now >= 0].tolist()) != self._training_items(index):
            return True
        received = (edge.properties.get("received", 0) for edge in user.edges if edge.label == ITEM)
        return max(received, default=0) > self._changed_from

    def find_reasons(self, user: str, items: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Id and label of the strongest reason of each item's score as of the training, for a user and items that the
        run knows; items without a reason are left out."""
        index = int(self.trained.users.find_few([user])[0])
        known, positions = self._find_known(items)
        if index < 0 or not known:
            return {}
        return _name_reasons(known, self._reason_finder().find(np.full(len(known), index), positions))

    def find_fold_in_reasons(self, user: UserContext, items: Sequence[str]) -> dict[str, tuple[str, str]]:
        """As `find_reasons` for the scores that the model gives the user by fold-in. Items that are newer than the run
        are left out; so are all items if the model cannot fold in users."""
        known, positions = self._find_known(items)
        if not known:
            return {}
        encoded = encode_user(user, self.trained)
        try:
            found = self._reason_finder().find_for_fold_in(encoded.target, encoded.relations, positions)
        except GraphrecError:
            return {}
        return _name_reasons(known, found)

    def explain(self, user: UserContext, item: str, top: int) -> Explanation:
        """Why the model gives an item its score in `candidates`, without titles: folded in, or as of the training if
        the user's behaviour is unchanged or the model cannot fold in users.

        Raises:
            NoScoreError: the run does not know the item, or knows nothing of the user.
            GraphrecError: the model cannot fold in a user who is not in the training.
        """
        trained = self.trained
        index = int(trained.users.find_few([user.user])[0])
        if trained.items.find_few([item])[0] < 0:
            raise NoScoreError(
                f"run {trained.run.id} was trained without the item '{format_value(item)}', so it has no score to "
                "explain; the next training will know the item"
            )
        encoded = encode_user(user, trained)
        if index < 0 and not _describe_evidence(encoded, trained.model.reads_relations):
            raise NoScoreError(
                f"run {trained.run.id} was trained without the user '{format_value(user.user)}' and knows nothing of "
                "what this user did since, so it has no score to explain"
            )
        if index < 0 or self.has_changed(user):
            try:
                return explain_fold_in(trained, user.user, encoded.target, encoded.relations, item, top)
            except GraphrecError:
                if index < 0:
                    raise
        return explain(trained, user.user, item, top)

    def _find_known(self, items: Sequence[str]) -> tuple[list[str], IndexArray]:
        """Those of some items that the run knows, and their positions."""
        positions = self.trained.items.find_few(items)
        known = [item for item, position in zip(items, positions.tolist(), strict=True) if position >= 0]
        return known, positions[positions >= 0]

    def _training_items(self, index: int) -> set[int]:
        """The positions of the items that a user had in training; empty for an unknown user, whose index is -1."""
        return set() if index < 0 else set(self._seen.indices[slice(*self._seen.indptr[index : index + 2])].tolist())

    def _scores(self, user: UserContext, encoded: FoldInInput, index: int) -> tuple[FloatArray, Strategy]:
        """Scores [num_items] and the strategy: as in training if the user's behaviour is unchanged, else folded in."""
        model = self.trained.model
        if index < 0 or self.has_changed(user):
            try:
                folded = model.fold_in_users(encoded.target, encoded.relations)
                return folded[0].cpu().numpy().copy(), Strategy.FOLD_IN
            except GraphrecError:
                if index < 0:
                    raise
        return model.score(np.array([index]))[0].cpu().numpy().copy(), Strategy.RERANKED

    def _select_best(self, scores: FloatArray, limit: int, rounding_error: float) -> list[tuple[str, float]]:
        model, items = self.trained.model, self.trained.items
        positions = top_positions(scores, limit + SPARE, self._order, model.has_signed_scores, rounding_error)
        return list(zip(items.id(positions).tolist(), scores[positions].tolist(), strict=True))

    def _score_new_items(self, encoded: FoldInInput, rounding_error: float) -> list[tuple[str, float]]:
        """The items that are newer than the run, with their scores; empty if the model cannot score them."""
        new = self._find_new_items()
        if not new.ids:
            return []
        scores = self.trained.model.fold_in_new_items(encoded.target, encoded.relations, new.attributes)
        if scores is None:
            return []
        pairs = zip(new.ids, scores[0].cpu().numpy().tolist(), strict=True)
        return [(item, score) for item, score in pairs if score > rounding_error]


def _name_reasons(items: Sequence[str], texts: npt.NDArray[np.object_]) -> dict[str, tuple[str, str]]:
    """The reasons [n, 2] by item, without those that are None."""
    return {item: (id_, label) for item, (id_, label) in zip(items, texts.tolist(), strict=True) if id_ is not None}


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
