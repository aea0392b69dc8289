"""The tables about what models were measured on and how to repeat it."""

from graphrec.evaluation.audit import Check
from graphrec.evaluation.report import findings, words
from graphrec.evaluation.report.tables import Cell, Table, table
from graphrec.evaluation.result import Comparison, DataSummary, SplitSummary
from graphrec.splitting import Part

#: Characters of a hash that are shown beside the parts.
SHORT_HASH = 12

QUARTILES = ("least", "25 %", "median", "75 %", "most")


def sizes(data: DataSummary) -> tuple[tuple[str, str], ...]:
    """Names and values of the sizes of the data."""
    cells = data.num_users * data.num_items
    density = data.num_interactions / cells if cells else 0.0
    return (
        ("users", words.count(data.num_users)),
        ("items", words.count(data.num_items)),
        ("interactions", words.count(data.num_interactions)),
        ("density", f"{density:.3%}"),
        ("time", words.span(data.first, data.last)),
    )


def degrees(data: DataSummary) -> Table:
    """The quartiles of interactions of a user and of an item."""
    rows = [
        [name, *map(words.count, counts)]
        for name, counts in (("user", data.user_degree), ("item", data.item_degree))
        if counts
    ]
    head = QUARTILES if all(len(row) == len(QUARTILES) + 1 for row in rows) else ("",) * (len(rows[0]) - 1)
    return table("Interactions of one", ["", *head], rows)


def relations(data: DataSummary) -> Table:
    """Edges of each relationship type, the target first, then by number."""
    order = sorted(data.relations.items(), key=lambda entry: (entry[0] != data.relation, -entry[1], entry[0]))
    rows = ([Cell(name, "what is predicted" if name == data.relation else ""), words.count(n)] for name, n in order)
    return table("Edges of the graph", ["relationship type", "edges"], rows)


def parts(comparison: Comparison) -> Table:
    """Each part of each split with its sizes, times and the beginning of its hash."""
    rows = (
        [
            _part(comparison, division, part),
            *map(words.count, (part.num_interactions, part.num_users, part.num_items)),
            words.day(part.first),
            words.day(part.last),
            Cell(part.sha256[:SHORT_HASH], mark="code"),
        ]
        for division in comparison.splits
        for part in division.record.parts
    )
    return table("", ["part", "interactions", "users", "items", "first", "last", "SHA-256"], rows)


def hashes(comparison: Comparison) -> Table:
    """The whole hash of each part of each split."""
    rows = (
        [_part(comparison, division, part), Cell(part.sha256, mark="code")]
        for division in comparison.splits
        for part in division.record.parts
    )
    return table("", ["part", "SHA-256 of its pairs and times, sorted"], rows)


def _part(comparison: Comparison, division: SplitSummary, part: Part) -> str:
    name = findings.named(comparison, division)
    return f"{name}, {part.name}" if name else part.name


def checks(comparison: Comparison) -> tuple[tuple[Check, ...], ...]:
    """The checks of all splits by kind: in each entry one kind, its check of each split."""
    found: dict[str, list[Check]] = {}
    for division in comparison.splits:
        for check in division.audit.checks:
            found.setdefault(check.kind, []).append(check)
    return tuple(map(tuple, found.values()))


def examples(comparison: Comparison, found: tuple[Check, ...]) -> tuple[str, ...]:
    """The examples of leaks of one kind, with the name of the split if there are several."""
    names = [findings.named(comparison, division) for division in comparison.splits]
    return tuple(
        f"{name}: {example}" if name else example
        for name, check in zip(names, found, strict=True)
        for example in check.examples
    )


def leaks(found: tuple[Check, ...]) -> str:
    """`12,345 edges looked at, none leaks`, over all splits."""
    num_checked, num = sum(check.num_checked for check in found), sum(check.leaks for check in found)
    verdict = f"{words.count(num)} {'leaks' if num == 1 else 'leak'}" if num else "none leaks"
    return (
        f"{words.count(num_checked, 'edges')} looked at, {verdict}"
        if num_checked
        else "nothing of this kind to look at"
    )


def versions(comparison: Comparison) -> Table:
    """Versions of what the numbers depend on."""
    return table("", ["package", "version"], comparison.setup.versions.items())
