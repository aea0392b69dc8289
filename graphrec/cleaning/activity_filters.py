"""Activity filters: removal of robots, and the k-core of users and items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from graphrec.cleaning.casting import to_arrow
from graphrec.cleaning.rejected_rows import collect_rejected_rows
from graphrec.cleaning.working_table import WorkingTable
from graphrec.cleaning_report import CleaningReport, TableCount
from graphrec.errors import DataError
from graphrec.schema import ITEM, USER, EdgeType
from graphrec.tables import ENDS, EdgeTable, GraphTables, NodeTable

_DAY = 86_400
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def without_robots(tables: GraphTables, per_day: int) -> GraphTables:
    """The tables without the behaviour of users with more than `per_day` events on one day (UTC).

    Events are the rows of all behaviours that have a `timestamp`. All behaviour of such a user is rejected by the rule
    "robot", and so is the user if no other edge (such as a friendship) refers to it.
    """
    _require_positive(per_day, "per_day")
    busiest = _find_busiest_days(tables)
    robots = busiest[busiest["events"] > per_day]
    if robots.empty:
        return tables
    names = pd.Index(robots["user"])
    criterion = _Filter("robot", f"more than {per_day:,} events on one day", _describe_rates(robots))
    kept = {id(table): ~table.frame["source_id"].isin(names).to_numpy() for table in _list_behaviours(tables)}
    others = [table for table in tables.edges if id(table) not in kept]
    referenced: list[pd.Series[str]] = [end for table in others for end in _list_ends(table, USER)]
    removed = names.difference(pd.Index(pd.concat(referenced).unique())) if referenced else names
    kept |= {id(t): ~t.frame["id"].isin(removed).to_numpy() for t in tables.nodes if t.type.label == USER}
    return _apply_filter(tables, kept, criterion)


def k_core(tables: GraphTables, k: int) -> GraphTables:
    """The tables with the k-core: the users and items with behaviour with at least `k` partners in the core.

    A pair of user and item counts once, whatever its number of behaviours. Users and items outside the core are
    rejected by the rule "k-core", with all their edges.
    """
    _require_positive(k, "k")
    ids = {t.type.label: t.frame["id"] for t in tables.nodes if t.type.label in (USER, ITEM)}
    if len(ids) < 2:
        return tables
    users, items = _list_pairs(tables, ids[USER], ids[ITEM])
    core = compute_core(users, items, k, (len(ids[USER]), len(ids[ITEM])))
    in_core = dict(zip((USER, ITEM), core, strict=True))
    kept: dict[int, Mask] = {id(tables.node(label)): in_core[label] for label in (USER, ITEM)}
    for table in tables.edges:
        mask = np.ones(len(table.frame), dtype=bool)
        for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
            if label in in_core:
                mask &= in_core[label][_find_positions(table.frame[end], ids[label])]
        kept[id(table)] = mask
    return _apply_filter(tables, kept, _Filter("k-core", f"outside the {k}-core of users and items"))


@dataclass(frozen=True)
class _Filter:
    """The criterion of a filter for the report: its rule, the reason, and details by id (such as a user's rate)."""

    rule: str
    reason: str
    details: Mapping[str, str] | None = None


def _find_busiest_days(tables: GraphTables) -> pd.DataFrame:
    """Columns user, day and events: for each user the day with the most events that have a timestamp."""
    timed = [table.frame for table in _list_behaviours(tables) if "timestamp" in table.frame.columns]
    if not timed:
        return pd.DataFrame({"user": pd.Series(dtype="str"), "day": [], "events": []})
    rows = pd.concat([frame[["source_id", "timestamp"]] for frame in timed], ignore_index=True)
    rows = rows[rows["timestamp"].notna().to_numpy()]
    codes, users = pd.factorize(rows["source_id"])
    days = rows["timestamp"].to_numpy(dtype="int64") // _DAY
    counts = pd.DataFrame({"user": codes, "day": days}).value_counts(sort=False).rename("events").reset_index()
    counts = counts.sort_values(["events", "day"]).drop_duplicates("user", keep="last")
    return counts.assign(user=users[counts["user"].to_numpy()])


def _describe_rates(robots: pd.DataFrame) -> dict[str, str]:
    """The text for each robot: "12,345 events on 2020-03-04"."""
    rows = robots.sort_values("events", ascending=False)
    days = rows["day"].to_numpy(dtype="datetime64[D]").astype(str)
    rates = zip(rows["user"].tolist(), rows["events"].tolist(), days, strict=True)
    return {user: f"{events:,} events on {day}" for user, events, day in rates}


def _find_positions(values: "pd.Series[str]", ids: "pd.Series[str]") -> Indices:
    """The position of each value in `ids`, which must contain it."""
    positions = pc.index_in(to_arrow(values), value_set=to_arrow(ids))
    return np.asarray(positions.to_numpy(), dtype=np.int64)


def _list_pairs(tables: GraphTables, users: "pd.Series[str]", items: "pd.Series[str]") -> tuple[Indices, Indices]:
    """The distinct pairs of user and item with behaviour, as two arrays of positions."""
    parts = [
        _find_positions(table.frame["source_id"], users) * len(items) + _find_positions(table.frame["target_id"], items)
        for table in _list_behaviours(tables)
    ]
    codes = np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)
    width = max(len(items), 1)
    return codes // width, codes % width


