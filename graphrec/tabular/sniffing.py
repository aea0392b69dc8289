"""Detects the format of an undescribed file and profiles its columns on a sample of rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import duckdb

from graphrec.cleaning.rules import Kind
from graphrec.cleaning.working_table import shorten
from graphrec.errors import DataError
from graphrec.tabular import file_format
from graphrec.tabular.duckdb_engine import quote_identifier
from graphrec.tabular.inference import headers, nested_json, samples
from graphrec.tabular.inference.column_profile import ColumnProfile, profile_column
from graphrec.tabular.inference.dialects import Dialect, detect_dialect, is_header_row, is_title_row
from graphrec.tabular.inference.encodings import detect_encoding
from graphrec.tabular.inference.json_records import is_json, parse_records
from graphrec.tabular.spec import FileInput, FileQueryInput, QueryInput

#: Bytes read at the beginning of a file and at each of the later positions, and the number of later positions.
_START, _LATER, _PLACES = 4 << 20, 128 << 10, 4
#: Maximum number of sampled values over all columns of a file, and of sampled rows.
_VALUES, _ROWS = 1_000_000, 20_000


@dataclass(frozen=True)
class TableProfile:
    """A table's input and the profiles of its columns by name.

    name: name of the file without its ending, or of the database table.
    rows: number of sampled rows; `whole` if these are all rows.
    headerless: whether `input.header` was guessed because the file has no usable header.
    left_out: columns without information, with the reason.
    keys: primary key of a database table; `references` has its foreign keys as (table, column) by column.
    """

    input: FileInput | QueryInput | FileQueryInput
    name: str
    columns: Mapping[str, ColumnProfile]
    rows: int
    whole: bool = True
    headerless: bool = False
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] | None = None
    keys: tuple[str, ...] = ()
    references: Mapping[str, tuple[str, str]] | None = None

    @property
    def shown(self) -> str:
        """Name of the table in reports: the file name, or the first of several."""
        if not isinstance(self.input, FileInput):
            return self.name
        first = self.input.paths[0].name
        return first if len(self.input.paths) == 1 else f"{first} … ({len(self.input.paths)} files)"


def sniff(path: Path, num_rows: int = _ROWS) -> TableProfile:
    """The profile of a file, from a sample of about `num_rows` rows.

    Raises:
        DataError: the file does not exist, is empty, damaged or not a table.
    """
    form = samples.detect_form(path)
    if form == "parquet":
        return _sniff_parquet(path)
    if form in ("xlsx", "ods"):
        return sniff_workbook(path, form, num_rows)[0]
    if form == "sqlite":
        raise DataError(f"{path} is a SQLite database; write sqlite:///{path}")
    start, whole = samples.read_start(path, max(1 << 16, _START * num_rows // _ROWS))
    if not start:
        raise DataError(f"{path} is empty; copy or download it again")
    coding, certain = detect_encoding(start)
    file_format.require_text(path, coding)
    text = start.decode(coding, errors="replace").removeprefix("\ufeff")
    if not whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    notes = () if certain else (f"the encoding {coding} is a guess",)
    if is_json(text):
        return _sniff_json(path, text, whole, coding, notes)
    return _sniff_text(path, text, whole, coding, notes, num_rows)


def _sniff_text(path: Path, text: str, whole: bool, coding: str, notes: tuple[str, ...], max_rows: int) -> TableProfile:
    width = max(
        1, max((line.count(",") + line.count("\t") + line.count(";") for line in text.splitlines()[:20]), default=1)
    )
    num_rows = max(200, min(max_rows, _VALUES // width))
    later = (
        [] if whole else samples.read_later_parts(path, _LATER, _PLACES, 2 if "16" in coding or "32" in coding else 1)
    )
    later_texts = [part.decode(coding, errors="replace") for part in later]
    _reject_headings(path, text)
    dialect = detect_dialect(text, str(path), num_rows, later_texts)
    form = FileInput(
        (path,), "csv", dialect.separator, dialect.quote, coding, dialect.header, skip=dialect.skip,
        comment=dialect.comment, escape=dialect.escape,
    )  # fmt: skip
    if dialect.basket:
        return _sniff_basket(path, dialect, form, whole, notes)
    if not dialect.rows:
        raise DataError(f"{path} has no rows that can be read; check the file")
    if dialect.wrong:
        notes = (*notes, f"{dialect.wrong:,} of its first lines have another number of fields and are rejected")
    names = dialect.header or tuple(file_format.make_unique(dialect.written or [""] * dialect.width))
    columns = profile_columns(names, dialect.rows)
    headerless = dialect.header is None and dialect.written is None
    if not headerless and not dialect.header and headers.are_placeholders(names):
        headerless, form = True, replace(form, skip=dialect.skip + 1)
        notes = (*notes, f"its header ({', '.join(names[:6])}) has no names: they are guessed from the values")
    if headerless:
        names = headers.guess_header(file_stem(path), list(columns.values()))
        form = replace(form, header=names)
        columns = profile_columns(names, dialect.rows)
    left_out = _find_empty_columns(dialect, names, columns)
    kept = {name: value for name, value in columns.items() if name not in left_out}
    notes = (*dialect.notes, *notes, *_note_duplicate_names(dialect.written or ()))
    rows = len(next(iter(columns.values())).values)
    return TableProfile(
        form, file_stem(path), kept, rows, whole and rows == len(dialect.rows), headerless, notes, left_out
    )


def _reject_headings(path: Path, text: str) -> None:
    """Raise DataError if lines such as `7:` are headings of the lines below, as in the Netflix Prize files."""
    lines = [line.strip() for line in text.splitlines()[:10_000] if line.strip()]
    headings = [line for line in lines if _HEADING.fullmatch(line)]
    if len(headings) > 1 and lines[0] == headings[0] and len(headings) * 2 <= len(lines):
        command = r"""awk -F: 'NF == 2 && $2 ~ /^\r?$/ {id = $1; next} {print id "," $0}'"""
        raise DataError(
            f"{path} has lines such as '{shorten(headings[1])}', which are headings of the lines below; "
            f"a table needs the id in each line; convert the file first: {command}"
        )


_HEADING = re.compile(r"[^\s,;|:]{1,60}:")


def _find_empty_columns(dialect: Dialect, names: Sequence[str], columns: Mapping[str, ColumnProfile]) -> dict[str, str]:
    """Columns without values, and nameless row numbers such as a pandas index, with the reason."""
    left_out = {}
    for place, name in enumerate(names):
        written = dialect.written[place] if dialect.written else name
        if not columns[name].num_filled and not dialect.header:
            left_out[name] = "it is empty" if written.strip() else "it has no name and no values"
        elif (not written.strip() or written.startswith("Unnamed:")) and _is_index(columns[name]):
            left_out[name] = "it numbers the rows"
    return left_out if len(left_out) < len(names) else {}


def _is_index(column: ColumnProfile) -> bool:
    numbers = column.numbers
    return column.kind == "int" and column.unique and len(numbers) > 1 and bool(numbers.is_monotonic_increasing)


def _note_duplicate_names(names: Sequence[str]) -> list[str]:
    repeated = [name for name in dict.fromkeys(names) if name.strip() and list(names).count(name) > 1]
    return [
        f"the header has '{name}' {list(names).count(name)} times: the later ones are {name}_2 …" for name in repeated
    ]


def _sniff_basket(path: Path, dialect: Dialect, form: FileInput, whole: bool, notes: tuple[str, ...]) -> TableProfile:
    """The profile of basket lines (an id and its items), as pairs."""
    pairs = [(row[0], item) for row in dialect.rows[:2000] for item in row[1:] if item][:_ROWS]
    columns = profile_columns(("basket", "item"), pairs)
    notes = (*notes, "each line is an id followed by its items")
    source = replace(form, shape="basket", header=dialect.header)
    return TableProfile(source, file_stem(path), columns, len(dialect.rows), whole, notes=(*dialect.notes, *notes))


def profile_columns(
    names: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    kinds: Mapping[str, Kind] | None = None,
    times: frozenset[str] = frozenset(),
) -> dict[str, ColumnProfile]:
    """The profiles of the columns of these rows; `kinds` and `times` are known from typed sources."""
    rows = rows[: max(200, _VALUES // max(1, len(names)))]
    kinds = kinds or {}
    by_place = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {
        name: profile_column(name, by_place[place], kinds.get(name), name in times) for place, name in enumerate(names)
    }


def file_stem(path: Path) -> str:
    """The name of a file without the endings of its format and compression."""
    name = path.name
    while "." in name[1:] and name.rpartition(".")[2].casefold() in _ENDINGS:
        name = name.rpartition(".")[0]
    return name


_ENDINGS = frozenset(
    [
        "csv",
        "tsv",
        "tab",
        "txt",
        "dat",
        "data",
        "psv",
        "json",
        "jsonl",
        "ndjson",
        "parquet",
        "pq",
        "xlsx",
        "xls",
        "xlsm",
        "ods",
        "gz",
        "bz2",
        "xz",
        "zst",
        "zip",
        "inter",
        "item",
        "user",
        "kg",
        "link",
        "net",
        "social",
        "train",
        "test",
        "valid",
    ]
) - {"item", "user", "train", "test", "valid", "social", "inter"}


def _sniff_json(path: Path, text: str, whole: bool, coding: str, notes: tuple[str, ...]) -> TableProfile:
    records = parse_records(text, whole, str(path), _ROWS)
    names = records.names
    if not names:
        raise DataError(f"{path} has no line that is a JSON object with a key; write one object on each line")
    columns = profile_columns(names, [[row.get(name) for name in names] for row in records.rows])
    form = FileInput((path,), records.format, quote="", encoding=coding, records=records.records)  # type: ignore[arg-type]  # json or jsonl
    if records.lists and (key := nested_json.find_row_list(records.whole, names)) is not None:
        name = re.sub(r"\W+", "_", f"f_{file_stem(path)}").casefold()
        sql, names, rows = nested_json.unnest_rows(records.whole, key, names, name)
        notes = (*notes, f"each object of {key} is a row")
        return TableProfile(
            FileQueryInput(sql, {name: form}),
            file_stem(path),
            profile_columns(names, rows),
            len(rows),
            whole,
            notes=notes,
        )
    left_out = dict.fromkeys(records.lists, "it contains lists of objects")
    if records.lists and records.format == "jsonl":
        notes = (*notes, _suggest_unnesting(path.name, records.lists[0]))
    left_out |= {name: "it is empty" for name, value in columns.items() if not value.num_filled}
    kept = {name: value for name, value in columns.items() if name not in left_out}
    num_rows = len(records.rows)
    return TableProfile(form, file_stem(path), kept or columns, num_rows, whole, notes=notes, left_out=left_out)


def _suggest_unnesting(name: str, key: str) -> str:
    """A hint how to unnest a list of objects with DuckDB."""
    query = (
        f"select * exclude ({quote_identifier(key)}), unnest({quote_identifier(key)}, recursive := true) from '{name}'"
    )
    return f"DuckDB can write a row for each object of {key}: copy ({query}) to 'rows.parquet'"


def _sniff_parquet(path: Path) -> TableProfile:
    try:
        with duckdb.connect(":memory:") as connection:
            query = "SELECT * FROM read_parquet($path)"
            described = connection.execute(f"DESCRIBE {query}", {"path": str(path)}).fetchall()
            names = [row[0] for row in described]
            limit = max(200, min(_ROWS, _VALUES // max(1, len(names))))
            texts = ", ".join(_build_text_cast(row[0], row[1]) for row in described)
            rows = connection.execute(
                f"SELECT {texts} FROM read_parquet($path) LIMIT {limit}", {"path": str(path)}
            ).fetchall()
    except duckdb.Error as error:
        raise DataError(f"{path} is not a readable Parquet file; export or download it again") from error
    if not rows:
        raise DataError(f"{path} has no rows that can be read; check the file")
    kinds = {row[0]: kind for row in described if (kind := _infer_kind(row[1]))}
    times = frozenset(row[0] for row in described if row[1].startswith("TIMESTAMP") or row[1] == "DATE")
    columns = profile_columns(names, rows, kinds, times)
    left_out = {name: "it is empty" for name, value in columns.items() if not value.num_filled}
    kept = {name: value for name, value in columns.items() if name not in left_out}
    return TableProfile(
        FileInput((path,), "parquet", quote=""),
        file_stem(path),
        kept or columns,
        len(rows),
        len(rows) < limit,
        left_out=left_out,
    )


def _build_text_cast(name: str, kind: str) -> str:
    quoted = quote_identifier(name)
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return f"CAST({f'to_json({quoted})' if is_nested else quoted} AS VARCHAR)"


def _infer_kind(kind: str) -> Kind | None:
    """The kind of a Parquet column; None for text, whose values decide."""
    if "INT" in kind and not kind.endswith("]"):
        return "int"
    if kind in ("FLOAT", "DOUBLE", "REAL") or kind.startswith("DECIMAL"):
        return "float"
    return "bool" if kind == "BOOLEAN" else None


def sniff_workbook(path: Path, form: Literal["xlsx", "ods"], num_rows: int = _ROWS) -> list[TableProfile]:
    """The profiles of the sheets of a workbook that have rows.

    Raises:
        DataError: the workbook is damaged, or no sheet has rows.
        GraphrecError: the reader of workbooks is not installed.
    """
    names = samples.read_sheet_names(path)
    profiles, problem = [], DataError(f"{path} has no rows that can be read; check the file")
    for name in names:
        try:
            profiles.append(_sniff_sheet(path, form, name if len(names) > 1 else "", num_rows))
        except DataError as error:
            problem = error
    if not profiles:
        raise problem
    return profiles


def _sniff_sheet(path: Path, form: Literal["xlsx", "ods"], sheet: str, num_rows: int) -> TableProfile:
    files = FileInput((path,), form, sheet=sheet)
    rows, kinds, times = samples.read_sheet_rows(path, files, num_rows)
    first = 0
    while first + 2 < len(rows) and len(rows[0]) > 2 and is_title_row(rows[first], rows[first + 1]):
        first += 1
    notes: tuple[str, ...] = ()
    if first:
        notes = (f"{first} line{'s' * (first > 1)} before the table ({rows[0][0][:40]!r})",)
        header = rows[first]
        for skip in range(first, first + 15):
            files = replace(files, skip=skip)
            rows, kinds, times = samples.read_sheet_rows(path, files, num_rows)
            if rows[0] == header:
                break
    written = rows[0]
    headerless = not is_header_row(written, rows[1:], len(written))
    names = tuple(file_format.make_unique(written))
    if headerless:
        names = headers.guess_header(
            sheet or file_stem(path),
            list(profile_columns([f"column_{n}" for n in range(1, len(written) + 1)], rows).values()),
        )
        files, kinds, times = replace(files, header=names), [None] * len(names), [False] * len(names)
    body = rows if headerless else rows[1:]
    if not body:
        raise DataError(f"{path} has no rows that can be read; check the file")
    known = {name: kind for name, kind in zip(names, kinds, strict=True) if kind}
    timed = frozenset(name for name, is_time in zip(names, times, strict=True) if is_time)
    columns = profile_columns(names, [[text or None for text in row] for row in body], known, timed)
    left_out = {name: "it is empty" for name, value in columns.items() if not value.num_filled}
    kept = {name: value for name, value in columns.items() if name not in left_out}
    name = sheet if sheet and not re.fullmatch(r"(Sheet|Tabelle|Feuil|Hoja|Foglio)\s?\d*", sheet) else file_stem(path)
    return TableProfile(files, name, kept or columns, len(body), len(body) < num_rows, headerless, notes, left_out)
