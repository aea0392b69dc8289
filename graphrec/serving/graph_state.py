"""What a long-lived server watches in the graph: the active run, the last load, and the number of items."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from graphrec.schema import ITEM, SOURCE
from graphrec.store import Store
from graphrec.store.active_run import ACTIVE_RUN, COLUMNS, ActiveRun
from graphrec.store.experiment import IS_COMPARED, Experiment, find_experiment

_LOADED = f"CALL () {{ MATCH (source:{SOURCE}) RETURN max(source.loaded_at) AS loaded_at }}"
_ITEMS = f"CALL () {{ MATCH (item:{ITEM}) RETURN count(item) AS num_items }}"

_WITH_RUN = f"""{_LOADED} {_ITEMS} {ACTIVE_RUN}
RETURN loaded_at, num_items, run.activated_at AS activated_at, {IS_COMPARED} AS is_compared, {COLUMNS}"""
_WITHOUT_RUN = f"{_LOADED} {_ITEMS} RETURN loaded_at, num_items"


@dataclass(frozen=True)
class GraphState:
    """The active run or None, when it became active (milliseconds since 1970), the time of the last load (ISO 8601),
    the number of items, and the experiment in which the run is compared with another one."""

    run: ActiveRun | None
    activated_at: int | None
    loaded_at: str | None
    num_items: int
    experiment: Experiment | None = None

    @cached_property
    def epoch(self) -> str:
        """A text that changes if a run is published or rolled back, a source loaded or unlinked, an item added, or an
        experiment started or stopped."""
        parts: tuple[object, ...] = (self.run and self.run.id, self.activated_at, self.loaded_at, self.num_items)
        parts += () if self.experiment is None else (self.experiment.id,)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def read_graph_state(store: Store) -> GraphState:
    """The state of a store now."""
    rows = store.read(_WITH_RUN)
    run = ActiveRun.from_row(rows[0]) if rows else None
    row = rows[0] if rows else store.read(_WITHOUT_RUN)[0]
    activated_at = row["activated_at"] if run else None
    experiment = find_experiment(store) if run is not None and row["is_compared"] else None
    return GraphState(run, activated_at, row["loaded_at"], int(row["num_items"]), experiment)
