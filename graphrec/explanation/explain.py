"""Explain one score of a run, and find the run, user and item that a caller names."""

from pathlib import Path

import numpy as np

from graphrec import runs
from graphrec.arguments import Id, count
from graphrec.errors import DataError, UnknownNameError
from graphrec.explanation.history import attribute_to_history
from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Explanation
from graphrec.explanation.walk_paths import attribute_to_walks
from graphrec.runs import Run, TrainedRun
from graphrec.store import Store
from graphrec.store.active_run import find_active_run
from graphrec.store.queries import find_node

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
    top = count(top, "top")
    user, item = trained.users.find(user_id), trained.items.find(item_id)
    model, labels = trained.model, Labels.of(trained)
    score = float(model.score(np.array([user]))[0, item])
    walks = model.explain_paths(user, item)
    if walks is None:
        attribution = attribute_to_history(trained, user, item, score, top)
    else:
        attribution = attribute_to_walks(labels, walks, score, top)
    return Explanation(
        labels.user(user),
        labels.item(item),
        score,
        attribution,
        trained.run.model,
        trained.run.id,
        trained.run.relation,
        int((trained.seen.item_index == item).sum()),
        bool(((trained.seen.user_index == user) & (trained.seen.item_index == item)).any()),
    )


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
