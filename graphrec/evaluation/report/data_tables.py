"""Tables of the data and the splits that models were measured on, and of versions."""

from graphrec.evaluation.audit import Check
from graphrec.evaluation.report import findings, words
from graphrec.evaluation.report.tables import Cell, Table, make_table
from graphrec.evaluation.result import Comparison, DataSummary, SplitSummary
from graphrec.splitting import Part

#: Number of characters of a hash in the table of parts.
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
    """The minimum, quartiles and maximum of interactions of a user and of an item."""
    rows = [
        [name, *map(words.count, counts)]
        for name, counts in (("user", data.user_degree), ("item", data.item_degree))
        if counts
    ]
    head = QUARTILES if all(len(row) == len(QUARTILES) + 1 for row in rows) else ("",) * (len(rows[0]) - 1)
    return make_table("Interactions of one", ["", *head], rows)


def relations(data: DataSummary) -> Table:
    """The number of edges of each relationship type, the target first, then by number."""
    order = sorted(data.relations.items(), key=lambda entry: (entry[0] != data.relation, -entry[1], entry[0]))
    rows = ([Cell(name, "to predict" if name == data.relation else ""), words.count(n)] for name, n in order)
    return make_table("Edges of the graph", ["relationship type", "edges"], rows)


def parts(comparison: Comparison) -> Table:
    """Each part of each split with its sizes, times and the first characters of its hash."""
    rows = (
        [
            _name_part(comparison, summary, part),
            *map(words.count, (part.num_interactions, part.num_users, part.num_items)),
            words.day(part.first),
            words.day(part.last),
            Cell(part.sha256[:SHORT_HASH], mark="code"),
        ]
        for summary in comparison.splits
        for part in summary.record.parts
    )
    return make_table("", ["part", "interactions", "users", "items", "first", "last", "SHA-256"], rows)


def hashes(comparison: Comparison) -> Table:
    """The whole hash of each part of each split."""
    rows = (
        [_name_part(comparison, summary, part), Cell(part.sha256, mark="code")]
        for summary in comparison.splits
        for part in summary.record.parts
    )
    return make_table("", ["part", "SHA-256 of its pairs and times, sorted"], rows)


def _name_part(comparison: Comparison, summary: SplitSummary, part: Part) -> str:
    name = findings.name_split(comparison, summary)
    return f"{name}, {part.name}" if name else part.name


def checks(comparison: Comparison) -> tuple[tuple[Check, ...], ...]:
    """The checks by kind: for each kind, its check of each split."""
    by_kind: dict[str, list[Check]] = {}
    for summary in comparison.splits:
        for check in summary.audit.checks:
            by_kind.setdefault(check.kind, []).append(check)
    return tuple(map(tuple, by_kind.values()))


def examples(comparison: Comparison, of_kind: tuple[Check, ...]) -> tuple[str, ...]:
    """The examples of leaks of one kind, with the name of the split if there are several."""
    names = [findings.name_split(comparison, summary) for summary in comparison.splits]
    return tuple(
        f"{name}: {example}" if name else example
        for name, check in zip(names, of_kind, strict=True)
        for example in check.examples
    )


def leaks(of_kind: tuple[Check, ...]) -> str:
    """`12,345 edges checked, no leaks`, over all splits."""
    num_checked, num = sum(check.num_checked for check in of_kind), sum(check.leaks for check in of_kind)
    verdict = f"{words.count(num)} {'leaks' if num == 1 else 'leak'}" if num else "no leaks"
    return f"{words.count(num_checked, 'edges')} checked, {verdict}" if num_checked else "no edges to check"


def versions(comparison: Comparison) -> Table:
    """Versions of the packages that the results depend on."""
    return make_table("", ["package", "version"], comparison.setup.versions.items())
