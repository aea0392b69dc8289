"""What users did, without robots, and only among users and items that have enough of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from graphrec.cleaning.casting import arrow
from graphrec.cleaning.rejected_rows import rejected_rows
from graphrec.cleaning.working_table import WorkingTable
from graphrec.cleaning_report import CleaningReport, TableCount
from graphrec.errors import DataError
from graphrec.schema import ITEM, USER, EdgeType
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable

_DAY = 86_400
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def without_robots(tables: GraphTables, per_day: int) -> GraphTables:
    """The tables without what users did who have more than `per_day` events on one day (UTC).

    Events are the rows of all behaviours that have a `timestamp`. All behaviour of such a user is rejected by the rule
    "robot", and the user too where no other edge (a friendship) refers to it.
    """
    _require_positive(per_day, "per_day")
    busiest = _busiest_days(tables)
    robots = busiest[busiest["events"] > per_day]
    if robots.empty:
        return tables
    names = pd.Index(robots["user"])
    why = _Filter("robot", f"more than {per_day:,} events on one day", _rates(robots))
    kept = {id(table): ~table.frame["source_id"].isin(names).to_numpy() for table in _behaviours(tables)}
    others = [table for table in tables.edges if id(table) not in kept]
    referred: list[pd.Series[str]] = [end for table in others for end in _ends_of(table, USER)]
    free = names.difference(pd.Index(pd.concat(referred).unique())) if referred else names
    kept |= {id(t): ~t.frame["id"].isin(free).to_numpy() for t in tables.nodes if t.type.label == USER}
    return _filtered(tables, kept, why)


def k_core(tables: GraphTables, k: int) -> GraphTables:
    """The tables with only those users and items that have behaviour with at least `k` others of these.

    A pair of user and item counts once, however many behaviours it has. Users and items outside this core are rejected
    by the rule "k-core", with every edge that ends at one.
    """
    _require_positive(k, "k")
    ids = {t.type.label: t.frame["id"] for t in tables.nodes if t.type.label in (USER, ITEM)}
    if len(ids) < 2:
        return tables
    users, items = _pairs(tables, ids[USER], ids[ITEM])
    core = _core(users, items, k, (len(ids[USER]), len(ids[ITEM])))
    keep = dict(zip((USER, ITEM), core, strict=True))
    kept: dict[int, Mask] = {id(tables.node(label)): keep[label] for label in (USER, ITEM)}
    for table in tables.edges:
        mask = np.ones(len(table.frame), dtype=bool)
        for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
            if label in keep:
                mask &= keep[label][_positions(table.frame[end], ids[label])]
        kept[id(table)] = mask
    return _filtered(tables, kept, _Filter("k-core", f"outside the {k}-core of users and items"))


@dataclass(frozen=True)
class _Filter:
    """Why rows go: the rule, the reason, and what is known of some ids (a user's rate)."""

    rule: str
    reason: str
    known: Mapping[str, str] | None = None


def _busiest_days(tables: GraphTables) -> pd.DataFrame:
    """Columns user, day and events: for each user the day with the most events, where events have a timestamp."""
    timed = [table.frame for table in _behaviours(tables) if "timestamp" in table.frame.columns]
    if not timed:
        return pd.DataFrame({"user": pd.Series(dtype="str"), "day": [], "events": []})
    rows = pd.concat([frame[["source_id", "timestamp"]] for frame in timed], ignore_index=True)
    rows = rows[rows["timestamp"].notna().to_numpy()]
    codes, users = pd.factorize(rows["source_id"])
    days = rows["timestamp"].to_numpy(dtype="int64") // _DAY
    counts = pd.DataFrame({"user": codes, "day": days}).value_counts(sort=False).rename("events").reset_index()
    counts = counts.sort_values(["events", "day"]).drop_duplicates("user", keep="last")
    return counts.assign(user=users[counts["user"].to_numpy()])


def _rates(robots: pd.DataFrame) -> dict[str, str]:
    """What to say of each robot: "12,345 events on 2020-03-04"."""
    rows = robots.sort_values("events", ascending=False)
    days = rows["day"].to_numpy(dtype="datetime64[D]").astype(str)
    rates = zip(rows["user"].tolist(), rows["events"].tolist(), days, strict=True)
    return {user: f"{events:,} events on {day}" for user, events, day in rates}


def _positions(values: "pd.Series[str]", ids: "pd.Series[str]") -> Indices:
    """The position of each value among the ids, which have it for certain."""
    found = pc.index_in(arrow(values), value_set=arrow(ids))
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _pairs(tables: GraphTables, users: "pd.Series[str]", items: "pd.Series[str]") -> tuple[Indices, Indices]:
    """The distinct pairs of user and item that have behaviour, as two arrays of positions."""
    parts = [
        _positions(table.frame["source_id"], users) * len(items) + _positions(table.frame["target_id"], items)
        for table in _behaviours(tables)
    ]
    codes = np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)
    width = max(len(items), 1)
    return codes // width, codes % width


