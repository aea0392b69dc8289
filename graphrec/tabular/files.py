"""Files read by DuckDB: in batches and bounded memory, nothing guessed, and every line that is no row told."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from graphrec.cleaning.draft import shortened
from graphrec.errors import DataError, examples, nearest
from graphrec.tabular import inspection
from graphrec.tabular.spec import Files

_BATCH = 100_000
#: Columns from which one thread reads a file, because each takes memory for all columns.
_WIDE = 1000
_UTF_8 = ("utf-8", "utf8", "ascii", "us-ascii", "utf-8-sig")
_EXACT = ("DATE", "VARCHAR", "BOOLEAN", "DOUBLE", "UBIGINT", "HUGEINT", "BLOB")
_LINE_ERRORS = {
    "MISSING COLUMNS": ("fields", "it has too few fields"),
    "TOO MANY COLUMNS": ("fields", "it has too many fields"),
    "UNQUOTED VALUE": ("quote", "a quote is not closed, or not doubled inside a quoted text"),
    "LINE SIZE OVER MAXIMUM": ("length", f"it is longer than {inspection.LONGEST_LINE // 1_000_000} MB"),
    "INVALID ENCODING": ("encoding", "it has bytes that are no text in the file's encoding"),
    "INVALID STATE": ("quote", "its quotes do not fit"),
}


@dataclass(frozen=True)
class BadLine:
    """A line that is no row: why, where, and its text."""

    rule: str
    reason: str
    file: str
    line: int
    text: str


def pieces(files: Files, columns: Sequence[str]) -> Iterator[Any]:  # of Piece: pyarrow ships no types
    """The rows of all files in batches, tables of these columns, and between them the lines that are no rows.

    Columns of text files are text, those of Parquet files as they are; a missing value is null.

    Raises:
        DataError: a file is empty, cut off, damaged or no such file, or lacks a column.
    """
    with TemporaryDirectory(prefix="graphrec-") as scratch:
        for path in files.paths:
            yield from _File(files, path, tuple(columns), Path(scratch)).pieces()


@dataclass(frozen=True)
class _File:
    """One file, with the columns wanted of it and a folder for what does not fit into memory."""

    files: Files
    path: Path
    columns: tuple[str, ...]
    scratch: Path

    def pieces(self) -> Iterator[Any]:  # of Piece
        if self.files.format == "parquet":
            yield from self._parquet()
            return
        inspection.need_text(self.path, self.files.encoding)
        names = ["line"] if self.files.format == "jsonl" else self._names()
        plain = self.files.encoding.lower() in _UTF_8 and not inspection.has_mixed_ends(self.path)
        yield from self._text(self.path if plain else self._rewritten(), names)

    def _names(self) -> list[str]:
        """The names of all columns of a CSV file, once each wanted one is there."""
        names = list(self.files.header or inspection.column_names(self.path, self.files))
        self._need_columns(names)
        return names

    def _need_columns(self, names: Sequence[str]) -> None:
        for wanted in self.columns:
            if names.count(wanted) != 1:
                raise self._no_column(wanted, names)

    def _no_column(self, wanted: str, names: Sequence[str]) -> DataError:
        """What is said of a column that does not stand once among the names."""
        close = nearest(wanted, names, 1)
        found = f"column '{wanted}' {names.count(wanted):,} times" if wanted in names else f"no column '{wanted}'"
        hint = f"is {close[0]} meant?" if close and close[0] != wanted else "correct the TOML file or this one"
        shown = examples((shortened(name, 30) for name in names), 12)
        return DataError(f"{self.path} has {found}, but it has {shown}; {hint}")

    def _text(self, path: Path, names: list[str]) -> Iterator[Any]:  # of Piece
        """The rows of a file of UTF-8 text, and its bad lines."""
        with _connected(self.scratch, max(len(names), len(self.columns))) as connection:
            source = self._source(path, names)
            if self.files.format == "csv":
                yield from self._batches(connection, self._fields(source, names))
                yield from self._bad_lines(connection)
                return
            absent = set(self.columns)
            for batch in self._batches(connection, self._json(source)):
                absent -= {name for name in absent if batch[name].null_count < len(batch)}
                yield batch
            yield from self._bad_lines(connection)
            yield from self._bad_json(connection, source)
            self._need_keys(connection, source, absent)

    def _source(self, path: Path, names: list[str]) -> str:
        """DuckDB's reader of the file, whose columns are called c0, c1 …: names there are without case."""
        lines = self.files.format == "jsonl"
        options = {
            "columns": "{" + ", ".join(f"c{i}: 'VARCHAR'" for i in range(len(names))) + "}",
            "auto_detect": "false",
            "header": "false" if lines or self.files.header else "true",
            "skip": "0" if lines or self.files.header else str(inspection.blank_lines(path)),
            "delim": _quoted("\x01" if lines else self.files.separator),
            "quote": _quoted(self.files.quote),
            "escape": _quoted(self.files.quote),
            "nullstr": "[" + ", ".join(map(_quoted, self.files.missing or ("",))) + "]",
            "compression": "'gzip'" if inspection.is_gzip(path) else "'none'",
            "max_line_size": str(inspection.LONGEST_LINE),
            "store_rejects": "true",
            "rejects_limit": "0",
        }
        written = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"read_csv({_quoted(str(path))}, {written})"

    def _fields(self, source: str, names: list[str]) -> str:
        columns = {name: f"c{number}" for number, name in enumerate(names)}
        return _select(source, [columns[name] for name in self.columns], self._condition(columns))

    def _json(self, source: str) -> str:
        """The values of the wanted keys in each line's object; a list or an object within is its JSON text."""
        keys = list(dict.fromkeys((*self.columns, *self.files.where)))
        paths = ", ".join(_quoted(_pointer(key)) for key in keys)
        whole = f"CASE WHEN {_OBJECT} THEN c0 END"
        inner = f"(SELECT json_extract_string({whole}, [{paths}]) AS v FROM {source} WHERE {_OBJECT})"
        columns = {key: f"v[{number}]" for number, key in enumerate(keys, 1)}
        texts = [f"nullif({columns[name]}, '')" for name in self.columns]
        return _select(inner, texts, self._condition(columns))

    def _need_keys(self, connection: duckdb.DuckDBPyConnection, source: str, absent: set[str]) -> None:
        """Nothing; DataError where no object of the file has one of the keys, not even without a value."""
        objects = f"SELECT c0 FROM {source} WHERE {_OBJECT}"
        for name in (name for name in self.columns if name in absent):
            has = f"CASE WHEN {_OBJECT} THEN json_exists(c0, {_quoted(_pointer(name))}) END"
            if connection.execute(f"SELECT 1 FROM {source} WHERE {has} LIMIT 1").fetchone():
                continue
            first = connection.execute(f"SELECT json_keys(c0) FROM ({objects} LIMIT 1)").fetchone()
            if first is not None:  # a file without any object is told otherwise
                raise self._no_column(name, first[0])

    def _parquet(self) -> Iterator[Any]:  # of Piece
        source = f"read_parquet({_quoted(str(self.path))})"
        with _connected(self.scratch, len(self.columns)) as connection:
            try:
                described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            except duckdb.Error as error:
                raise self._unreadable(error) from error
            types = {row[0]: row[1] for row in described}
            self._need_columns(list(types))
            columns = {name: _named(name) for name in types}
            chosen = [_plain(columns[name], types[name]) for name in self.columns]
            yield from self._batches(connection, _select(source, chosen, self._condition(columns)))

    def _condition(self, columns: dict[str, str]) -> str:
        tests = []
        for name, values in self.files.where.items():
            if name not in columns:
                raise DataError(f"{self.path} has no column {name}, which where names; it has {examples(columns, 12)}")
            tests.append(f"CAST({columns[name]} AS VARCHAR) IN ({', '.join(map(_quoted, values)) or 'NULL'})")
        return " AND ".join(tests)

    def _batches(self, connection: duckdb.DuckDBPyConnection, select: str) -> Iterator[Any]:  # of pyarrow.Table
        try:
            for batch in connection.sql(select).to_arrow_reader(_BATCH):
                yield pa.table(batch.columns, list(self.columns))
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _bad_lines(self, connection: duckdb.DuckDBPyConnection) -> Iterator[BadLine]:
        """The lines that DuckDB refused, each once; DataError where a quote swallowed the lines after it uncounted."""
        query = "SELECT line, first(error_type), first(csv_line) FROM reject_errors GROUP BY line ORDER BY line"
        rows = connection.execute(query)
        while found := rows.fetchmany(1000):
            for line, error, text in found:
                rule, reason = _LINE_ERRORS.get(str(error), ("line", str(error).lower()))
                text = (text or "").rstrip("\r\n")
                if "\n" in text or "\r" in text:
                    raise DataError(
                        f"{self.path} line {line:,}: a quote is not closed, or not doubled inside a quoted text, and "
                        f'takes the lines after it ({shortened(text)!r}); correct it, or write quote = "" if there '
                        "are no quotes"
                    )
                yield BadLine(rule, reason, self.path.name, line, text)

    def _bad_json(self, connection: duckdb.DuckDBPyConnection, source: str) -> Iterator[BadLine]:
        rows = connection.execute(f"SELECT c0 FROM {source} WHERE NOT ({_OBJECT}) AND c0 IS NOT NULL")
        while found := rows.fetchmany(1000):
            yield from (BadLine("json", "it is no JSON object", self.path.name, 0, text) for (text,) in found)

    def _rewritten(self) -> Path:
        """A copy in UTF-8 whose lines all end alike; bytes that are no text stay as they are, and are refused later."""
        copy = self.scratch / "copy.txt"
        with (
            inspection.opened(self.path) as stream,
            copy.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as out,
        ):
            text = io.TextIOWrapper(stream, self.files.encoding, errors="surrogateescape")
            try:
                while block := text.read(1 << 20):
                    out.write(block)
            except UnicodeError as error:
                raise DataError(f"{self.path} is not {self.files.encoding}: {error}; name its encoding") from error
        return copy

    def _unreadable(self, error: Exception) -> DataError:
        first = str(error).partition("\n")[0]
        return DataError(f"{self.path} cannot be read: {shortened(first, 200)}; export or download it again")


