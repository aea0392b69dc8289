"""Why the items of an answer are in it: the strongest reason of each, and the whole explanation of one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphrec.errors import GraphrecError, format_value
from graphrec.serving.answer import Answer, NoScoreError, Strategy
from graphrec.serving.snapshot import Snapshot
from graphrec.store import Store

if TYPE_CHECKING:  # the explanation package imports torch, which a published list does not need
    from graphrec.explanation import Explanation

#: Strategies whose scores are those of the training.
_AS_TRAINED = {Strategy.PUBLISHED, Strategy.RERANKED}

#: Strategies whose scores are those of a model.
_BY_MODEL = _AS_TRAINED | {Strategy.FOLD_IN}


def find_reasons(
    store: Store, snapshot: Snapshot, answer: Answer, session: Sequence[str] = ()
) -> Mapping[str, Mapping[str, Any]]:
    """The strongest reason by item, as id, label and title, of the scores that a loaded model gave.

    Items without a reason are left out: those of strategies without a model, those that are newer than the run, and
    those of a model that has no reasons for a user who is not in the training. `session` has the items that the answer
    counted as the user's.
    """
    found: dict[str, tuple[str, str]] = {}
    for each in (snapshot, snapshot.other):
        if each is None or each.fold_in is None:
            continue
        items = [item for item in answer.items if _is_of_run(item.run, each)]
        as_trained = [item.item for item in items if item.strategy in _AS_TRAINED]
        folded_in = [item.item for item in items if item.strategy is Strategy.FOLD_IN]
        if as_trained:
            found |= each.fold_in.find_reasons(answer.user, as_trained)
        if folded_in:
            context = each.read_context(store, answer.user, session)
            found |= each.fold_in.find_fold_in_reasons(context, folded_in)
    return {
        item: {"id": id_, "label": label, "title": snapshot.titles.get(id_) if label == "Item" else None}
        for item, (id_, label) in found.items()
    }


def find_explained(snapshot: Snapshot, answer: Answer) -> set[str]:
    """The items of an answer that `explain_live` explains: those that a loaded model scored and knows."""
    explained: set[str] = set()
    for each in (snapshot, snapshot.other):
        if each is not None and each.fold_in is not None:
            items = [item.item for item in answer.items if _is_of_run(item.run, each) and item.strategy in _BY_MODEL]
            positions = each.fold_in.trained.items.find_few(items).tolist()
            explained |= {item for item, position in zip(items, positions, strict=True) if position >= 0}
    return explained


def explain_live(
    store: Store, snapshot: Snapshot, user: str, item: str, top: int, session: Sequence[str], run: str = ""
) -> "Explanation":
    """Why an item has its score in an answer for a user, with titles.

    `session` is as in `find_reasons`. `run` is the one that scored the item in an interleaved answer; by default, and
    if it is no longer served, that of the user.

    Raises:
        GraphrecError: the run has no loaded model.
        NoScoreError: the graph has no such user, or the run has no score for the user and the item.
    """
    named = (each for each in (snapshot, snapshot.other) if each is not None and run and _is_of_run(run, each))
    chosen = next(named, snapshot.for_user(user))
    if chosen.fold_in is None:
        raise GraphrecError(chosen.model_note or "nothing is published, so nothing can be explained")
    context = chosen.read_context(store, user, session)
    if not context.properties and not session:
        raise NoScoreError(f"there is no user '{format_value(user)}', so there is nothing to explain")
    from graphrec.explanation import add_titles  # imports torch, which the loaded model did already
    from graphrec.explanation.labels import counted_behaviours

    found = chosen.fold_in.explain(context, item, top)
    return add_titles(found, store, counted_behaviours(chosen.fold_in.trained), session)


def _is_of_run(run: str | None, snapshot: Snapshot) -> bool:
    """Whether a run that scored an item is that of a snapshot; a list is published under the id of its training or
    under one of its own."""
    return snapshot.run is not None and run in (snapshot.run.id, snapshot.run.trained)
