"""The lists of two published runs for one user, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphrec.schema import RUN
from graphrec.serving.answer import Recommended, Strategy
from graphrec.serving.published_list import read_published_lists
from graphrec.store import Store
from graphrec.store.active_run import COLUMNS, ActiveRun, sort_key
from graphrec.store.connection import Row

_RUNS = f"""
MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL AND run.version IS NOT NULL AND run.layers IS NOT NULL
RETURN {COLUMNS}, run.created_at AS created_at, run.verdict AS verdict, run.activated_at AS activated_at
"""


@dataclass(frozen=True)
class KeptRun:
    """A published run whose lists are in the graph: when it was trained (ISO 8601), its verdict, and when it became
    active (milliseconds since 1970)."""

    run: ActiveRun
    created_at: str | None
    verdict: str | None
    activated_at: int


def read_kept_runs(store: Store) -> list[KeptRun]:
    """The runs whose lists are in the graph, the active one first."""
    rows = sorted(store.read(_RUNS), key=_get_order)
    return [
        KeptRun(ActiveRun.from_row(row), row["created_at"], row["verdict"], int(row["activated_at"])) for row in rows
    ]


def _get_order(row: Row) -> tuple[int, str]:
    """What runs are sorted by, the active one first."""
    return sort_key(row["activated_at"], row["run"])


def read_list(store: Store, run: ActiveRun, user_id: str, k: int) -> Sequence[Recommended]:
    """The first k items of a user's list in a run, with items that the user has chosen since."""
    listed = read_published_lists(store, run, [user_id]).get(user_id, ())[:k]
    return [
        Recommended(each.item, each.title, each.score, rank, Strategy.PUBLISHED, run.model, run.id)
        for rank, each in enumerate(listed, start=1)
    ]
