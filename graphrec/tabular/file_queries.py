"""SQL queries over files and frames, run in a DuckDB without access to other files, the network or settings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from graphrec.cleaning.working_table import shorten
from graphrec.errors import DataError, first_few, nearest
from graphrec.tabular import duckdb_engine, files, frames, reshaping
from graphrec.tabular.duckdb_engine import quote_identifier
from graphrec.tabular.files import BadLine
from graphrec.tabular.spec import FileInput, FileQueryInput, FrameInput

#: Name of the registered batch while it is copied; file names cannot contain its first character.
_BATCH_NAME = "§batch"
#: Integer types of more than 63 bits.
_WIDE = ("HUGEINT", "UHUGEINT", "UBIGINT")


def read_batches(query: FileQueryInput, columns: Sequence[str]) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """A BadLine for each malformed line of the files, then the query result in batches with these columns.

    The files are copied to a database in a scratch folder first, which bounds memory. Columns of text files are text.
    Raises DataError if a file cannot be read, the query is not one valid SELECT, or a column is missing.
    """
    with TemporaryDirectory(prefix="graphrec-") as scratch:
        database = str(Path(scratch) / "tables.duckdb")
        with duckdb_engine.connect(Path(scratch), database=database) as connection:
            for name, source in query.files.items():
                yield from _copy_table(connection, name, source)
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield from _run_query(connection, query.sql, columns)


def _copy_table(connection: duckdb.DuckDBPyConnection, name: str, source: FileInput | FrameInput) -> Iterator[BadLine]:
    """Copy files or a frame to the table `name`; yields the malformed lines."""
    names: list[str] = []
    parts = [source] if isinstance(source, FrameInput) else [replace(source, paths=(path,)) for path in source.paths]
    for part in parts:
        place = frames.FRAME_NAME if isinstance(part, FrameInput) else str(part.paths[0])
        for piece in _read_all(part):
            if isinstance(piece, BadLine):
                yield piece
                continue
            may_lack = isinstance(part, FileInput) and part.format in ("jsonl", "json")
            if names and not may_lack and set(piece.column_names) != set(names):
                different = sorted(set(piece.column_names) ^ set(names))
                raise DataError(
                    f"{place} and the file before it differ in the column {first_few(different, 1)}; give each a name "
                    "in files, and combine them in the sql: select … union all by name select …"
                )
            names = names or piece.column_names
            _insert(connection, name, _make_names_distinct(piece))


def _read_all(source: FileInput | FrameInput) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """All columns of one file or frame."""
    if isinstance(source, FileInput):
        return files.read_batches(source)
    if source.shape == "wide":
        return reshaping.melt_wide(source, reshaping.WIDE_COLUMNS)
    return frames.read_batches(source)


def _make_names_distinct(piece: Any) -> Any:  # a pyarrow.Table, twice
    """The table with numbers appended to names that differ only in case, because SQL names are case-insensitive."""
    names: dict[str, str] = {}
    for name in piece.column_names:
        unique, count = name, 1
        while unique.casefold() in names:
            count += 1
            unique = f"{name}_{count}"
        names[unique.casefold()] = unique
    return piece.rename_columns(list(names.values()))


def _insert(connection: duckdb.DuckDBPyConnection, name: str, piece: Any) -> None:  # a pyarrow.Table
    """Append rows to a table; column types are widened as needed."""
    connection.register(_BATCH_NAME, piece)
    table, source = quote_identifier(name), quote_identifier(_BATCH_NAME)
    existing = (
        _read_types(connection, table)
        if connection.execute("SELECT * FROM duckdb_tables() WHERE table_name = $1", [name]).fetchone()
        else None
    )
    if existing is None:
        connection.execute(f"CREATE TABLE {table} AS FROM {source}")
    else:
        for column, kind in _read_types(connection, source).items():
            if column not in existing:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {quote_identifier(column)} {kind}")
            elif kind != existing[column]:
                wider = "DOUBLE" if {kind, existing[column]} == {"BIGINT", "DOUBLE"} else "VARCHAR"
                connection.execute(f"ALTER TABLE {table} ALTER {quote_identifier(column)} TYPE {wider}")
        connection.execute(f"INSERT INTO {table} BY NAME FROM {source}")
    connection.unregister(_BATCH_NAME)


def _read_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def _run_query(connection: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[str]) -> Iterator[Any]:
    shown = repr(shorten(" ".join(sql.split())))
    try:
        statements = connection.extract_statements(sql)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise DataError(
                f"the sql {shown} must be one query, such as select … from …; other statements are not allowed"
            )
        inner = statements[0].query.strip().rstrip(";")
        relation = connection.sql(inner)
        names, types = relation.columns, [str(kind) for kind in relation.types]
    except duckdb.Error as error:
        raise _query_error(shown, error) from error
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
                [
                    _narrow_integers(column) if is_wide else column
                    for column, is_wide in zip(batch.columns, wide, strict=True)
                ],
                list(columns),
            )
    except duckdb.Error as error:
        raise _query_error(shown, error) from error


def _narrow_integers(digits: Any) -> Any:  # a pyarrow.Array, twice
    """128-bit integers (the type of SQL sums), given as text, as int64 if all fit, else as text."""
    try:
        return digits.cast(pa.int64())
    except pa.ArrowInvalid:
        return digits


def _query_error(shown: str, error: duckdb.Error) -> DataError:
    """The error for a query that DuckDB rejects: its message without the source excerpt."""
    message = str(error).split("\nLINE ")[0].split("Candidate functions:")[0]
    reason = shorten(" ".join(message.split()), 240)
    hint = (
        "columns of text files are text: CAST(column AS DOUBLE) makes a number" if "VARCHAR" in reason else "correct it"
    )
    return DataError(f"the sql {shown} failed: {reason}; {hint}")
