"""What was published to a user at a time in the past: by which run, with which reasons, and what was shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from graphrec.errors import DataError
from graphrec.schema import ITEM, RECOMMENDED, RUN, SHOWN, USER, WITHDRAWN
from graphrec.serving.user_context import UserContext, read_user_context
from graphrec.store import Store
from graphrec.store.active_run import ActiveRun, sort_key
from graphrec.store.experiment import find_experiment_at
from graphrec.time_format import moment_text

#: Seconds before the time for which impressions are listed.
SHOWN_SECONDS = 86_400

#: Cap on the impressions that are listed, the newest ones.
MAX_SHOWN = 100

_RUNS = f"""
MATCH (run:{RUN}) WHERE run.activated_at IS NOT NULL
RETURN run.id AS run, coalesce(run.trained, run.id) AS trained, run.model AS model, run.relation AS relation,
       run.layers AS layers, run.k AS k, coalesce(run.activations, [run.activated_at]) AS activations
ORDER BY run
"""

_LISTED = f"""
MATCH (user:{USER} {{id: $user}})-[edge:{RECOMMENDED}]->(item:{ITEM})
WHERE edge.version IN $layers AND NOT EXISTS {{ (user)-[:{WITHDRAWN}]->(:{RUN} {{id: $run}}) }}
RETURN edge.version AS layer, item.id AS item, item.title AS title, edge.score AS score, edge.rank AS rank,
       edge.because AS because, edge.because_label AS because_label
ORDER BY rank
"""

_SHOWN = f"""
MATCH (:{USER} {{id: $user}})-[edge:{SHOWN}]->(item:{ITEM}) WHERE edge.timestamp > $since AND edge.timestamp <= $at
RETURN item.id AS item, item.title AS title, edge.run AS run, edge.rank AS rank, edge.timestamp AS timestamp,
       edge.recommendation_id AS recommendation_id
ORDER BY timestamp DESC, rank, item LIMIT {MAX_SHOWN}
"""


@dataclass(frozen=True)
class PastItem:
    """An item of a list in the past. `because` and `because_label` are id and label of its strongest reason, if known;
    `chosen`: the user had chosen or excluded it by then, so that it was not recommended any more."""

    item: str
    title: str | None
    score: float
    rank: int
    because: str | None
    because_label: str | None
    chosen: bool


@dataclass(frozen=True)
class ShownItem:
    """An impression; `timestamp` is in Unix seconds."""

    item: str
    title: str | None
    run: str | None
    rank: int | None
    timestamp: int
    recommendation_id: str | None


@dataclass(frozen=True)
class PastList:
    """What was published to a user at a time (Unix seconds).

    run, model, active_since: the run that was active, or that the user got in an experiment, its model, and the Unix
        seconds since which it was.
    source: `published`: the list is in the graph; `recomputed`: it was computed anew by the saved run; `removed`:
        neither is possible any more.
    shown: impressions of the day before the time, the newest first.
    """

    user: str
    at: int
    run: str
    model: str
    active_since: int
    source: str
    items: tuple[PastItem, ...]
    shown: tuple[ShownItem, ...]
    notes: tuple[str, ...]


#: Computes the list of a user by a saved run anew: items by rank; None if that is not possible.
Recompute = Callable[[str, ActiveRun], Sequence[PastItem] | None]


def read_past_list(store: Store, user: str, at: int, recompute: Recompute) -> PastList:
    """What was published to a user at a time; `recompute` is called if the list is no longer in the graph, and for its
    reasons if it was published without them.

    Raises DataError if no run was active at that time.
    """
    run, since, experiment = _find_run(store, user, at)
    rows = store.read(_LISTED, {"user": user, "run": run.id, "layers": list(run.layers)}) if run.layers else []
    layer = min((row["layer"] for row in rows), key=run.layers.index, default=None)
    items = [
        PastItem(**{name: value for name, value in row.items() if name != "layer"}, chosen=False)
        for row in rows
        if row["layer"] == layer
    ]
    notes, source = [], "published"
    if experiment:
        notes.append(experiment)
    if not run.layers:
        found = recompute(user, run)
        source = "removed" if found is None else "recomputed"
        items = list(found or ())
        if found is None:
            notes.append(
                f"the lists of run {run.id} are no longer in the graph, and the run is not saved here or does not know "
                "the user; `graphrec publish --keep N` keeps more lists"
            )
        else:
            notes.append(
                f"the lists of run {run.id} are no longer in the graph: this one was computed anew by the saved run, "
                "without rules that it may have been published with"
            )
    elif items and not any(each.because for each in items):
        reasons = {each.item: each for each in recompute(user, run) or ()}
        items = [
            replace(each, because=reasons[each.item].because, because_label=reasons[each.item].because_label)
            if each.item in reasons
            else each
            for each in items
        ]
    elif not items:
        notes.append(f"run {run.id} had no list for this user")
    gone = _find_chosen(read_user_context(store, user), run.relation, at)
    items = [replace(each, chosen=each.item in gone) for each in items]
    if number := sum(each.chosen for each in items):
        notes.append(f"{number} of the items had been chosen or excluded by the user by then")
    shown = [
        ShownItem(**{**row, "timestamp": int(row["timestamp"])})
        for row in store.read(_SHOWN, {"user": user, "since": at - SHOWN_SECONDS, "at": at})
    ]
    return PastList(user, at, run.id, run.model, since, source, tuple(items), tuple(shown), tuple(notes))


def _find_run(store: Store, user: str, at: int) -> tuple[ActiveRun, int, str]:
    """The run that a user got at a time, the Unix seconds since which it was active, and a note on an experiment."""
    rows = store.read(_RUNS)
    moments = [
        (int(moment), row["run"], row) for row in rows for moment in row["activations"] if moment <= at * 1000 + 999
    ]
    if not moments:
        first = min((int(moment) for row in rows for moment in row["activations"]), default=None)
        begin = "nothing was ever published" if first is None else f"the first run became active at {_format(first)}"
        raise DataError(f"no run was active at {moment_text(at)}: {begin}")
    moment, _, row = min(moments, key=lambda each: sort_key(*each[:2]))  # ties as for the run that is active now
    active, since = ActiveRun.from_row(row), moment // 1000
    experiment = find_experiment_at(store, active.id, moment, at * 1000 + 999)
    other = None if experiment is None else next((row for row in rows if row["run"] == experiment.other), None)
    if experiment is None or other is None or not experiment.is_assigned(user):
        return active, since, ""
    if experiment.mode == "interleave":
        note = f"experiment {experiment.id}: the user got items of runs {active.id} and {experiment.other} in one list"
        return active, since, note
    note = f"experiment {experiment.id}: the user got run {experiment.other} instead of the active run {active.id}"
    return ActiveRun.from_row(other), experiment.started_at // 1000, note


def _find_chosen(user: UserContext, relation: str, at: int) -> set[str]:
    """The items that the user had chosen or excluded at a time; edges without a time count."""
    chosen = {edge.id for edge in user.behaviour(relation) if edge.number(["timestamp"], 0.0) <= at}
    then = replace(user, edges=tuple(edge for edge in user.edges if edge.number(["timestamp"], 0.0) <= at))
    return chosen | then.excluded_items(at)


def _format(milliseconds: int) -> str:
    return f"{moment_text(milliseconds // 1000)} UTC"
