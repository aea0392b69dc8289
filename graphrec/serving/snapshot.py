"""Recommendations from one state of the graph: its active run with the loaded model, and the titles of all items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphrec.errors import GraphrecError, format_value
from graphrec.reranking import RerankingRules, require_applicable
from graphrec.schema import ITEM
from graphrec.serving.answer import Answer, Recommended
from graphrec.serving.fallbacks import Fallbacks
from graphrec.serving.graph_state import GraphState
from graphrec.serving.interleaving import merge_answers
from graphrec.serving.live_answer import Request, add_ranks, answer_live, published_candidates
from graphrec.serving.live_user import LiveUser, read_live_user
from graphrec.serving.user_context import UserContext, UserEdge
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun

if TYPE_CHECKING:  # FoldIn imports torch, which a published list does not need
    from graphrec.serving.fold_in import FoldIn

#: Number of items of each member of a group that are compared.
GROUP_POOL = 100


class UnknownUserError(GraphrecError):
    """The graph has no such user."""

    def __init__(self, user: str) -> None:
        super().__init__(f"there is no user '{format_value(user)}'; anyone=true recommends as for an anonymous visitor")


@dataclass(frozen=True)
class Wishes:
    """What an answer is to be.

    k: number of items.
    rules: reranking rules, or None.
    excluded: items that are not recommended.
    session: items of the current visit, which count as the user's for this answer and are not stored.
    anyone: whether an unknown user is answered as an anonymous visitor.
    """

    k: int = 10
    rules: RerankingRules | None = None
    excluded: frozenset[str] = frozenset()
    session: tuple[str, ...] = ()
    anyone: bool = False


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One state of the graph. All parts of an answer come from its run, also while another run is published.

    state, relation: what was read from the graph, and the behaviour to predict.
    fold_in: the loaded model of the run; None for the reason `model_note`.
    fallbacks: strategies without a model, whose trending and popular lists are kept in memory.
    titles: title (or None) of each item of the graph, by id.
    other: the same state with the other run of an experiment.
    """

    state: GraphState
    relation: str
    fold_in: "FoldIn | None"
    model_note: str
    fallbacks: Fallbacks
    titles: Mapping[str, Any]
    other: "Snapshot | None" = None

    @property
    def run(self) -> ActiveRun | None:
        """The active run, or None."""
        return self.state.run

    @cached_property
    def epoch(self) -> str:
        """A text that changes with everything that all users' answers depend on."""
        return f"{self.state.epoch}{'' if self.fold_in is None else '+'}"

    def for_user(self, user_id: str) -> "Snapshot":
        """The snapshot of the run that a user gets: the other one of an experiment that splits users, or this one."""
        experiment, other = self.state.experiment, self.other
        if experiment is None or other is None or experiment.mode != "split" or not experiment.is_assigned(user_id):
            return self
        return other

    def recommend(self, store: Store, user_id: str, wishes: Wishes) -> Answer:
        """The answer for a user by the run that the user gets, or in an experiment that interleaves by both runs.

        Raises:
            UnknownUserError: there is no such user, and `wishes.anyone` is not set.
            DataError: a rule uses a name that the graph does not have.
        """
        experiment, other = self.state.experiment, self.other
        if experiment is None or other is None or not experiment.is_assigned(user_id):
            return self._recommend(store, user_id, wishes)
        if experiment.mode == "split":
            return other._recommend(store, user_id, wishes)
        answers = {each.run.id: each._recommend(store, user_id, wishes) for each in (self, other) if each.run}
        return merge_answers(experiment, answers, wishes.k)

    def _recommend(self, store: Store, user_id: str, wishes: Wishes) -> Answer:
        """The answer by this run: the published list, unless the user has done something since the run was trained.

        A user with other items by the target behaviour than in training, or with newer events of other behaviours that
        the model reads, is folded in. So is a user with a session, and rules are applied to the model's ranking.
        """
        run = self.run
        if run is not None and not wishes.rules and not wishes.session and self._may_be_listed(user_id):
            live = read_live_user(store, user_id, run, self.titles, brief=True)
            if not all(each.seen for each in live.listed) and not self._has_changed(live.context):
                return self._answer_from_list(user_id, run, live, wishes)
        live = read_live_user(store, user_id, run, self.titles)
        if not live.exists and not wishes.anyone:
            raise UnknownUserError(user_id)
        answer = self._answer_live(store, live, wishes)
        if live.exists:
            return answer
        note = f"unknown user '{format_value(user_id)}': these are the recommendations for an anonymous visitor"
        return replace(answer, notes=(note, *answer.notes))

    def recommend_for_session(self, store: Store, wishes: Wishes) -> Answer:
        """The answer for an anonymous visitor with the items of `wishes.session`; nothing is stored."""
        return self._answer_live(store, LiveUser(UserContext("")), wishes)

    def recommend_for_group(
        self, store: Store, user_ids: Sequence[str], wishes: Wishes
    ) -> list[tuple[Recommended, int]]:
        """The items with the lowest mean rank in the members' answers, new to all of them, and the number of members
        whose answer has the item.

        The score is 1 / mean rank; the rank of an item that a member's answer lacks is one more than its length.

        Raises as `recommend`.
        """
        seen: set[str] = set()
        answers = []
        for user in dict.fromkeys(user_ids):
            live = read_live_user(store, user, self.run, self.titles)
            seen |= {edge.id for edge in live.context.behaviour(self.relation)} | live.context.excluded_items()
            answers.append(self.recommend(store, user, replace(wishes, k=GROUP_POOL)))
        ranks: dict[str, dict[int, Recommended]] = {}
        for member, answer in enumerate(answers):
            for each in answer.items:
                if each.item not in seen:
                    ranks.setdefault(each.item, {})[member] = each
        means = {
            item: sum(found[n].rank if n in found else len(a.items) + 1 for n, a in enumerate(answers)) / len(answers)
            for item, found in ranks.items()
        }
        best = sorted(means, key=lambda item: (means[item], item))[: wishes.k]
        return [
            (replace(next(iter(ranks[item].values())), score=1 / means[item], rank=rank), len(ranks[item]))
            for rank, item in enumerate(best, start=1)
        ]

    def read_context(self, store: Store, user_id: str, session: Sequence[str] = ()) -> UserContext:
        """What an answer for a user is made from: the user's edges, and the items of a session as if they were the
        user's. Without an id, or for an unknown user, it has the session only."""
        context = read_live_user(store, user_id, None, {}).context if user_id else UserContext("")
        return self._add_session(context, session)

    def _add_session(self, context: UserContext, session: Sequence[str]) -> UserContext:
        edges = (UserEdge(self.relation, True, ITEM, item, {}) for item in session)
        return replace(context, edges=(*context.edges, *edges))

    def _may_be_listed(self, user_id: str) -> bool:
        """Whether the run can have a list for a user: unless its model is loaded and does not know the user."""
        return self.fold_in is None or self.fold_in.knows(user_id)

    def _has_changed(self, user: UserContext) -> bool:
        """Whether the user did something since the run was trained; False if the model is not loaded."""
        return self.fold_in is not None and self.fold_in.has_changed(user)

    def _answer_from_list(self, user_id: str, run: ActiveRun, live: LiveUser, wishes: Wishes) -> Answer:
        """The published list without items seen since. A short list is not filled up; a note says why it is short."""
        items = add_ranks(published_candidates(run, live.listed, wishes.excluded)[: wishes.k])
        notes = [f"published by {run.model}, run {run.id}"]
        if not self.fold_in and self.model_note:
            notes.append(self.model_note)
        if len(items) < wishes.k:
            notes.append(
                f"{len(items)} of {wishes.k}: the run lists {len(live.listed)} for this user, without items that were "
                "seen or excluded"
            )
        return Answer(user_id, wishes.k, items, tuple(notes))

    def _answer_live(self, store: Store, live: LiveUser, wishes: Wishes) -> Answer:
        """The answer by the model and the fallback strategies; items of the session count as the user's."""
        if wishes.rules is not None:
            require_applicable(wishes.rules, store)
        context = self._add_session(live.context, wishes.session)
        request = Request(context, wishes.k, self.relation, self.run, wishes.rules, live.listed, wishes.excluded)
        return answer_live(store, request, self.fold_in, self.model_note, self.fallbacks)


def strategy_of(answer: Answer) -> str:
    """The strategy of the first item, `none` for an empty answer."""
    return answer.items[0].strategy.value if answer.items else "none"
