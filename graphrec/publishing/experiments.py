"""Start and stop online experiments: the active run compared with another one whose lists are in the graph."""

import secrets

from graphrec.arguments import name_of_run
from graphrec.errors import DataError
from graphrec.publishing.versions import now_milliseconds, read_versions
from graphrec.schema import EXPERIMENT
from graphrec.store import Store
from graphrec.store.connection import Fence
from graphrec.store.counts import known_labels
from graphrec.store.experiment import Experiment, Mode, find_experiment
from graphrec.store.nodes import ensure_constraint

_CREATE = f"CREATE (e:{EXPERIMENT}) SET e = $properties"
_END = f"MATCH (e:{EXPERIMENT}) WHERE e.ended_at IS NULL SET e.ended_at = $now RETURN e.id AS id ORDER BY id"


def start_experiment(
    store: Store, run: str | None = None, share: float = 0.5, mode: Mode = "split", fence: Fence | None = None
) -> Experiment:
    """Compare the active run with another one, by default the run before; it ends the experiment before.

    `run` is the id of a run whose lists are in the graph, or its first letters; `share` of the users get it, or items
    of both runs in one list. A fence, if given, guards the write.

    Raises:
        UnknownNameError: no run with lists has this id.
        DataError: the share is not between 0 and 1, or no other run has lists.
    """
    if not 0 < share <= 1 or (mode == "split" and share == 1):
        raise DataError(f"the share of users is {share:g}; give one above 0 and below 1, such as 0.5")
    all_versions = read_versions(store)
    active, others = all_versions.active, {each.id: each for each in all_versions.complete[1:]}
    if active is None or not others:
        raise DataError(
            "an experiment compares the active run with another one whose lists are in the graph, and there is no "
            "other; publish a second run, which keeps the one before"
        )
    hint = "its lists are no longer in the graph; `graphrec publish --keep N` keeps more"
    other = next(iter(others)) if run is None else name_of_run(run, list(others), "kept run", hint)
    ensure_constraint(store, EXPERIMENT)
    store = store if fence is None else store.fenced(fence)
    now = now_milliseconds()
    properties = {
        "id": f"e-{now}-{secrets.token_hex(2)}",
        "mode": mode,
        "salt": secrets.token_hex(8),
        "share": float(share),
        "active": active.id,
        "activated_at": active.activated_at,
        "other": other,
        "started_at": now,
    }
    store.write_together([(_END, {"now": now}), (_CREATE, {"properties": properties})])
    found = find_experiment(store)
    if found is None:
        raise DataError("another run became active at the same time, which ended the experiment; start it again")
    return found


def stop_experiments(store: Store, fence: Fence | None = None) -> list[str]:
    """End the running experiment, so that all users get the active run; return the ids of those that it ended."""
    if EXPERIMENT not in known_labels(store):
        return []
    store = store if fence is None else store.fenced(fence)
    return [row["id"] for row in store.write(_END, {"now": now_milliseconds()})]
