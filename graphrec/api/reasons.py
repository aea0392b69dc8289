"""Why the items of an answer are in it: the strongest reason of each, and the whole explanation of one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphrec.errors import GraphrecError, format_value
from graphrec.serving.answer import Answer, NoScoreError, Recommended, Strategy
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
        items = [item for item in answer.items if _is_of_run(item, each)]
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
    """The items of an answer that `explain_live` explains: those that the run of the user scored and knows."""
    assigned = snapshot.for_user(answer.user)
    if assigned.fold_in is None:
        return set()
    items = [each.item for each in answer.items if _is_of_run(each, assigned) and each.strategy in _BY_MODEL]
    positions = assigned.fold_in.trained.items.find_few(items).tolist()
    return {item for item, position in zip(items, positions, strict=True) if position >= 0}


def explain_live(
    store: Store, snapshot: Snapshot, user: str, item: str, top: int, session: Sequence[str]
) -> "Explanation":
    """Why an item has its score in an answer for a user, with titles; `session` as in `find_reasons`.

    Raises:
        GraphrecError: the run of the user has no loaded model.
        NoScoreError: the graph has no such user, or the run has no score for the user and the item.
    """
    assigned = snapshot.for_user(user)
    if assigned.fold_in is None:
        raise GraphrecError(assigned.model_note or "nothing is published, so nothing can be explained")
    from graphrec.explanation import add_titles  # imports torch, which the loaded model did already
    from graphrec.explanation.labels import counted_behaviours

    context = assigned.read_context(store, user, session)
    if not context.properties and not session:
        raise NoScoreError(f"there is no user '{format_value(user)}', so there is nothing to explain")
    found = assigned.fold_in.explain(context, item, top)
    return add_titles(found, store, counted_behaviours(assigned.fold_in.trained), session)


def _is_of_run(item: Recommended, snapshot: Snapshot) -> bool:
    """Whether the run of a snapshot scored an item; a list is published under the id of a training or of its own."""
    return snapshot.run is not None and item.run in (snapshot.run.id, snapshot.run.trained)
