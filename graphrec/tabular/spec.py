"""Typed form of the TOML specification: the input and the columns of each label and relationship type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from graphrec.cleaning import CleaningRules
from graphrec.cleaning.rules import Kind
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import Source

Format = Literal["csv", "jsonl", "json", "parquet", "xlsx", "ods"]
Shape = Literal["table", "basket", "wide"]


@dataclass(frozen=True)
class FileInput:
    """Files of one format and dialect, and a filter of their rows.

    paths: the files; a path may point into a zip archive (`orders.zip/2024.csv`).
    header: column names of files without a header line.
    missing: texts that represent a missing value. None (not declared): the empty text, and in id columns also the
        words that programs write ("nan", "NULL").
    where: values to keep by column; other rows are left out.
    skip: number of lines before the header. Lines that begin with `comment` are ignored.
    decimal, thousands: separators of numbers in text ("" for no thousands separator).
    escape: character before a quote inside quoted text ("" if quotes are doubled).
    records: JSON pointer of the array of rows ("" for the whole document).
    sheet: name of the sheet ("" for the first).
    shape: "table" (one row per line); "basket" (lines of an id and items: columns `header`, by default `basket`, and
        `item`); "wide" (a matrix: columns `row`, `column` and `value`).
    """

    paths: tuple[Path, ...]
    format: Format = "csv"
    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skip: int = 0
    comment: str = ""
    decimal: str = "."
    thousands: str = ""
    escape: str = ""
    records: str = ""
    sheet: str = ""
    shape: Shape = "table"


@dataclass(frozen=True)
class QueryInput:
    """A SQL query and the SQLAlchemy URL of its database; relative paths of SQLite files start at `folder`.

    `url` and `values` (the environment variables in it) may contain passwords, so the repr omits both.
    """

    sql: str
    url: str = field(repr=False)
    folder: Path
    decimal: str = "."
    thousands: str = ""
    values: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FrameInput:
    """A data frame in memory, as a pyarrow.Table; `where` has the values to keep by column."""

    table: Any  # pyarrow ships no types
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    decimal: str = "."
    thousands: str = ""
    shape: Shape = "table"


@dataclass(frozen=True)
class FileQueryInput:
    """A SQL query over files and frames, each a table by its name; columns of text files are text."""

    sql: str
    files: Mapping[str, "FileInput | FrameInput"]
    decimal: str = "."
    thousands: str = ""


#: Input of a table; every type has `decimal` and `thousands`, the separators of numbers in text.
TableInput = FileInput | FrameInput | QueryInput | FileQueryInput


@dataclass(frozen=True)
class TimeColumn:
    """A time column: text in a format (None: ISO 8601) and time zone, or numbers in a unit since 1970."""

    column: str
    format: str | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class PropertyColumn:
    """A property and its column; kind None: the type of a typed input, else text."""

    name: str
    column: str
    kind: Kind | None = None


@dataclass(frozen=True)
class TableSpec:
    """Specification of one table: type, input, column mapping and cleaning rules.

    place: the name of the table in messages, such as shop.toml [nodes.User].
    ids: the columns of `id`, or of `source_id` and `target_id`.
    split: separator at which the last id is split into several rows, or "[]" for JSON lists.
    text_chosen: whether `rules.text` was declared; otherwise all text properties are repaired.
    """

    place: str
    type: NodeType | EdgeType
    input: TableInput
    ids: tuple[str, ...]
    columns: tuple[PropertyColumn, ...] = ()
    time: TimeColumn | None = None
    split: str | None = None
    rules: CleaningRules = field(default_factory=CleaningRules)
    text_chosen: bool = False

    @property
    def name(self) -> str:
        """The label or relationship type."""
        return self.type.label if isinstance(self.type, NodeType) else self.type.relation

    @property
    def id_names(self) -> tuple[str, ...]:
        """The columns of the loaded table that `ids` fill."""
        return ("id",) if isinstance(self.type, NodeType) else ("source_id", "target_id")


@dataclass(frozen=True)
class SourceSpec:
    """The parsed TOML file, or mapping of the same form.

    `shared` contains the labels without a table whose ids have the same meaning in every source.
    """

    path: Path
    source: Source
    tables: tuple[TableSpec, ...]
    links: tuple[LinkRule, ...] = ()
    shared: frozenset[str] = frozenset()
