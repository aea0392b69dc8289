"""Reads text, JSON, Parquet and workbook files with DuckDB, in batches and bounded memory, without type inference."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import duckdb

from graphrec.cleaning.working_table import shorten
from graphrec.errors import DataError
from graphrec.tabular import archives, duckdb_engine, file_format, json_arrays, sheets
from graphrec.tabular.duckdb_engine import quote_identifier, quote_literal
from graphrec.tabular.json_pointer import escape_key, unescape_key
from graphrec.tabular.line_numbers import LineNumbers
from graphrec.tabular.spec import FileInput

_UTF_8 = ("utf-8", "utf8", "utf_8", "ascii", "us-ascii", "utf-8-sig")
_LINE_ERRORS = {
    "MISSING COLUMNS": ("fields", "it has too few fields"),
    "TOO MANY COLUMNS": ("fields", "it has too many fields"),
    "UNQUOTED VALUE": ("quote", "a quote is not closed, or not doubled inside a quoted text"),
    "LINE SIZE OVER MAXIMUM": ("length", f"it is longer than {file_format.LONGEST_LINE // 1_000_000} MB"),
    "INVALID ENCODING": ("encoding", "it has bytes that are invalid in the file's encoding"),
    "INVALID STATE": ("quote", "its quotes are unbalanced"),
}


@dataclass(frozen=True)
class BadLine:
    """A malformed line: the rule that it breaks, the reason, its place (line 0: unknown) and its text."""

    rule: str
    reason: str
    file: str
    line: int
    text: str


def read_batches(
    files: FileInput, columns: Sequence[str] | None = None
) -> Iterator[Any]:  # of pyarrow.Table or BadLine
    """The rows of all files in batches with these columns (None: all), and a BadLine for each malformed line.

    Each line is a row; `shape` is ignored. Columns of text files are text; those of Parquet files and sheets keep their
    types. A missing value is null.

    Raises:
        DataError: a file does not exist, is empty, truncated or damaged, or lacks a column.
        GraphrecError: the reader of workbooks is not installed.
    """
    for path in files.paths:
        with TemporaryDirectory(prefix="graphrec-") as scratch:
            yield from _File(files, path, None if columns is None else tuple(columns), Path(scratch)).read()


@dataclass(frozen=True)
class _File:
    """Reader of one file: the requested columns, and a scratch folder for copies."""

    files: FileInput
    path: Path
    columns: tuple[str, ...] | None
    scratch: Path

    def read(self) -> Iterator[Any]:  # of pyarrow.Table or BadLine
        form = self.files.format
        if form == "parquet":
            yield from self._read_parquet()
        elif form in ("xlsx", "ods"):
            yield from self._read_sheet()
        elif form == "csv":
            yield from self._read_csv(self._prepare_text())
        else:
            yield from self._read_json(self._prepare_text())

    def _read_parquet(self) -> Iterator[Any]:  # of pyarrow.Table or BadLine
        place = archives.unpack(self.path, self.scratch, gzip_too=True)
        source = f"read_parquet({duckdb_engine.quote_path(place, self.scratch)})"
        with duckdb_engine.connect(self.scratch, len(self.columns or ())) as connection:
            yield from duckdb_engine.read_typed_batches(connection, source, str(self.path), self.columns, self.files)

    def _read_sheet(self) -> Iterator[Any]:  # of pyarrow.Table or BadLine
        place = archives.unpack(self.path, self.scratch, gzip_too=True)
        with (
            sheets.open_sheet(self.path, place, self.files, self.scratch) as sheet,
            duckdb_engine.connect(self.scratch) as connection,
        ):
            names = sheet.names
            duckdb_engine.require_columns(str(self.path), self.columns or (), names)
            for batch in sheet.batches():
                connection.register("batch", batch)
                yield from duckdb_engine.read_typed_batches(
                    connection, "batch", str(self.path), self.columns, self.files, names
                )
                connection.unregister("batch")

    def _prepare_text(self) -> Path:
        """Path of the file as UTF-8 text with uniform line endings, at most gzipped; JSON with one row per line.

        It is the original file if that fits, else a copy in the scratch folder.
        """
        file_format.require_text(self.path, self.files.encoding)
        if self.files.format == "json":
            return self._copy(self.path, json_arrays.copy_rows)
        place = archives.unpack(self.path, self.scratch)
        if (
            self.files.encoding.lower() in _UTF_8
            and not self.files.comment
            and not file_format.has_mixed_line_endings(place)
        ):
            return place
        return self._copy(place, _copy_lines)

    def _copy(self, place: Path, copy_text: Callable[[TextIO, TextIO, FileInput, Path], None]) -> Path:
        """Path of a copy in the scratch folder, written by `copy_text`; deletes `place` if that is a copy, too."""
        copy = self.scratch / "copy.txt"
        with archives.open_file(place) as stream, archives.open_copy(self.path, copy) as binary:
            text = io.TextIOWrapper(stream, self.files.encoding, errors="surrogateescape")
            out = io.TextIOWrapper(binary, "utf-8", errors="surrogateescape", newline="\n")
            try:
                copy_text(text, out, self.files, self.path)
                out.flush()
            except UnicodeError as error:
                raise DataError(f"{self.path} is not {self.files.encoding}: {error}; name its encoding") from error
            finally:
                text.detach()
                out.detach()
        if place.parent == self.scratch:
            place.unlink()
        return copy

    def _read_csv(self, place: Path) -> Iterator[Any]:  # of pyarrow.Table or BadLine
        names = file_format.read_column_names(self.path, self.files)
        columns = {name: f"c{number}" for number, name in enumerate(names)}
        chosen = names if self.columns is None else self.columns
        duckdb_engine.require_columns(str(self.path), chosen, names)
        condition = duckdb_engine.build_condition(self.files.where, columns, str(self.path))
        if self.files.comment and len(names) == 1:
            condition = " AND ".join(filter(None, ["c0 IS NOT NULL", condition]))  # a comment left a blank line
        with duckdb_engine.connect(self.scratch, len(names)) as connection:
            query = duckdb_engine.build_select(
                self._build_source(place, len(names)), [columns[name] for name in chosen], condition
            )
            yield from duckdb_engine.fetch_batches(connection, query, chosen, str(self.path), self.columns is None)
            yield from self._read_bad_lines(connection, place)

    def _build_source(self, place: Path, width: int) -> str:
        """DuckDB's reader of the file, with the columns c0, c1 …, because SQL names are case-insensitive."""
        lines = self.files.format != "csv"
        before = 0 if lines else file_format.count_lines_before(place, self.files.skip)
        escape = self.files.escape or self.files.quote
        missing = ("",) if lines else self.files.missing or ("",)
        options = {
            "columns": "{" + ", ".join(f"c{i}: 'VARCHAR'" for i in range(width)) + "}",
            "auto_detect": "false",
            "header": "false" if lines or self.files.header is not None else "true",
            "skip": str(before),
            "delim": quote_literal("\x01" if lines else self.files.separator),
            "quote": quote_literal("" if lines else self.files.quote),
            "escape": quote_literal("" if lines else escape),
            "nullstr": "[" + ", ".join(map(quote_literal, missing)) + "]",
            "compression": "'gzip'" if archives.detect_compression(place) == "gzip" else "'none'",
            "max_line_size": str(file_format.LONGEST_LINE),
            "store_rejects": "true",
            "rejects_limit": "0",
        }
        arguments = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"read_csv({duckdb_engine.quote_path(place, self.scratch)}, {arguments})"

    def _read_json(self, place: Path) -> Iterator[Any]:  # of pyarrow.Table or BadLine
        """The values of the requested keys in each line's object; nested lists and objects as JSON text."""
        source = self._build_source(place, 1)
        with duckdb_engine.connect(self.scratch, len(self.columns or ())) as connection:
            chosen = self._read_keys(connection, source) if self.columns is None else self.columns
            keys = list(dict.fromkeys((*chosen, *self.files.where)))
            whole = f"CASE WHEN {_OBJECT} THEN c0 END"
            values = ", ".join(f"{_build_value(whole, key)} AS k{number}" for number, key in enumerate(keys)) or "1"
            columns = {key: f"k{number}" for number, key in enumerate(keys)}
            absent = ", ".join(map(quote_literal, dict.fromkeys(("", *(self.files.missing or ())))))
            texts = [f"CASE WHEN {columns[name]} NOT IN ({absent}) THEN {columns[name]} END" for name in chosen]
            inner = f"(SELECT {values} FROM {source} WHERE {_OBJECT})"
            condition = duckdb_engine.build_condition(self.files.where, columns, str(self.path))
            without_values = set(chosen)
            query = duckdb_engine.build_select(inner, texts, condition)
            for batch in duckdb_engine.fetch_batches(connection, query, chosen, str(self.path), self.columns is None):
                without_values -= {name for name in without_values if batch[name].null_count < len(batch)}
                yield batch
            yield from self._read_bad_lines(connection, place)
            yield from self._read_bad_json(connection, source)
            self._require_keys(connection, source, [name for name in chosen if name in without_values])

    def _read_keys(self, connection: duckdb.DuckDBPyConnection, source: str) -> tuple[str, ...]:
        """All keys of the objects of the file, in order of first appearance."""
        keys = f"SELECT unnest(json_keys(c0)) AS key, row_number() OVER () AS place FROM {source} WHERE {_OBJECT}"
        try:
            rows = connection.execute(f"SELECT key FROM ({keys}) GROUP BY key ORDER BY min(place)").fetchall()
        except duckdb.Error as error:
            raise duckdb_engine.unreadable_error(str(self.path), error) from error
        return tuple(f"/{escape_key(key)}" if key.startswith("/") else key for (key,) in rows)

    def _require_keys(self, connection: duckdb.DuckDBPyConnection, source: str, absent: Sequence[str]) -> None:
        """Raise DataError if a key does not occur in any object of the file, not even with a null value."""
        objects = f"SELECT c0 FROM {source} WHERE {_OBJECT}"
        for name in absent:
            exists = f"CASE WHEN {_OBJECT} THEN json_exists(c0, {quote_literal(_to_pointer(name))}) END"
            if "*" in name or connection.execute(f"SELECT 1 FROM {source} WHERE {exists} LIMIT 1").fetchone():
                continue
            first = connection.execute(f"SELECT json_keys(c0) FROM ({objects} LIMIT 1)").fetchone()
            if first is not None:  # files without objects are reported elsewhere
                raise duckdb_engine.missing_column_error(str(self.path), name, first[0])

    def _read_bad_lines(self, connection: duckdb.DuckDBPyConnection, place: Path) -> Iterator[BadLine]:
        """Each line that DuckDB rejected, once; DataError if an unclosed quote includes the lines after it."""
        query = "SELECT line, first(error_type), first(csv_line) FROM reject_errors GROUP BY line ORDER BY line"
        rows = connection.execute(query)
        with ExitStack() as stack:
            block = rows.fetchmany(1000)
            stream = stack.enter_context(archives.open_file(place)) if block else io.BytesIO()
            numbers = LineNumbers(stream, self.files)
            while block:
                yield from (
                    self._build_bad_line(numbers.find_line(record), str(error), text or "")
                    for record, error, text in block
                )
                block = rows.fetchmany(1000)

    def _build_bad_line(self, line: int, error: str, text: str) -> BadLine:
        rule, reason = _LINE_ERRORS.get(error, ("line", error.lower()))
        text = text.rstrip("\r\n")
        if "\n" in text or "\r" in text:
            raise DataError(
                f"{self.path} line {line:,}: a quote is not closed, or not doubled inside a quoted text, and includes "
                f'the lines after it ({shorten(text)!r}); correct it, or write quote = "" if there are no quotes'
            )
        if self.files.format == "json":
            line = 0  # DuckDB counts elements here, not lines
        return BadLine(rule, reason, self.path.name, line, text)

    def _read_bad_json(self, connection: duckdb.DuckDBPyConnection, source: str) -> Iterator[BadLine]:
        rows = connection.execute(f"SELECT c0 FROM {source} WHERE NOT ({_OBJECT}) AND c0 IS NOT NULL")
        while block := rows.fetchmany(1000):
            yield from (BadLine("json", "it is not a JSON object", self.path.name, 0, text) for (text,) in block)


