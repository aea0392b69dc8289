"""Explain one score of a run, and find the run, user and item that a caller names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import sparse

from graphrec import runs
from graphrec.arguments import Id, count
from graphrec.errors import DataError, UnknownNameError
from graphrec.explanation.history import attribute_to_history
from graphrec.explanation.inputs import attribute_to_inputs
from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Explanation
from graphrec.explanation.walk_paths import attribute_to_walks
from graphrec.interactions import Interactions
from graphrec.relations import Relations
from graphrec.runs import Run, TrainedRun
from graphrec.store import Store
from graphrec.store.active_run import find_active_run
from graphrec.store.queries import find_node
from graphrec.vocabulary import IndexArray

#: Default number of listed paths.
TOP = 10


def explain(trained: TrainedRun, user_id: Id, item_id: Id, top: int = TOP) -> Explanation:
    """The Explanation of one score with its `top` strongest paths; the other paths are summed up as remainder.

    Nodes have ids only; `add_titles` adds titles from a store and the relationships that are in the graph now. An item
    of the user's history is explained like any other.

    Raises:
        UnknownNameError: the run does not know the user or item; the message names the nearest.
        DataError: `top` is not an integer of at least 1.
    """
    user, item = trained.users.find(user_id), trained.items.find(item_id)
    score = float(trained.model.score(np.array([user]))[0, item])
    items = np.unique(trained.seen.item_index[trained.seen.user_index == user])
    return _explain_score(Labels.of(trained), _build_history(items, trained), user, item, score, top)


def explain_fold_in(
    trained: TrainedRun, user_id: str, target: Interactions, relations: Relations, item_id: Id, top: int = TOP
) -> Explanation:
    """The Explanation of the score that `Model.fold_in_users` gives one user of the live graph, in or out of training.

    Args:
        trained: the run.
        user_id: the id of the user, for the nodes of the paths.
        target: the user's target behaviour, as a batch of one.
        relations: the user's rows of the other relations.
        item_id: an item that the run knows.
        top: the number of listed paths.

    Raises:
        GraphrecError: the model cannot fold in users.
        UnknownNameError, DataError: as `explain`.
    """
    item, user = trained.items.find(item_id), len(trained.users)
    score = float(trained.model.fold_in_users(target, relations)[0, item])
    extended = replace(trained, model=trained.model.with_user(target, relations))
    found = _explain_score(Labels.of(extended, user_id), target.matrix(), user, item, score, top)
    return replace(found, folded_in=True)


def _explain_score(
    labels: Labels, history: sparse.csr_array, user: int, item: int, score: float, top: int
) -> Explanation:
    """The Explanation of the score of a user with a history [1, num_items]."""
    trained, top = labels.trained, count(top, "top")
    if (walks := trained.model.explain_paths(user, item)) is not None:
        attribution = attribute_to_walks(labels, walks, score, top)
    elif (inputs := trained.model.explain_inputs(user, item)) is not None:
        attribution = attribute_to_inputs(labels, inputs, history, user, item, score, top)
    else:
        attribution = attribute_to_history(labels, history, user, item, score, top)
    return Explanation(
        labels.user(user),
        labels.item(item),
        score,
        attribution,
        trained.run.model,
        trained.run.id,
        trained.run.relation,
        int((trained.seen.item_index == item).sum()),
        item in history.indices,
    )


def _build_history(items: IndexArray, trained: TrainedRun) -> sparse.csr_array:
    """The 0/1 row [1, num_items] of a user with some items."""
    ones = np.ones(len(items), dtype=np.float32)
    return sparse.csr_array((ones, items, np.array([0, len(items)])), shape=(1, len(trained.items)))


def load_run(store: Store, folder: Path, name: str | Run | None = None) -> TrainedRun:
    """The run that `run_name` finds, loaded. Raises the same errors."""
    return runs.load(folder, run_name(store, folder, name))


def run_name(store: Store, folder: Path, name: str | Run | None = None) -> str:
    """The id of the saved run with a name (`runs.find`); without a name the active run of the store, else the newest.

    Raises:
        UnknownNameError: there is no run of this name, or no run.
        DataError: the active run is not in the folder.
    """
    if name is not None:
        return runs.find(folder, name)
    saved = [run.id for run in runs.list_saved(folder)]
    active = find_active_run(store)
    if active is not None and active.trained not in saved:
        others = f"explain another run, such as {saved[-1]}" if saved else "train and publish one here"
        raise DataError(f"the active run {active.trained} is not in {folder}, so its model cannot be loaded; {others}")
    if active is None and not saved:
        raise UnknownNameError("run", "newest", [], hint="`graphrec train` makes one")
    return saved[-1] if active is None else active.trained


def find_user_and_item(store: Store, trained: TrainedRun, user: Id, item: Id) -> tuple[str, str]:
    """The ids of a user and an item, each given by id or `source:key`, that the run knows.

    Raises:
        UnknownNameError: the graph has no such node; the message names the nearest.
        DataError: the graph has the node, but the run was trained without it.
    """
    ids = []
    for label, text, known in (
        (trained.run.target[0], user, trained.users),
        (trained.run.target[2], item, trained.items),
    ):
        identifier = find_node(store, label, text)
        if identifier not in known.ids:
            raise DataError(
                f"{label.lower()} {identifier} is in the graph but was not when {trained.run.id} was trained, so that "
                "run has no score for it; train again"
            )
        ids.append(identifier)
    return ids[0], ids[1]


def is_published(store: Store, user: str, item: str) -> bool:
    """Whether any published run recommends the item to the user."""
    statement = "MATCH (:User {id: $user})-[edge:RECOMMENDED]->(:Item {id: $item}) RETURN count(edge) AS n"
    return bool(store.read(statement, {"user": user, "item": item})[0]["n"])
