"""Of which run, user and item an explanation is, as a person names them."""

from pathlib import Path

from graphrec import runs
from graphrec.arguments import Id
from graphrec.errors import DataError, UnknownNameError
from graphrec.runs import Run, TrainedRun
from graphrec.store import Store
from graphrec.store.active_run import find_active_run
from graphrec.store.queries import find_node


def load_run(store: Store, folder: Path, name: str | Run | None = None) -> TrainedRun:
    """The run that `run_name` names, loaded; raises as it does, and UnknownNameError where there is no such run."""
    return runs.load(folder, run_name(store, folder, name))


def run_name(store: Store, folder: Path, name: str | Run | None = None) -> str:
    """The id of the saved run that is named (`runs.find`); without a name that of the run whose recommendations are
    active in the store, else the newest saved.

    Raises:
        UnknownNameError: there is no such run, or none at all.
        DataError: the active run is not among those in the folder.
    """
    if name is not None:
        return runs.find(folder, name)
    saved = [run.id for run in runs.listed(folder)]
    active = find_active_run(store)
    if active and active.trained not in saved:
        others = f"explain another with --run, such as {saved[-1]}" if saved else "train and publish one here"
        raise DataError(
            f"the active run {active.trained} is not on this disk ({folder}), so its model cannot be asked; {others}"
        )
    if not active and not saved:
        raise UnknownNameError("run", "newest", [], hint="`graphrec train` makes one")
    return active.trained if active else saved[-1]


def find_ends(store: Store, trained: TrainedRun, user: Id, item: Id) -> tuple[str, str]:
    """The ids of a user and an item by id or `source:key`, both known to the run.

    Raises:
        UnknownNameError: the graph has no such node; it names the nearest.
        DataError: the graph has it, but the run was trained without it.
    """
    found = []
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
        found.append(identifier)
    return found[0], found[1]


def is_published(store: Store, user: str, item: str) -> bool:
    """Whether any published run recommends the item to the user."""
    statement = "MATCH (:User {id: $user})-[edge:RECOMMENDED]->(:Item {id: $item}) RETURN count(edge) AS n"
    return bool(store.read(statement, {"user": user, "item": item})[0]["n"])
