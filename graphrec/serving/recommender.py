"""Recommendations for a user by the first strategy that has any: published list, model, or fallbacks on the graph."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphrec.arguments import Id, count, id_text, id_texts
from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, UnknownNameError, first_few
from graphrec.reranking import RerankingRules, require_applicable
from graphrec.schema import USER
from graphrec.serving.answer import Answer
from graphrec.serving.fallbacks import Fallbacks
from graphrec.serving.interleaving import merge_answers
from graphrec.serving.live_answer import Request, add_ranks, answer_live, published_candidates
from graphrec.serving.published_list import (
    ListedItem,
    PublishedList,
    has_other_items,
    read_published_list,
    read_published_lists,
)
from graphrec.serving.user_context import read_user_context
from graphrec.store import Store, counts, queries
from graphrec.store.active_run import ActiveRun, find_active_run
from graphrec.store.experiment import Experiment, find_experiment

if TYPE_CHECKING:  # FoldIn imports torch, which a published list does not need
    from graphrec.serving.fold_in import FoldIn

#: Batch size: users whose published lists are read in one query.
USERS_AT_ONCE = 500

_PRESENT = f"UNWIND $ids AS id MATCH (user:{USER} {{id: id}}) RETURN user.id AS id"

_BY_KEY = f"""
MATCH (user:{USER}) UNWIND user.keys AS key
WITH user, key WHERE key IN $keys
RETURN key, user.id AS id
"""


class OnlineRecommender:
    """Recommends from one store. A run's model is loaded when it is first needed, and kept while the run is active."""

    def __init__(self, store: Store, runs_folder: Path) -> None:
        self._store, self._runs_folder = store, runs_folder
        self._models: dict[str, FoldIn] = {}  # by id of the trained run: that of the active run, and of one compared
        self._fallbacks: Fallbacks | None = None
        self._checked_rules: RerankingRules | None = None

    def recommend(self, user_id: Id, k: int = 10, rules: RerankingRules | None = None, anyone: bool = False) -> Answer:
        """The k best items for a user, without those that the user already has by the target behaviour.

        With `anyone`, an id that the graph does not have is answered as an anonymous visitor, and a graph without an
        active run is answered by the fallback strategies.

        Raises:
            UnknownNameError: there is no such user.
            GraphrecError: nothing is published.
            DataError: the graph has no behaviour, a rule uses a name that it does not have, or `k` is not an integer of
                at least 1.
        """
        user_id, k = id_text(user_id, "user"), count(k)
        published = read_published_list(self._store, user_id)
        if not published.has_user:
            find = queries.find_by_key if anyone else queries.find_node  # find_node raises if there is no such user
            known = find(self._store, USER, user_id)
            if known is not None:
                user_id, published = known, read_published_list(self._store, known)
        if published.run is None and not anyone:
            raise _nothing_published_error()
        experiment = find_experiment(self._store) if published.is_compared else None
        if experiment is None or not experiment.is_assigned(user_id):
            return self._answer(user_id, k, rules, published)
        items = read_published_lists(self._store, experiment.other, [user_id]).get(user_id, ())
        other = replace(published, run=experiment.other, items=items)
        if experiment.mode == "split":
            return self._answer(user_id, k, rules, other)
        answers = {each.run.id: self._answer(user_id, k, rules, each) for each in (published, other) if each.run}
        return merge_answers(experiment, answers, k)

    def _answer(self, user_id: str, k: int, rules: RerankingRules | None, published: PublishedList) -> Answer:
        """The answer for a user by a run and its list for the user."""
        run = published.run
        if run is not None and rules is None and not all(each.seen for each in published.items):
            return self._answer_from_list(user_id, k, run, published.items)
        user = read_user_context(self._store, user_id)
        answer = self._answer_live(Request(user, k, self._target_behaviour(run), run, rules, published.items))
        if published.has_user:
            return answer
        note = f"unknown user '{user_id}': these are the recommendations for an anonymous visitor"
        return replace(answer, notes=(note, *answer.notes))

    def recommend_many(
        self, user_ids: Iterable[Id], k: int = 10, rules: RerankingRules | None = None, anyone: bool = False
    ) -> Iterator[Answer]:
        """As `recommend` for many users, in their order and each once; published lists are read in batches.

        All ids are looked up before the first answer.

        Raises:
            UnknownNameError, DataError: some users are not in the graph, or as `recommend`.
            GraphrecError: nothing is published.
        """
        ids, k = list(dict.fromkeys(id_texts(user_ids, "users"))), count(k)
        run = find_active_run(self._store)
        if run is None and not anyone:
            raise _nothing_published_error()
        if not anyone:
            ids = self._find_users(ids)
        return self._answer_in_batches(ids, k, rules, anyone, run)

    def _answer_in_batches(
        self, ids: list[str], k: int, rules: RerankingRules | None, anyone: bool, run: ActiveRun | None
    ) -> Iterator[Answer]:
        experiment = None if run is None else find_experiment(self._store)
        for start in range(0, len(ids), USERS_AT_ONCE):
            batch = ids[start : start + USERS_AT_ONCE]
            answers: dict[str, Answer] = {}
            if run is not None and experiment is not None:
                answers = self._answer_compared(batch, k, rules, run, experiment)
            elif run is not None:
                answers = self._answer_batch(batch, k, rules, run)
            for user in batch:
                yield answers[user] if user in answers else self.recommend(user, k, rules, anyone)

    def _answer_compared(
        self, ids: list[str], k: int, rules: RerankingRules | None, run: ActiveRun, experiment: Experiment
    ) -> dict[str, Answer]:
        """As `_answer_batch` during an experiment: by the run that each user gets, or interleaved from both."""
        other = experiment.other
        assigned = [user for user in ids if experiment.is_assigned(user)]
        by_active = [user for user in ids if not experiment.is_assigned(user)]
        if experiment.mode == "split":
            return self._answer_batch(by_active, k, rules, run) | self._answer_batch(assigned, k, rules, other)
        active, compared = self._answer_batch(ids, k, rules, run), self._answer_batch(assigned, k, rules, other)
        both = [user for user in assigned if user in active and user in compared]
        merged = {user: merge_answers(experiment, {run.id: active[user], other.id: compared[user]}, k) for user in both}
        return {user: active[user] for user in by_active if user in active} | merged

    def _answer_batch(self, ids: list[str], k: int, rules: RerankingRules | None, run: ActiveRun) -> dict[str, Answer]:
        """The answers by a run for those users whom their published list, or with rules its model, answers at once."""
        if not ids:
            return {}
        if rules is not None:
            return self._rerank_batch(ids, k, rules, run)
        listed = read_published_lists(self._store, run, ids)
        return {
            user: self._answer_from_list(user, k, run, listed[user])
            for user in ids
            if not all(each.seen for each in listed.get(user, ()))
        }

    def _rerank_batch(self, ids: list[str], k: int, rules: RerankingRules, run: ActiveRun) -> dict[str, Answer]:
        """The answers of those users whom the run's model can rank in one batch; empty without the model."""
        fold_in, _ = self._load_model(run)
        if fold_in is None:
            return {}
        from graphrec.serving.batch import rerank_for_users

        self._check_rules(rules)
        return rerank_for_users(self._store, fold_in.trained, run, rules, ids, k, fold_in.vectors)

    def _check_rules(self, rules: RerankingRules) -> None:
        """Raise if the graph lacks a name that the rules use; the same rules are checked once."""
        if rules != self._checked_rules:
            require_applicable(rules, self._store)
            self._checked_rules = rules

    def _find_users(self, ids: list[str]) -> list[str]:
        """The ids of the users, each once, for ids or keys `source:key`. Raises if some are not in the graph."""
        names: dict[str, str] = {}
        for start in range(0, len(ids), USERS_AT_ONCE):
            batch = {"ids": ids[start : start + USERS_AT_ONCE]}
            names.update((row["id"], row["id"]) for row in self._store.read(_PRESENT, batch))
        keys = [user for user in ids if user not in names and ":" in user]
        if keys:
            names.update((row["key"], row["id"]) for row in self._store.read(_BY_KEY, {"keys": keys}))
        unknown = [user for user in ids if user not in names]
        if len(unknown) == 1:
            queries.find_node(self._store, USER, unknown[0])  # raises, with the nearest ids
        if unknown:
            raise DataError(
                f"{len(unknown):,} of {len(ids):,} users are not in the graph: {first_few(unknown)}; leave them out, "
                "or recommend for them as for anonymous visitors: --anyone, in Python anyone=True"
            )
        return list(dict.fromkeys(names[user] for user in ids))

    def _answer_from_list(self, user_id: str, k: int, run: ActiveRun, listed: Sequence[ListedItem]) -> Answer:
        """The published list without items seen since. A short list is not filled up; a note says why it is short."""
        items = add_ranks(published_candidates(run, listed)[:k])
        notes = [f"published by {run.model}, run {run.id}"]
        if len(items) < k:
            seen = sum(each.seen for each in listed)
            why = f"the run lists {len(listed)} for this user"
            why += f", and {seen} of them {'was' if seen == 1 else 'were'} seen since it was published" if seen else ""
            notes.append(f"{len(items)} of {k}: {why}{self._suggest_larger_k(user_id, k, run, listed)}")
        return Answer(user_id, k, items, tuple(notes))

    def _suggest_larger_k(self, user_id: str, k: int, run: ActiveRun, listed: Sequence[ListedItem]) -> str:
        """Whether publishing with a larger k would list more items for a user, as the end of a sentence."""
        if not has_other_items(self._store, user_id, run, listed):
            return "; the graph has no other item for them"
        if run.k is not None and len(listed) < run.k:
            return f"; it was published with -k {run.k}, and found no more that it may recommend"
        return f"; `graphrec publish {run.trained} -k N` lists more" if len(listed) < k else ""

    def _answer_live(self, request: Request) -> Answer:
        """The answer from the live graph, by the active run's model and the fallback strategies."""
        if request.rules is not None:
            self._check_rules(request.rules)
        fold_in, note = (None, "") if request.run is None else self._load_model(request.run)
        if self._fallbacks is None or self._fallbacks.relation != request.relation:
            self._fallbacks = Fallbacks(self._store, request.relation)
        return answer_live(self._store, request, fold_in, note, self._fallbacks)

    def _load_model(self, run: ActiveRun) -> tuple["FoldIn | None", str]:
        """A run's model, loaded once; or None and a note, if its folder is not on this machine."""
        if run.trained not in self._models:
            from graphrec import runs
            from graphrec.serving.fold_in import FoldIn

            try:
                loaded = FoldIn(self._store, runs.load(self._runs_folder, run.trained))
            except UnknownNameError:
                return (
                    None,
                    f"the model of run {run.trained} is not in {self._runs_folder}, so the graph answers without it",
                )
            except GraphrecError as error:
                return None, f"{error}; the graph answers without it"
            # two are kept: that of the other run of an experiment, or of the run that was active before
            newest = list(self._models.items())[-1:]
            self._models = {**dict(newest), run.trained: loaded}
        return self._models[run.trained], ""

    def _target_behaviour(self, run: ActiveRun | None) -> str:
        """The behaviour that the run predicts; without a run the strongest behaviour in the graph."""
        if run is not None:
            return run.relation
        known = counts.known_relations(self._store)
        for name in BEHAVIOURS:
            if name in known and counts.has_relation(self._store, [name]):
                return name
        raise DataError(
            "the graph has no behaviour of users, so there is nothing to recommend from; `graphrec sniff FILES…` "
            "files that have some"
        )


def _nothing_published_error() -> GraphrecError:
    return GraphrecError(
        "nothing is published yet, and recommend reads RECOMMENDED edges; "
        "`graphrec train` makes a run and `graphrec publish RUN` writes it"
    )
