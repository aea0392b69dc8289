"""Tables whose first column is a user and whose other columns are items: a matrix of ratings."""

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import words
from graphrec.tabular.inference.behaviours import is_scale
from graphrec.tabular.inference.evidence import Finding, Roles
from graphrec.tabular.sniffing import Sniffed
from graphrec.tabular.spec import Files


def is_wide(table: Sniffed) -> bool:
    """Whether the cells of all columns but the first are numbers of one scale, and most are empty or tell the same."""
    if not isinstance(table.origin, Files) or table.headerless or len(table.columns) < 5:
        return False
    first, *others = table.columns.values()
    if not first.unique or first.filled < table.rows or table.rows < 2:
        return False
    known = [found for found in others if found.filled]
    if not known or not all(found.numeric for found in known):
        return False
    cells = sum(found.filled for found in others)
    share = cells / (len(others) * table.rows)
    domain = set().union(*(set(found.numbers.unique()) for found in known[:500]))
    small = len(domain) <= 21 and max(domain) <= 10 and min(domain) >= -10
    named = sum(_is_known(found.name) for found in others)
    if named * 3 > len(others) and not all(found.name.strip().isdigit() for found in others):
        return False
    user = words.meaning(first.name).what == "user" or not first.name.strip() or first.name.startswith("column_")
    return small and (share < 0.7 or (user and len(others) >= 5 and len(domain) > 2))


def _is_known(name: str) -> bool:
    """Whether a column's name is that of a property, and not of an item."""
    meaning = words.meaning(name)
    return words.is_time(name) or (meaning.what != "item" and (bool(words.prior(name)) or meaning.what != ""))


def roles(table: Sniffed) -> Roles | None:
    """The roles of a table that was made long; None for any other."""
    if not isinstance(table.origin, Files) or table.origin.shape != "wide":
        return None
    value = table.columns["value"]
    rated = is_scale(value) or value.distinct > 2
    findings = (
        Finding("row", "user id", "the first column", 0.8),
        Finding("column", "item id", "the names of the other columns", 0.8),
        Finding("value", "rating" if rated else "left out", "the cells", 0.8),
    )
    relation = (words.relation_of(table.name) or "RATED") if rated else words.relation_of(table.name) or "INTERACTED"
    return Roles(
        "behaviour", ((USER, "row"), (ITEM, "column")), relation, 0.75, "a table of users by items",
        rating="value" if rated else None, rest=("value",) if rated else (), findings=findings,
        asks=("are the rows users and the columns items? If it is the other way, change the labels of from and to",),
    )  # fmt: skip
