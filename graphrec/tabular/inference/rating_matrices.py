"""User-item matrices: tables whose first column is a user and whose other columns are items."""

from graphrec.schema import ITEM, USER
from graphrec.tabular.inference import name_semantics
from graphrec.tabular.inference.behaviours import is_rating_scale
from graphrec.tabular.inference.table_roles import ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput


def is_rating_matrix(table: TableProfile) -> bool:
    """Whether all columns except the first have numbers of one rating scale, mostly empty."""
    if not isinstance(table.input, FileInput) or table.headerless or len(table.columns) < 5:
        return False
    first, *others = table.columns.values()
    if not first.unique or first.num_filled < table.rows or table.rows < 2:
        return False
    known = [found for found in others if found.num_filled]
    if not known or not all(found.numeric for found in known):
        return False
    cells = sum(found.num_filled for found in others)
    share = cells / (len(others) * table.rows)
    domain = set().union(*(set(found.numbers.unique()) for found in known[:500]))
    small = len(domain) <= 21 and max(domain) <= 10 and min(domain) >= -10
    named = sum(_is_known(found.name) for found in others)
    if named * 3 > len(others) and not all(found.name.strip().isdigit() for found in others):
        return False
    user = (
        name_semantics.interpret_name(first.name).entity == "user"
        or not first.name.strip()
        or first.name.startswith("column_")
    )
    return small and (share < 0.7 or (user and len(others) >= 5 and len(domain) > 2))


def _is_known(name: str) -> bool:
    """Whether a column name means a property, not an item."""
    meaning = name_semantics.interpret_name(name)
    return name_semantics.is_time(name) or (
        meaning.entity != "item" and (bool(name_semantics.infer_owner(name)) or meaning.entity != "")
    )


def infer_matrix_roles(table: TableProfile) -> TableRoles | None:
    """The roles of a melted user-item matrix; None for other tables."""
    if not isinstance(table.input, FileInput) or table.input.shape != "wide":
        return None
    value = table.columns["value"]
    rated = is_rating_scale(value) or value.num_distinct > 2
    findings = (
        ColumnFinding("row", "user id", "the first column", 0.8),
        ColumnFinding("column", "item id", "the names of the other columns", 0.8),
        ColumnFinding("value", "rating" if rated else "left out", "the cells", 0.8),
    )
    relation = (
        (name_semantics.find_relation(table.name) or "RATED")
        if rated
        else name_semantics.find_relation(table.name) or "INTERACTED"
    )
    return TableRoles(
        "behaviour", ((USER, "row"), (ITEM, "column")), relation, 0.75, "a user-item matrix",
        rating="value" if rated else None, rest=("value",) if rated else (), findings=findings,
        questions=("are the rows users and the columns items? If not, exchange the labels of from and to",),
    )  # fmt: skip
