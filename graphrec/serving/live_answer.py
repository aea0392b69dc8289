"""An answer from the live graph: the model first, then the fallback strategies, until k items are found."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphrec.reranking import RerankingRules, Trace
from graphrec.serving.answer import Answer, Recommended, Strategy
from graphrec.serving.candidates import Candidate, rerank_candidates
from graphrec.serving.fallbacks import WINDOW_DAYS, Fallbacks
from graphrec.serving.published_list import ListedItem
from graphrec.serving.user_context import UserContext
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun

if TYPE_CHECKING:  # FoldIn imports torch, which a published list does not need
    from graphrec.serving.fold_in import FoldIn

#: Factor by which the candidate pool grows when the rules leave fewer than k items.
POOL_GROWTH = 4

#: Notes on the fallback strategies: the end of a sentence that begins with a number of items.
_NOTES = {
    Strategy.FRIENDS: "that most friends chose",
    Strategy.ATTRIBUTES: "with the user's attributes",
    Strategy.SEGMENT: "that the most similar users chose",
    Strategy.TRENDING: f"trending in the last {WINDOW_DAYS} days of the graph",
    Strategy.POPULAR: "chosen most often",
}


@dataclass(frozen=True, eq=False)
class Request:
    """A request for the k best items of a user under rules; `listed` is the user's published list.

    `excluded` items are not recommended.
    """

    user: UserContext
    k: int
    relation: str
    run: ActiveRun | None
    rules: RerankingRules | None
    listed: Sequence[ListedItem]
    excluded: frozenset[str] = frozenset()

    @property
    def seen(self) -> set[str]:
        """The items that are not recommended: those that the user has by the target behaviour, and those that the user
        or the request excludes."""
        return {edge.id for edge in self.user.behaviour(self.relation)} | self.user.excluded_items() | self.excluded


def answer_live(
    store: Store, request: Request, fold_in: "FoldIn | None", model_note: str, fallbacks: Fallbacks
) -> Answer:
    """The answer from the live graph; `fold_in` is the model of the request's run, or None for the reason `model_note`.

    While the rules leave fewer than k items, the candidate pool grows, at most until it has all items.
    """
    depth = request.rules.depth if request.rules else 1
    while True:
        limit = depth * request.k
        candidates, notes = _collect_candidates(_run_strategies(request, fold_in, model_note, fallbacks, limit), limit)
        exhausted = len(candidates) < limit
        candidates, trace = candidates[:limit], Trace()
        if request.rules is not None:
            vectors = None if fold_in is None else fold_in.vectors
            user = request.user.user
            candidates, trace = rerank_candidates(store, request.rules, user, candidates, request.k, vectors)
        if len(candidates) >= request.k or exhausted:
            break
        depth *= POOL_GROWTH
    items = add_ranks(candidates[: request.k])
    notes += [
        f"{number} item{'' if number == 1 else 's'} {_NOTES[strategy]}"
        for strategy, number in Counter(each.strategy for each in items).items()
        if strategy in _NOTES
    ]
    if len(items) < request.k:
        notes.append(_describe_shortage(len(items), request, trace))
    return Answer(request.user.user, request.k, items, tuple(notes), trace)


def published_candidates(
    run: ActiveRun, listed: Iterable[ListedItem], excluded: frozenset[str] = frozenset()
) -> list[Candidate]:
    """The items of a published list that the user has not had since and that are not excluded."""
    return [
        Candidate(each.item, each.title, each.score, Strategy.PUBLISHED, run.model, run.id)
        for each in listed
        if not each.seen and each.item not in excluded
    ]


def add_ranks(candidates: Iterable[Candidate]) -> tuple[Recommended, ...]:
    """The candidates as recommendations, with ranks from 1 in their order."""
    return tuple(
        Recommended(each.item, each.title, each.score, rank, each.strategy, each.detail, each.run)
        for rank, each in enumerate(candidates, start=1)
    )


def _collect_candidates(
    strategies: Iterable[tuple[list[Candidate], str]], limit: int
) -> tuple[list[Candidate], list[str]]:
    """At least `limit` candidates, strategy by strategy, fewer if the graph has no more; and notes."""
    notes: list[str] = []
    by_item: dict[str, Candidate] = {}
    for candidates, note in strategies:
        notes += [note] if note else []
        for each in candidates:
            by_item.setdefault(each.item, each)
        if len(by_item) >= limit:
            break
    return list(by_item.values()), notes


def _run_strategies(
    request: Request, fold_in: "FoldIn | None", model_note: str, fallbacks: Fallbacks, limit: int
) -> Iterator[tuple[list[Candidate], str]]:
    """The candidates of each strategy in turn, with a note."""
    seen, run = request.seen, request.run
    if run is not None:
        if request.listed and all(each.seen for each in request.listed):
            yield [], f"all {len(request.listed)} items that run {run.id} lists were seen since it was published"
        if fold_in is not None:
            yield fold_in.candidates(request.user, seen, limit)
        else:
            yield published_candidates(run, request.listed, request.excluded), model_note
    for candidates in fallbacks.candidates(request.user, seen, limit):
        yield candidates, ""


def _describe_shortage(number: int, request: Request, trace: Trace) -> str:
    removed = trace.removed
    by_rules = f", {removed} removed by rules" if removed else ""
    return f"{number} of {request.k}: the graph has no other item for this user ({len(request.seen)} seen{by_rules})"