def _core(users: Indices, items: Indices, k: int, sizes: tuple[int, int]) -> tuple[Mask, Mask]:
    """Which users and which items are in the k-core of these pairs."""
    while True:
        user_kept = np.bincount(users, minlength=sizes[0]) >= k
        item_kept = np.bincount(items, minlength=sizes[1]) >= k
        left = user_kept[users] & item_kept[items]
        if left.all():
            return user_kept, item_kept
        users, items = users[left], items[left]


def _filtered(tables: GraphTables, kept: Mapping[int, Mask], why: _Filter) -> GraphTables:
    """The tables with the rows marked as kept, and a report of the others."""
    counts = list(tables.cleaning.tables)
    drafts = []
    made: list[NodeTable | EdgeTable] = []
    every: list[NodeTable | EdgeTable] = [*tables.nodes, *tables.edges]
    for table in every:
        working = _draft(table, counts)
        if id(table) in kept and not kept[id(table)].all():
            working = _rejecting(working, ~kept[id(table)], why)
        drafts.append(working)
        made.append(table if len(working.frame) == len(table.frame) else replace(table, frame=working.frame))
    old = tables.cleaning.rejected
    rejected = [part for part in (old, rejected_rows(drafts)) if part is not None and len(part)]
    report = CleaningReport(
        (*(working.count for working in drafts), *counts),
        pd.concat(rejected, ignore_index=True) if rejected else old,
    )
    nodes = tuple(table for table in made if isinstance(table, NodeTable))
    edges = tuple(table for table in made if isinstance(table, EdgeTable))
    return replace(tables, nodes=nodes, edges=edges, cleaning=report)


def _draft(table: NodeTable | EdgeTable, counts: list[TableCount]) -> WorkingTable:
    """The table as a working table that goes on from its count so far, which is taken out of `counts`."""
    working = WorkingTable(table.type, table.frame.reset_index(drop=True), len(table.frame))
    for position, count in enumerate(counts):
        if count.name == working.name and count.kept == len(table.frame):
            del counts[position]
            return replace(working, rows=count.rows, rules=count.rules)
    return working


def _rejecting(working: WorkingTable, bad: Mask, why: _Filter) -> WorkingTable:
    left = working.reject(pd.Series(bad, index=working.frame.index), why.rule, why.reason)
    if why.known is None:
        return left
    column = "id" if working.name == USER else "source_id"
    gone = set(working.frame.loc[bad, column].unique())
    shown = [f"{name}: {text}" for name, text in why.known.items() if name in gone][:5]
    rules = tuple(replace(r, examples=tuple(shown)) if r.rule == why.rule else r for r in left.rules)
    return replace(left, rules=rules)


def _behaviours(tables: GraphTables) -> Sequence[EdgeTable]:
    return [table for table in tables.edges if (table.type.source, table.type.target) == (USER, ITEM)]


def _ends_of(table: EdgeTable, label: str) -> "list[pd.Series[str]]":
    kind: EdgeType = table.type
    ends = zip(ENDS, (kind.source, kind.target), strict=True)
    return [table.frame[end] for end, found in ends if found == label]


def _require_positive(value: int, name: str) -> None:
    if value < 1:
        raise DataError(f"{name} is {value}, but it must be 1 or more")