def compute_core(users: Indices, items: Indices, k: int, sizes: tuple[int, int]) -> tuple[Mask, Mask]:
    """The masks of users [sizes[0]] and items [sizes[1]] in the k-core of distinct pairs, two arrays of positions."""
    while True:
        user_kept = np.bincount(users, minlength=sizes[0]) >= k
        item_kept = np.bincount(items, minlength=sizes[1]) >= k
        remaining = user_kept[users] & item_kept[items]
        if remaining.all():
            return user_kept, item_kept
        users, items = users[remaining], items[remaining]


def _apply_filter(tables: GraphTables, kept: Mapping[int, Mask], criterion: _Filter) -> GraphTables:
    """The tables with only the rows marked in `kept` (masks by id of the table); the other rows are rejected."""
    counts = list(tables.cleaning.tables)
    working_tables = []
    filtered: list[NodeTable | EdgeTable] = []
    every: list[NodeTable | EdgeTable] = [*tables.nodes, *tables.edges]
    for table in every:
        working = _to_working_table(table, counts)
        if id(table) in kept and not kept[id(table)].all():
            working = _reject_rows(working, ~kept[id(table)], criterion)
        working_tables.append(working)
        filtered.append(table if len(working.frame) == len(table.frame) else replace(table, frame=working.frame))
    old = tables.cleaning.rejected
    rejected = [part for part in (old, collect_rejected_rows(working_tables)) if part is not None and len(part)]
    report = CleaningReport(
        (*(working.count for working in working_tables), *counts),
        pd.concat(rejected, ignore_index=True) if rejected else old,
    )
    nodes = tuple(table for table in filtered if isinstance(table, NodeTable))
    edges = tuple(table for table in filtered if isinstance(table, EdgeTable))
    return replace(tables, nodes=nodes, edges=edges, cleaning=report)


def _to_working_table(table: NodeTable | EdgeTable, counts: list[TableCount]) -> WorkingTable:
    """The table as a working table that continues its count of earlier rules, which is removed from `counts`."""
    working = WorkingTable(table.type, table.frame.reset_index(drop=True), len(table.frame))
    for position, count in enumerate(counts):
        if count.name == working.name and count.kept == len(table.frame):
            del counts[position]
            return replace(working, rows=count.rows, rules=count.rules)
    return working


def _reject_rows(working: WorkingTable, bad: Mask, criterion: _Filter) -> WorkingTable:
    remaining = working.reject(pd.Series(bad, index=working.frame.index), criterion.rule, criterion.reason)
    if criterion.details is None:
        return remaining
    column = "id" if working.name == USER else "source_id"
    rejected = set(working.frame.loc[bad, column].unique())
    shown = [f"{name}: {text}" for name, text in criterion.details.items() if name in rejected][:5]
    rules = tuple(replace(r, examples=tuple(shown)) if r.rule == criterion.rule else r for r in remaining.rules)
    return replace(remaining, rules=rules)


def _list_behaviours(tables: GraphTables) -> Sequence[EdgeTable]:
    return [table for table in tables.edges if (table.type.source, table.type.target) == (USER, ITEM)]


def _list_ends(table: EdgeTable, label: str) -> "list[pd.Series[str]]":
    kind: EdgeType = table.type
    ends = zip(ENDS, (kind.source, kind.target), strict=True)
    return [table.frame[end] for end, end_label in ends if end_label == label]


def _require_positive(value: int, name: str) -> None:
    if value < 1:
        raise DataError(f"{name} is {value}, but it must be 1 or more")