#: CASE, for DuckDB tests the parts of an AND in any order, and stops at a text that is no JSON.
_OBJECT = "CASE WHEN json_valid(c0) THEN json_type(c0) = 'OBJECT' ELSE false END"


@contextmanager
def _connected(scratch: Path, width: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own in memory, which uses little of it and loads nothing from the network.

    `width` is the number of columns: a batch of rows in DuckDB takes tens of kilobytes for each.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{512 + width // 5}MB",
        "threads": 2 if width < _WIDE else 1,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        yield connection


def _select(source: str, columns: Sequence[str], condition: str) -> str:
    chosen = ", ".join(f"{column} AS o{number}" for number, column in enumerate(columns))
    return f"SELECT {chosen} FROM {source}" + (f" WHERE {condition}" if condition else "")


def _plain(column: str, kind: str) -> str:
    """The column of a Parquet file as text, numbers, yes and no, times or bytes; a list is its JSON text.

    Large whole numbers and decimals stay exact: as ids they must keep every digit.
    """
    if kind.startswith(("TIMESTAMP", "DECIMAL")) or kind in _EXACT:
        return column
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"):
        return f"CAST({column} AS BIGINT)"
    if kind in ("FLOAT", "REAL"):
        return f"CAST({column} AS DOUBLE)"
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return f"CAST({f'to_json({column})' if nested else column} AS VARCHAR)"


def _pointer(key: str) -> str:
    """The JSON pointer of a key; a column that begins with a slash is one, and reaches into objects."""
    return key if key.startswith("/") else "/" + key.replace("~", "~0").replace("/", "~1")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
