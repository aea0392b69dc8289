"""Infers the time, weight and other columns of an edge table."""

from collections.abc import Iterable, Sequence

from graphrec.tabular.inference import lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.functional_dependencies import FunctionalDependency, measure_dependency
from graphrec.tabular.inference.table_roles import ColumnFinding, TableKind, TableRoles
from graphrec.tabular.sniffing import TableProfile


def infer_edge_roles(
    table: TableProfile, what: TableKind, pair: tuple[tuple[str, str], ...], taken: Iterable[str]
) -> TableRoles:
    """The roles of an edge table except its behaviour: time, weight and properties."""
    columns, taken = table.columns, set(taken)
    left = [name for name in columns if name not in taken]
    time, asks = _time(table, left, [columns[column] for _, column in pair])
    findings: list[ColumnFinding] = []
    if time is not None and (moment := columns[time].time_format):
        findings.append(ColumnFinding(time, "time", moment.shown, 0.95 if name_semantics.is_time(time) else 0.8))
        left.remove(time)
    weights = [name for name in left if name_semantics.is_weight(name) and columns[name].numeric]
    weights = [name for name in weights if columns[name].time_format is None and columns[name].num_distinct > 0]
    weight = next((n for n in weights if name_semantics.fold(n) not in ("views", "times")), next(iter(weights), None))
    if what == "social":
        weight = None
    negative = None
    if weight:
        left.remove(weight)
        findings.append(ColumnFinding(weight, "weight", "a count, summed over rows", 0.9))
        if bool((columns[weight].numbers < 0).any()):
            negative = weight
            asks = [*asks, f"{weight} is negative in some rows: are these returns? The key ranges rejects them"]
    moment = columns[time].time_format if time else None
    return TableRoles(
        what, pair, time=moment.time(time) if moment and time else None, zoned=moment.zoned if moment else True,
        weight=weight, negative=negative, rest=tuple(left), findings=tuple(findings), questions=tuple(asks),
    )  # fmt: skip


def _time(table: TableProfile, names: Sequence[str], pair: Sequence[ColumnProfile]) -> tuple[str | None, list[str]]:
    """The column with the time of the action, and questions about it."""
    scored: list[tuple[int, int, str]] = []
    for place, name in enumerate(names):
        column = table.columns[name]
        if column.time_format is None:
            if name_semantics.is_time(name) and column.numeric and _is_excel(column):
                return None, [f"{name} looks like Excel day numbers; export it as a date such as 2024-02-13"]
            continue
        parts = set(name_semantics.tokenize(name))
        score = 4 * name_semantics.is_time(name) + 2 * (not name_semantics.is_other_time(name)) + (column.kind == "str")
        score += (column.time_format.unit is not None) + ("%H" in (column.time_format.format or "%H"))
        score += bool(
            parts & {"event", "order", "invoice", "purchase", "timestamp", "created", "transaction", "rated", "time"}
        )
        acted = bool(parts & lexicon.ACTION_PREFIXES) and not name_semantics.is_other_time(name)
        score -= (1 if acted else 5) * any(_belongs(measure_dependency(key, column), column) for key in pair)
        if score >= 2:
            scored.append((-score, place, name))
    if not scored:
        return None, []
    chosen = min(scored)[2]
    moment = table.columns[chosen].time_format
    return chosen, [f"{chosen}: {moment.question} The first is used"] if moment and moment.question else []


def _belongs(found: FunctionalDependency, column: ColumnProfile) -> bool:
    return found.holds and found.repeated >= 3 and column.num_distinct > 1


def _is_excel(column: ColumnProfile) -> bool:
    return bool(column.numbers.between(20_000, 60_000).all())
