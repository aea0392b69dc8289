"""What a file that nobody described seems to be: its form, its columns, and what stands in them."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from graphrec.cleaning.conversion import as_text, converted
from graphrec.cleaning.rules import Kind
from graphrec.errors import DataError, GraphrecError
from graphrec.tabular import files, inspection
from graphrec.tabular.spec import Files, Time
from graphrec.tabular.times import unix_seconds

_SEPARATORS = ("::", "\t", ";", "|", ",", " ")
_NUMBERS = re.compile(r"[-+0-9. eE]+")
_ENCODINGS = ("utf-8", "cp1252", "latin-1")
#: Notations of dates that are not ISO 8601; where two fit, the first is proposed.
_DATES = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m %d, %Y",
    "%B %d, %Y",
    "%a %b %d %H:%M:%S %z %Y",
)
#: Names for the columns of a file without a header, in the order in which such files mostly have them.
_HEADERLESS = ("user", "item", "rating", "timestamp")
_HEADERLESS_SOCIAL = ("user", "friend", "value", "timestamp")
_SOCIAL = re.compile("trust|friend|social|follow")


@dataclass(frozen=True)
class Sniffed:
    """A file, how it is written, and its first rows as text; `times` holds the columns of moments of a typed file."""

    files: Files
    rows: pd.DataFrame
    times: frozenset[str] = frozenset()

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.files.paths[0]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.rows.columns)

    def kind(self, column: str) -> Kind:
        """What the first rows of a column all are; a number with a leading zero is text, for it names something."""
        values = self.rows[column].dropna()
        if values.empty or values.str.match(r"^[+-]?0\d").any():
            return "str"
        kinds: tuple[Kind, ...] = ("int", "float")
        for kind in kinds:
            if not converted(values, kind)[1].any():
                return kind
        return "bool" if values.str.lower().isin(["true", "false"]).all() else "str"

    def time(self, column: str) -> Time | None:
        """How the times of a column are written; None where its first rows are no times."""
        values = self.rows[column].dropna()
        if column in self.times:
            return Time(column)
        if values.empty:
            return None
        if self.kind(column) in ("int", "float"):
            return _unit(column, converted(values, "float")[0])
        candidates = [Time(column), *(Time(column, form) for form in _DATES)]
        return next((time for time in candidates if not unix_seconds(values, time)[1].any()), None)


def sniff(path: Path) -> Sniffed:
    """The form and the first rows of a file.

    Raises:
        DataError: the file is not there, empty, damaged or no table.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".parquet", ".pq")):
        return _parquet(path)
    encoding = _encoding(path)
    inspection.need_text(path, encoding)
    lines = _lines(path, encoding)
    if lines[0].lstrip().startswith("{"):
        return _jsonl(path, encoding, lines)
    return _csv(path, encoding, lines)


def _parquet(path: Path) -> Sniffed:
    try:
        with duckdb.connect(":memory:") as connection:
            query = "SELECT * FROM read_parquet($path)"
            found = connection.execute(f"DESCRIBE {query}", {"path": str(path)}).fetchall()
    except duckdb.Error as error:
        raise DataError(f"{path} is no Parquet file that can be read; export or download it again") from error
    times = frozenset(row[0] for row in found if row[1].startswith("TIMESTAMP") or row[1] == "DATE")
    return _sniffed(Files((path,), "parquet", quote=""), [row[0] for row in found], times)


def _jsonl(path: Path, encoding: str, lines: Sequence[str]) -> Sniffed:
    keys: dict[str, None] = {}
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            keys |= dict.fromkeys(value)
    if not keys:
        raise DataError(f"{path} has no line that is a JSON object; write one object on each line")
    return _sniffed(Files((path,), "jsonl", quote="", encoding=encoding), list(keys))


def _csv(path: Path, encoding: str, lines: Sequence[str]) -> Sniffed:
    separator = _separator(path, lines)
    quote = "" if separator in ("\t", "::", " ") else '"'
    form = Files((path,), "csv", separator, quote, encoding)
    names = inspection.column_names(path, form)
    header = None
    usual = _HEADERLESS_SOCIAL if _SOCIAL.search(path.name.casefold()) else _HEADERLESS
    if any(re.fullmatch(r"[+-]?\d+(\.\d+)?", name.strip()) for name in names) or len(set(names)) < len(names):
        header = tuple(usual[i] if i < len(usual) else f"column_{i + 1}" for i in range(len(names)))
    return _sniffed(Files((path,), "csv", separator, quote, encoding, header), list(header or names))


def _sniffed(form: Files, columns: list[str], times: frozenset[str] = frozenset()) -> Sniffed:
    """The file with its first rows."""
    first: Any = next((piece for piece in files.pieces(form, columns) if not isinstance(piece, files.BadLine)), None)
    if first is None or not first.num_rows:
        raise DataError(f"{form.paths[0]} has no rows that can be read; check the file")
    rows = first.to_pandas()
    return Sniffed(form, pd.DataFrame({name: as_text(rows[name]) for name in columns}), times)


def _separator(path: Path, lines: Sequence[str]) -> str:
    """The separator that gives most lines the same number of fields, and more than one."""
    best, most = ",", 0.0
    for separator in _SEPARATORS:
        if separator == " " and not all(_NUMBERS.fullmatch(line) for line in lines):
            continue  # a space divides words, too
        quoting = any('"' in line for line in lines) and len(separator) == 1
        try:
            rows = (
                list(csv.reader(lines, delimiter=separator)) if quoting else [line.split(separator) for line in lines]
            )
        except csv.Error:
            continue
        width, count = Counter(len(row) for row in rows).most_common(1)[0]
        if width > 1 and count / len(rows) > most:
            best, most = separator, count / len(rows)
    if 0 < most < 0.5:
        raise DataError(
            f"{path}: less than half of the lines have the same number of fields; a table has the same in each, so "
            "write a list such as user, friend, friend … as one pair on each line"
        )
    return best


def _lines(path: Path, encoding: str) -> list[str]:
    with inspection.opened(path) as stream:
        text = stream.read(1 << 20).decode(encoding, errors="replace").removeprefix("\ufeff")
    whole = text.splitlines()[:-1] or text.splitlines()  # the last one may be cut
    lines = list(islice((line for line in whole if line.strip()), 1000))
    if not lines:
        raise DataError(f"{path} holds blank lines only; copy or download it again")
    return lines


def _encoding(path: Path) -> str:
    with inspection.opened(path) as stream:
        start = stream.read(1 << 20)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in _ENCODINGS:
        try:
            start[: start.rfind(b"\n") + 1 or None].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise GraphrecError(f"{path} is in no encoding that is known")  # latin-1 reads any byte


def _unit(column: str, numbers: "pd.Series[Any]") -> Time | None:
    """The unit in which the typical number is a time between 1973 and 2286."""
    typical = float(numbers.median())
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        if 10**8 <= typical / factor < 10**10:
            return Time(column, None, unit)  # type: ignore[arg-type]  # one of the four, as written above
    return None
