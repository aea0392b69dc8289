"""The active run: the published run whose recommendations readers see. Python code has this rule here only.

The active run is the published run with the greatest `activated_at`, or the first by id of several with the same. Query
files contain `ACTIVE_RUN` verbatim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphrec.errors import DataError
from graphrec.schema import RUN
from graphrec.store.connection import Store

#: The Cypher that binds the active run to the variable `run`; no rows if no run is published.
ACTIVE_RUN = f"""\
CALL () {{
  MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL
  RETURN run ORDER BY run.activated_at DESC, run.id LIMIT 1
}}
"""

#: The order of the nodes `run`, the active one first; runs that are not active come last.
ACTIVE_FIRST = "coalesce(run.activated_at, 0) DESC, run.id"

#: The columns that `ActiveRun.from_row` reads.
COLUMNS = """\
run.id AS run, coalesce(run.trained, run.id) AS trained, run.model AS model, run.relation AS relation,
run.layers AS layers, run.k AS k"""

#: Runs published before edges had a `version`: their lists cannot be read.
_OLD_FORMAT = f"""
MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL AND run.version IS NULL
RETURN run.id AS id LIMIT 1
"""


@dataclass(frozen=True)
class ActiveRun:
    """The run whose recommendations readers see.

    Attributes:
        id: the id of the publication.
        trained: the id of the saved run, which differs from `id` if a run was published twice.
        relation: the behaviour that the run predicts.
        layers: the versions that its lists are read from, the newest first.
        k: the maximum length of its lists; None for runs of versions that did not save it.
    """

    id: str
    trained: str
    model: str
    relation: str
    layers: tuple[int, ...]
    k: int | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "ActiveRun":
        """The run of a record that has `COLUMNS`."""
        run, trained, model, relation = (str(row[name]) for name in ("run", "trained", "model", "relation"))
        return cls(run, trained, model, relation, tuple(row["layers"] or ()), row["k"])


def find_active_run(store: Store) -> ActiveRun | None:
    """The active run of a store; None if no run is published.

    Raises DataError if the graph was published by an earlier version of graphrec.
    """
    rows = store.read(f"{ACTIVE_RUN}RETURN {COLUMNS}")
    if not rows:
        require_readable_lists(store)
        return None
    return ActiveRun.from_row(rows[0])


def require_readable_lists(store: Store) -> None:
    """Raise DataError if all published lists were written by an earlier version of graphrec, which this one cannot
    read."""
    old = store.read(_OLD_FORMAT)
    if old and not store.read(f"{ACTIVE_RUN}RETURN run.id AS id"):
        raise DataError(
            f"the recommendations of run {old[0]['id']} were published by an earlier version of graphrec, which this "
            "one cannot read; publish again: `graphrec publish latest`"
        )


def sort_key(activated_at: int | None, run_id: str) -> tuple[int, str]:
    """The key that sorts runs as `ACTIVE_RUN` does: the active one first."""
    return (-(activated_at or 0), run_id)
