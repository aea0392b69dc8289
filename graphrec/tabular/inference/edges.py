"""The columns of a file of edges: the time, the weight, and the others."""

from collections.abc import Iterable, Sequence

from graphrec.tabular.inference import lexicon, words
from graphrec.tabular.inference.columns import Column
from graphrec.tabular.inference.dependencies import Dependency, dependency
from graphrec.tabular.inference.evidence import Finding, Roles, What
from graphrec.tabular.sniffing import Sniffed


def edge_roles(file: Sniffed, what: What, pair: tuple[tuple[str, str], ...], taken: Iterable[str]) -> Roles:
    """The roles of a file of edges, but for what users did: a time, a weight, and the others."""
    columns, taken = file.columns, set(taken)
    left = [name for name in columns if name not in taken]
    time, asks = _time(file, left, [columns[column] for _, column in pair])
    findings: list[Finding] = []
    if time is not None and (moment := columns[time].moment):
        findings.append(Finding(time, "time", moment.shown, 0.95 if words.is_time(time) else 0.8))
        left.remove(time)
    weights = [name for name in left if words.is_weight(name) and columns[name].numeric]
    weights = [name for name in weights if columns[name].moment is None and columns[name].distinct > 0]
    weight = next((n for n in weights if words.folded(n) not in ("views", "times")), next(iter(weights), None))
    if what == "social":
        weight = None
    negative = None
    if weight:
        left.remove(weight)
        findings.append(Finding(weight, "weight", "a number of times, added up", 0.9))
        if bool((columns[weight].numbers < 0).any()):
            negative = weight
            asks = [*asks, f"{weight} is negative in some rows: are these returns? They are rejected by ranges"]
    moment = columns[time].moment if time else None
    return Roles(
        what, pair, time=moment.time(time) if moment and time else None, zoned=moment.zoned if moment else True,
        weight=weight, negative=negative, rest=tuple(left), findings=tuple(findings), asks=tuple(asks),
    )  # fmt: skip


def _time(file: Sniffed, names: Sequence[str], pair: Sequence[Column]) -> tuple[str | None, list[str]]:
    """The column of the time at which something was done, and what is unsure of it."""
    scored: list[tuple[int, int, str]] = []
    for place, name in enumerate(names):
        column = file.columns[name]
        if column.moment is None:
            if words.is_time(name) and column.numeric and _is_excel(column):
                return None, [f"{name} seems to count days as Excel does; save it as a date, such as 2024-02-13"]
            continue
        parts = set(words.tokens(name))
        score = 4 * words.is_time(name) + 2 * (not words.is_other_time(name)) + (column.kind == "str")
        score += (column.moment.unit is not None) + ("%H" in (column.moment.format or "%H"))
        score += bool(
            parts & {"event", "order", "invoice", "purchase", "timestamp", "created", "transaction", "rated", "time"}
        )
        acted = bool(parts & lexicon.ACTS) and not words.is_other_time(name)
        score -= (1 if acted else 5) * any(_belongs(dependency(key, column), column) for key in pair)
        if score >= 2:
            scored.append((-score, place, name))
    if not scored:
        return None, []
    chosen = min(scored)[2]
    moment = file.columns[chosen].moment
    return chosen, [f"{chosen}: {moment.ask} The first is proposed"] if moment and moment.ask else []


def _belongs(found: Dependency, column: Column) -> bool:
    return found.holds and found.repeated >= 3 and column.distinct > 1


def _is_excel(column: Column) -> bool:
    return bool(column.numbers.between(20_000, 60_000).all())
