"""The answer for a user, by the best way that there is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphrec.arguments import Id, count, id_text, id_texts
from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, UnknownNameError, first_few
from graphrec.reranking import RerankingRules, Trace, check
from graphrec.schema import USER
from graphrec.serving.answer import ATTRIBUTES, FRIENDS, POPULAR, PUBLISHED, SEGMENT, TRENDING, Answer, Recommended
from graphrec.serving.candidates import Candidate
from graphrec.serving.fallbacks import WINDOW_DAYS, Fallbacks
from graphrec.serving.published_list import (
    ActiveRun,
    Listed,
    active_run,
    has_other_items,
    published_list,
    published_lists,
)
from graphrec.serving.user_context import UserContext, read_life
from graphrec.store import Store, counts, queries

if TYPE_CHECKING:  # a published list needs no torch
    from graphrec.serving.fold_in import FoldIn

#: Where rules leave too few candidates, so many times as many are looked at.
DEEPER = 4

#: Users whose published lists are read in one query.
USERS_AT_ONCE = 500

_PRESENT = f"UNWIND $ids AS id MATCH (user:{USER} {{id: id}}) RETURN user.id AS id"

_BY_KEY = f"""
MATCH (user:{USER}) UNWIND user.keys AS key
WITH user, key WHERE key IN $keys
RETURN key, user.id AS id
"""

#: What the ways without a model have found, as a sentence goes on after a number of items.
_TOLD = {
    FRIENDS: "that most friends chose",
    ATTRIBUTES: "with the attributes that the user is tied to",
    SEGMENT: "that the users most like this one chose",
    TRENDING: f"trending in the last {WINDOW_DAYS} days of the graph",
    POPULAR: "chosen most often",
}


@dataclass(frozen=True, eq=False)
class _Question:
    """A user and what is wanted: k items under rules, of a run's behaviour; `listed` is the published list."""

    life: UserContext
    k: int
    relation: str
    run: ActiveRun | None
    rules: RerankingRules | None
    listed: tuple[Listed, ...]

    @property
    def seen(self) -> set[str]:
        return {tie.id for tie in self.life.did(self.relation)}


