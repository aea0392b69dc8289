"""DuckDB connections and queries for reading files: bounded memory, no network access, exact column names."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning.working_table import shorten
from graphrec.errors import DataError, first_few, nearest
from graphrec.tabular.spec import FileInput, FrameInput

#: DuckDB types that need no cast for pyarrow.
_EXACT = ("DATE", "VARCHAR", "BOOLEAN", "DOUBLE", "UBIGINT", "HUGEINT", "BLOB")

#: Maximum rows and cells of a batch.
BATCH = 100_000
_CELLS = 2_000_000
#: 0001-01-01 and 9999-12-31 as days since 1970.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896

#: Threshold: files with as many columns are read by one thread, because each thread buffers all columns.
_WIDE = 1000


@contextmanager
def connect(scratch: Path, width: int = 0, database: str = ":memory:") -> Iterator[duckdb.DuckDBPyConnection]:
    """Context manager of a separate database with little memory and without network access.

    `width` is the number of columns, for each of which DuckDB buffers tens of kilobytes per batch.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{512 + width // 5}MB",
        "threads": 2 if width < _WIDE else 1,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(database, config=settings) as connection:
        yield connection


def read_typed_batches(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    place: str,
    columns: Sequence[str] | None,
    files: FileInput | FrameInput,
    names: Sequence[str] | None = None,
) -> Iterator[Any]:  # of pyarrow.Table
    """The rows of a typed relation that match `files.where`, in batches of `columns` (None: all columns).

    `names` are the original names of its columns, in order, if SQL cannot express them. Texts of `files.missing` are
    null. Raises DataError naming `place` if it lacks a column or cannot be read.
    """
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        raise unreadable_error(place, error) from error
    sql_names = [row[0] for row in described]
    quoted = {name: quote_identifier(each) for name, each in zip(names or sql_names, sql_names, strict=True)}
    types = {name: row[1] for name, row in zip(quoted, described, strict=True)}
    chosen = list(quoted) if columns is None else columns
    require_columns(place, chosen, list(quoted))
    absent = ", ".join(map(quote_literal, ("",) if files.missing is None else files.missing))
    expressions = []
    for name in chosen:
        expression = build_checked_cast(quoted[name], types[name], name)
        if absent and types[name] == "VARCHAR":
            expression = f"CASE WHEN {expression} NOT IN ({absent}) THEN {expression} END"
        expressions.append(expression)
    query = build_select(source, expressions, build_condition(files.where, quoted, place))
    yield from fetch_batches(connection, query, chosen, place, empty_too=columns is None)


def fetch_batches(
    connection: duckdb.DuckDBPyConnection, query: str, columns: Sequence[str], place: str, empty_too: bool = False
) -> Iterator[Any]:  # of pyarrow.Table
    """The result of a query in batches with these column names; an empty result is one empty batch if `empty_too`.

    Raises DataError naming `place` if it cannot be read.
    """
    size = max(1, min(BATCH, _CELLS // max(len(columns), 1)))
    try:
        reader = connection.sql(query).to_arrow_reader(size)
        for batch in reader:
            empty_too = False
            for name, column in zip(columns, batch.columns, strict=True):
                _require_dates(column, name, place)  # DuckDB trusts the statistics of a damaged Parquet file
            yield pa.table(batch.columns, list(columns))
        if empty_too:
            yield reader.schema.empty_table().rename_columns(list(columns))
    except duckdb.Error as error:
        raise unreadable_error(place, error) from error


def _require_dates(column: Any, name: str, place: str) -> None:  # a pyarrow.Array
    """Raise DataError if a date column has a year outside of Python's range."""
    if pa.types.is_date32(column.type):
        bounds = pc.min_max(column.cast(pa.int32()))
        first, last = bounds["min"].as_py(), bounds["max"].as_py()
        if first is not None and (first < _FIRST_DAY or last > _LAST_DAY):
            raise DataError(f"{place}: {shorten(name)} has a date outside of the years 1 to 9999; export it again")


def unreadable_error(place: str, error: Exception) -> DataError:
    """The error for a file that DuckDB cannot read."""
    first = str(error).partition("\n")[0]
    return DataError(f"{place} cannot be read: {shorten(first, 200)}; export or download it again")


def require_columns(place: str, requested: Sequence[str], names: Sequence[str]) -> None:
    """Raise DataError with the nearest name if a requested column does not exist."""
    known = set(names)
    for name in requested:
        if name not in known:
            raise missing_column_error(place, name, names)


def missing_column_error(place: str, name: str, names: Sequence[str]) -> DataError:
    """The error for a column that does not exist."""
    close = nearest(name, names, 1)
    hint = f"is {close[0]} meant?" if close else "correct the name, or the data"
    existing = first_few((shorten(each, 30) for each in names), 12)
    return DataError(f"{place} has no column '{name}', but it has {existing}; {hint}")


def build_condition(where: Mapping[str, tuple[str, ...]], columns: Mapping[str, str], place: str) -> str:
    """The SQL condition of `where`, "" for no condition; `columns` are expressions by column name."""
    tests = []
    for name, values in where.items():
        if name not in columns:
            raise DataError(f"{place} has no column {name}, which where names; it has {first_few(columns, 12)}")
        tests.append(f"CAST({columns[name]} AS VARCHAR) IN ({', '.join(map(quote_literal, values)) or 'NULL'})")
    return " AND ".join(tests)


def build_select(source: str, columns: Sequence[str], condition: str) -> str:
    """A SELECT of expressions with the aliases o0, o1 …, because SQL names are case-insensitive."""
    chosen = ", ".join(f"{column} AS o{number}" for number, column in enumerate(columns))
    return f"SELECT {chosen} FROM {source}" + (f" WHERE {condition}" if condition else "")


def quote_literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_path(path: Path, scratch: Path) -> str:
    """The path of a file as a SQL literal; a path with pattern characters is replaced by a link in `scratch`."""
    text = str(path)
    if set(text) & set("*?[]{}") or not text.isprintable():
        link = scratch / f"link{path.suffix if path.suffix.isascii() and path.suffix.isprintable() else ''}"
        link.unlink(missing_ok=True)
        try:
            link.symlink_to(path.absolute())
        except OSError:  # Windows restricts symbolic links
            shutil.copyfile(path, link)
        text = str(link)
    return quote_literal(text)


def build_checked_cast(column: str, kind: str, name: str) -> str:
    """As `build_cast`, with an error of DuckDB for dates outside of Python's range."""
    if kind != "DATE":
        return build_cast(column, kind)
    wrong = quote_literal(f"{shorten(name)} has a date outside of the years 1 to 9999")
    inside = f"{column} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' OR {column} IS NULL"
    return f"CASE WHEN {inside} THEN {column} ELSE error({wrong}) END"


def build_cast(column: str, kind: str) -> str:
    """SQL that casts a typed column to text, numbers, booleans, times or bytes; lists become JSON text.

    Large integers and decimals stay exact, because ids must keep every digit.
    """
    if kind.startswith(("TIMESTAMP", "DECIMAL")) or kind in _EXACT:
        return column
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"):
        return f"CAST({column} AS BIGINT)"
    if kind in ("FLOAT", "REAL"):
        return f"CAST({column} AS DOUBLE)"
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return f"CAST({f'to_json({column})' if nested else column} AS VARCHAR)"