#: CASE because DuckDB evaluates the parts of AND in any order and fails on text that is not JSON.
_OBJECT = "CASE WHEN json_valid(c0) THEN json_type(c0) = 'OBJECT' ELSE false END"


def _copy_lines(text: TextIO, out: TextIO, files: FileInput, _: Path) -> None:
    """Copy text with uniform line endings; comment lines become blank, so that line numbers do not change.

    Invalid bytes are kept and rejected later.
    """
    if not files.comment:
        while block := text.read(1 << 20):
            out.write(block)
        return
    quotes = 0
    while line := text.readline(file_format.LONGEST_LINE):
        comment = quotes % 2 == 0 and line.removeprefix("\ufeff").startswith(files.comment)
        quotes += 0 if comment or not files.quote else line.count(files.quote)
        out.write("\n" if comment and line.endswith("\n") else "" if comment else line)


def _build_value(whole: str, key: str) -> str:
    """SQL expression of a key's value as text; for a pointer with *, the list of all matching values."""
    parts = _to_pointer(key)[1:].split("/")
    if "*" not in parts:
        return f"json_extract_string({whole}, {quote_literal(_to_pointer(key))})"
    path = "$" + "".join("[*]" if part == "*" else f".{_quote_key(part)}" for part in parts)
    return f"CAST(to_json(json_extract({whole}, {quote_literal(path)})) AS VARCHAR)"


def _quote_key(part: str) -> str:
    return quote_identifier(unescape_key(part))


def _to_pointer(key: str) -> str:
    """The JSON pointer of a key; a column name that begins with a slash already is a pointer."""
    return key if key.startswith("/") else f"/{escape_key(key)}"