class OnlineRecommender:
    """Answers from one store; a run's model is loaded when it is first needed, and kept while the run is active."""

    def __init__(self, store: Store, runs_folder: Path) -> None:
        self._store, self._runs_folder = store, runs_folder
        self._folding: FoldIn | None = None
        self._ways: Fallbacks | None = None
        self._checked: RerankingRules | None = None

    def of(self, user_id: Id, k: int = 10, rules: RerankingRules | None = None, anyone: bool = False) -> Answer:
        """The k items for a user, whatever is known of them; what they met by the target behaviour is never among them.

        With `anyone`, an id that the graph does not have is a stranger's, and a graph in which nothing is published
        answers by itself.

        Raises:
            UnknownNameError: there is no such user.
            GraphrecError: nothing is published.
            DataError: the graph has no behaviour, a rule asks for what is not there, or `k` is no integer from 1 on.
        """
        user_id, k = id_text(user_id, "user"), count(k)
        found = published_list(self._store, user_id)
        if not found.has_user:
            find = queries.find_by_key if anyone else queries.find_node  # the latter finds it or raises
            known = find(self._store, USER, user_id)
            if known is not None:
                user_id, found = known, published_list(self._store, known)
        run = found.run
        if run is None and not anyone:
            raise _nothing_published()
        if run is not None and rules is None and not all(place.seen for place in found.places):
            return self._published(user_id, k, run, found.places)
        life = read_life(self._store, user_id)
        answer = self._gathered(_Question(life, k, self._relation(run), run, rules, found.places))
        if found.has_user:
            return answer
        return replace(answer, notes=(f"there is no user '{user_id}', so this is for a stranger", *answer.notes))

    def of_many(
        self, user_ids: Iterable[Id], k: int = 10, rules: RerankingRules | None = None, anyone: bool = False
    ) -> Iterator[Answer]:
        """As `of` for many users, in their order, each once; published lists are read for some users at a time.

        All ids are looked up before the first answer.

        Raises:
            UnknownNameError, DataError: there are no such users, or as `of`.
            GraphrecError: nothing is published.
        """
        ids, k = list(dict.fromkeys(id_texts(user_ids, "users"))), count(k)
        run = active_run(self._store)
        if run is None and not anyone:
            raise _nothing_published()
        if not anyone:
            ids = self._known(ids)
        return self._answers(ids, k, rules, anyone, run)

    def _answers(
        self, ids: list[str], k: int, rules: RerankingRules | None, anyone: bool, run: ActiveRun | None
    ) -> Iterator[Answer]:
        for start in range(0, len(ids), USERS_AT_ONCE):
            part = ids[start : start + USERS_AT_ONCE]
            listed = {} if run is None or rules is not None else published_lists(self._store, run, part)
            ruled = {} if run is None or rules is None else self._ruled_at_once(part, k, rules, run)
            for user in part:
                places = listed.get(user, ())
                if run is not None and not all(place.seen for place in places):
                    yield self._published(user, k, run, places)
                else:
                    yield ruled[user] if user in ruled else self.of(user, k, rules, anyone)

    def _ruled_at_once(self, ids: list[str], k: int, rules: RerankingRules, run: ActiveRun) -> dict[str, Answer]:
        """The answers of those users whom the run's model answers under rules together; none without the model."""
        folding, _ = self._folded(run)
        if folding is None:
            return {}
        from graphrec.serving.batch import ranked_under_rules

        self._check(rules)
        return ranked_under_rules(self._store, folding.trained, run, rules, ids, k, folding.vectors)

    def _check(self, rules: RerankingRules) -> None:
        """Raise if the graph lacks what a rule names; asked once for the same rules."""
        if rules != self._checked:
            check(rules, self._store)
            self._checked = rules

    def _known(self, ids: list[str]) -> list[str]:
        """The ids of users, each once, where some may be `source:key`. Raises if the graph lacks some."""
        names: dict[str, str] = {}
        for start in range(0, len(ids), USERS_AT_ONCE):
            part = {"ids": ids[start : start + USERS_AT_ONCE]}
            names.update((row["id"], row["id"]) for row in self._store.read(_PRESENT, part))
        keys = [user for user in ids if user not in names and ":" in user]
        if keys:
            names.update((row["key"], row["id"]) for row in self._store.read(_BY_KEY, {"keys": keys}))
        unknown = [user for user in ids if user not in names]
        if len(unknown) == 1:
            queries.find_node(self._store, USER, unknown[0])  # raises, with the nearest ids
        if unknown:
            raise DataError(
                f"{len(unknown):,} of {len(ids):,} users are not in the graph: {first_few(unknown)}; leave them out, "
                "or answer them as strangers: --anyone, in Python anyone=True"
            )
        return list(dict.fromkeys(names[user] for user in ids))

    def _published(self, user_id: str, k: int, run: ActiveRun, listed: Sequence[Listed]) -> Answer:
        """The published list without what the user met since; a short list stays short, and a note says why."""
        items = _numbered(_candidates(run, listed)[:k])
        notes = [f"published by {run.model}, run {run.id}"]
        if len(items) < k:
            gone = sum(place.seen for place in listed)
            why = f"the run lists {len(listed)} for this user"
            why += f", and {gone} of them {'was' if gone == 1 else 'were'} seen since it was published" if gone else ""
            notes.append(f"{len(items)} of {k}: {why}{self._more(user_id, k, run, listed)}")
        return Answer(user_id, k, items, tuple(notes))

    def _more(self, user_id: str, k: int, run: ActiveRun, listed: Sequence[Listed]) -> str:
        """Whether a longer publication would list more for a user, as the end of a sentence."""
        if not has_other_items(self._store, user_id, run, listed):
            return "; the graph has no other item for them"
        if run.k is not None and len(listed) < run.k:
            return f"; it was published with -k {run.k}, and found no more that it may recommend"
        return f"; `graphrec publish {run.trained} -k N` lists more" if len(listed) < k else ""

    def _gathered(self, question: _Question) -> Answer:
        """What the model says, then, up to what is wanted, what the graph says; under the rules.

        Where these leave too few, candidates are looked for deeper, until there are no more.
        """
        depth = question.rules.depth if question.rules else 1
        while True:
            limit = question.k * depth
            candidates, notes = self._candidates(question, limit)
            exhausted = len(candidates) < limit
            candidates, trace = self._ruled(question, candidates[:limit])
            if len(candidates) >= question.k or exhausted:
                break
            depth *= DEEPER
        items = _numbered(candidates[: question.k])
        notes += [
            f"{number} item{'' if number == 1 else 's'} {_TOLD[way]}"
            for way, number in Counter(each.way for each in items).items()
            if way in _TOLD
        ]
        if len(items) < question.k:
            notes.append(_why_short(len(items), question, trace))
        return Answer(question.life.user, question.k, items, tuple(notes), trace)

    def _candidates(self, question: _Question, limit: int) -> tuple[list[Candidate], list[str]]:
        """At least `limit` candidates of one way after the other, where there are so many; and what is to be said."""
        notes: list[str] = []
        found: dict[str, Candidate] = {}
        for part, told in self._parts(question, limit):
            notes += [told] if told else []
            for each in part:
                found.setdefault(each.item, each)
            if len(found) >= limit:
                break
        return list(found.values()), notes

    def _ruled(self, question: _Question, candidates: list[Candidate]) -> tuple[list[Candidate], Trace]:
        """What the rules leave, and what they did; all where there are none."""
        rules = question.rules
        if rules is None:
            return candidates, Trace()
        from graphrec.serving.reranked_candidates import ruled

        self._check(rules)
        vectors = None if self._folding is None else self._folding.vectors
        return ruled(self._store, rules, question.life.user, candidates, question.k, vectors)

    def _parts(self, question: _Question, limit: int) -> Iterator[tuple[list[Candidate], str]]:
        """The candidates of each way in turn, and what is to be said of it."""
        seen, run = question.seen, question.run
        if run is not None:
            if question.listed and all(place.seen for place in question.listed):
                yield [], f"all {len(question.listed)} items that run {run.id} lists were seen since it was published"
            folding, missing = self._folded(run)
            if folding is not None:
                yield folding.candidates(question.life, seen, limit)
            else:
                yield _candidates(run, question.listed), missing
        if self._ways is None or self._ways.relation != question.relation:
            self._ways = Fallbacks(self._store, question.relation)
        for part in self._ways.of(question.life, seen, limit):
            yield part, ""

    def _folded(self, run: ActiveRun) -> tuple["FoldIn | None", str]:
        """The active run's model, loaded if it is not yet; None with a sentence where it is not on this machine."""
        if self._folding is None or self._folding.trained.run.id != run.trained:
            from graphrec import runs
            from graphrec.serving.fold_in import FoldIn

            try:
                self._folding = FoldIn(self._store, runs.load(self._runs_folder, run.trained))
            except UnknownNameError:
                self._folding = None
                return (
                    None,
                    f"the model of run {run.trained} is not in {self._runs_folder}, so the graph answers without it",
                )
            except GraphrecError as error:
                self._folding = None
                return None, f"{error}; the graph answers without it"
        return self._folding, ""

    def _relation(self, run: ActiveRun | None) -> str:
        """The behaviour that the run predicts; without a run the strongest that the graph has."""
        if run is not None:
            return run.relation
        known = counts.known_relations(self._store)
        for name in BEHAVIOURS:
            if name in known and counts.has_relation(self._store, [name]):
                return name
        raise DataError(
            "the graph has no behaviour of users, so there is nothing to recommend by; `graphrec sniff FILES…` "
            "files that have some"
        )


def _nothing_published() -> GraphrecError:
    return GraphrecError(
        "nothing is published yet, and recommend reads RECOMMENDED edges; "
        "`graphrec train` makes a run and `graphrec publish RUN` writes it"
    )


def _candidates(run: ActiveRun, listed: Sequence[Listed]) -> list[Candidate]:
    return [Candidate(each.item, each.title, each.score, PUBLISHED, run.id) for each in listed if not each.seen]


def _numbered(candidates: list[Candidate]) -> tuple[Recommended, ...]:
    return tuple(
        Recommended(each.item, each.title, each.score, rank, each.way, each.run)
        for rank, each in enumerate(candidates, start=1)
    )


def _why_short(number: int, question: _Question, trace: Trace) -> str:
    removed = trace.removed
    by_rules = f", {removed} taken out by rules" if removed else ""
    return f"{number} of {question.k}: the graph has no other item for this user ({len(question.seen)} seen{by_rules})"
