"""SQL over files and frames, answered by a DuckDB that sees nothing else: no other file, no network, no settings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from graphrec.cleaning.working_table import shortened
from graphrec.errors import DataError, first_few, nearest
from graphrec.tabular import duckdb_engine, files, frames, reshaping
from graphrec.tabular.duckdb_engine import quote_identifier
from graphrec.tabular.files import BadLine
from graphrec.tabular.spec import FileInput, FileQueryInput, FrameInput

#: Under this name a batch is seen while it is copied; no file may have it, for it begins with a sign of its own.
_PIECE = "§piece"
#: Types of whole numbers that have more than 64 bits.
_WIDE = ("HUGEINT", "UHUGEINT", "UBIGINT")


def read_batches(query: FileQueryInput, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The lines of the files that are no rows, then what the query gives in batches, tables of these columns.

    The files are copied into a database in a scratch folder first, so memory stays bounded. Columns of text files are
    text. Raises DataError if a file cannot be read, the query is no single SELECT or is wrong, or a column is missing.
    """
    with TemporaryDirectory(prefix="graphrec-") as scratch:
        database = str(Path(scratch) / "tables.duckdb")
        with duckdb_engine.connect(Path(scratch), database=database) as connection:
            for name, given in query.files.items():
                yield from _copied(connection, name, given)
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield from _answered(connection, query.sql, columns)


def _copied(connection: duckdb.DuckDBPyConnection, name: str, given: FileInput | FrameInput) -> Iterator[BadLine]:
    """The lines that are no rows of the files that become the table `name`."""
    names: list[str] = []
    parts = [given] if isinstance(given, FrameInput) else [replace(given, paths=(path,)) for path in given.paths]
    for part in parts:
        place = frames.FRAME_NAME if isinstance(part, FrameInput) else str(part.paths[0])
        for piece in _whole(part):
            if isinstance(piece, BadLine):
                yield piece
                continue
            may_lack = isinstance(part, FileInput) and part.format in ("jsonl", "json")
            if names and not may_lack and set(piece.column_names) != set(names):
                odd = sorted(set(piece.column_names) ^ set(names))
                raise DataError(
                    f"{place} and the file before it differ in the column {first_few(odd, 1)}; name them apart in "
                    "files, and put them together in the sql: select … union all by name select …"
                )
            names = names or piece.column_names
            _insert(connection, name, _without_case(piece))


def _whole(given: FileInput | FrameInput) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """All columns of one file or frame."""
    if isinstance(given, FileInput):
        return files.read_batches(given)
    return reshaping.melt_wide(given, reshaping.WIDE_COLUMNS) if given.shape == "wide" else frames.read_batches(given)


def _without_case(piece: Any) -> Any:  # a pyarrow.Table, twice
    """The table with a number after each name that another one has but for its case: SQL does not tell them apart."""
    names: dict[str, str] = {}
    for name in piece.column_names:
        unique, count = name, 1
        while unique.casefold() in names:
            count += 1
            unique = f"{name}_{count}"
        names[unique.casefold()] = unique
    return piece.rename_columns(list(names.values()))


def _insert(connection: duckdb.DuckDBPyConnection, name: str, piece: Any) -> None:  # a pyarrow.Table
    """Add rows to a table, whose columns become as wide as the values need."""
    connection.register(_PIECE, piece)
    table, source = quote_identifier(name), quote_identifier(_PIECE)
    there = (
        _types(connection, table)
        if connection.execute("SELECT * FROM duckdb_tables() WHERE table_name = $1", [name]).fetchone()
        else None
    )
    if there is None:
        connection.execute(f"CREATE TABLE {table} AS FROM {source}")
    else:
        for column, kind in _types(connection, source).items():
            if column not in there:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {quote_identifier(column)} {kind}")
            elif kind != there[column]:
                wider = "DOUBLE" if {kind, there[column]} == {"BIGINT", "DOUBLE"} else "VARCHAR"
                connection.execute(f"ALTER TABLE {table} ALTER {quote_identifier(column)} TYPE {wider}")
        connection.execute(f"INSERT INTO {table} BY NAME FROM {source}")
    connection.unregister(_PIECE)


def _types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def _answered(connection: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[str]) -> Iterator[Any]:
    shown = repr(shortened(" ".join(sql.split())))
    try:
        statements = connection.extract_statements(sql)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise DataError(f"the sql {shown} must be one query, such as select … from …; it may change nothing")
        inner = statements[0].query.strip().rstrip(";")
        relation = connection.sql(inner)
        names, types = relation.columns, [str(kind) for kind in relation.types]
    except duckdb.Error as error:
        raise _wrong(shown, error) from error
    for name in columns:
        if names.count(name) != 1:
            close = nearest(name, names, 1)
            hint = f"; is {close[0]} meant?" if close and close[0] != name else ""
            number = names.count(name) or "no"
            raise DataError(f"the sql {shown} gives {number} column '{name}', but {first_few(names, 12)}{hint}")
    places = [names.index(name) for name in columns]
    aliases = ", ".join(f"c{number}" for number in range(len(names)))
    wide = [types[place] in _WIDE for place in places]
    chosen = [
        f"CAST(c{place} AS VARCHAR)"
        if types[place] in _WIDE
        else duckdb_engine.build_checked_cast(f"c{place}", types[place], names[place])
        for place in places
    ]
    query = duckdb_engine.build_select(f"(\n{inner}\n) AS answer({aliases})", chosen, "")
    try:
        for batch in connection.sql(query).to_arrow_reader(duckdb_engine.BATCH):
            yield pa.table(
                [_narrowed(column) if is_wide else column for column, is_wide in zip(batch.columns, wide, strict=True)],
                list(columns),
            )
    except duckdb.Error as error:
        raise _wrong(shown, error) from error


def _narrowed(digits: Any) -> Any:  # a pyarrow.Array, twice
    """Whole numbers of 128 bits, such as SQL's sum of numbers is, in 64 bits if these hold them, else as text."""
    try:
        return digits.cast(pa.int64())
    except pa.ArrowInvalid:
        return digits


def _wrong(shown: str, error: duckdb.Error) -> DataError:
    """What is said of a query that DuckDB refuses: its own words, without the picture of the place."""
    words = str(error).split("\nLINE ")[0].split("Candidate functions:")[0]
    reason = shortened(" ".join(words.split()), 240)
    hint = (
        "columns of text files are text: CAST(column AS DOUBLE) makes a number" if "VARCHAR" in reason else "correct it"
    )
    return DataError(f"the sql {shown} cannot be answered: {reason}; {hint}")
