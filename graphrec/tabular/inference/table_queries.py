"""Builds SQL over profiled tables: table and column names, filters, and the input of a query."""

import re
from collections.abc import Sequence
from dataclasses import replace

from graphrec.tabular.sniffing import TableProfile
from graphrec.tabular.spec import FileInput, FileQueryInput, QueryInput


def query_tables(tables: Sequence[TableProfile], names: Sequence[str], sql: str) -> FileQueryInput | QueryInput:
    first = tables[0].input
    if isinstance(first, QueryInput):
        return replace(first, sql=sql)
    files = {name: table.input for name, table in zip(names, tables, strict=True) if isinstance(table.input, FileInput)}
    return FileQueryInput(sql, files)


def filter_query(source: QueryInput | FileQueryInput, name: str, values: Sequence[str]) -> str:
    """The SQL that keeps the rows with one of the values in a column."""
    texts = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    called = quote_column(name, isinstance(source, QueryInput))
    return f"select * from ({source.sql}) as chosen where cast({called} as varchar(1000)) in ({texts})"


def make_query_names(tables: Sequence[TableProfile]) -> list[str]:
    """A table name for each table in a query; database tables keep their names."""
    made: list[str] = []
    for table in tables:
        if isinstance(table.input, QueryInput):
            made.append(table.name if re.fullmatch(r"[a-z_][a-z0-9_]*", table.name) else quote_column(table.name))
            continue
        base = re.sub(r"\W+", "_", table.name.casefold()).strip("_")
        base = base if re.match(r"[a-z]", base) and base not in _KEYWORDS else f"t_{base}"
        made.append(base if base not in made else f"{base}_{len(made) + 1}")
    return made


_KEYWORDS = frozenset(
    [
        "order",
        "group",
        "select",
        "from",
        "where",
        "table",
        "join",
        "user",
        "values",
        "all",
        "column",
        "default",
        "end",
        "in",
        "is",
        "on",
        "or",
        "and",
    ]
)


def quote_column(name: str, exact: bool = True) -> str:
    """A column name as a SQL identifier; unless `exact`, names with capitals are not quoted."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*" if exact else r"[A-Za-z_][A-Za-z0-9_]*", name)
    return name if plain and name.casefold() not in _KEYWORDS else '"' + name.replace('"', '""') + '"'
