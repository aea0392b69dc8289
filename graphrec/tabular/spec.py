"""What a user's TOML file says of the tables: which file or query fills which label or relationship type."""

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
    """Files of one form: `paths` as found, how rows are written in them, and which rows are wanted.

    A path may lead into a zip archive (`orders.zip/2024.csv`). `header` names the columns of files that have no header
    line. `where` keeps the rows whose column has one of the texts. `missing` are the texts that stand for no value;
    None if nothing is said of it, which is the empty text then, and of ids those that programs write ("nan", "NULL").
    `skip` lines stand before the header, and lines that
    begin with `comment` are no rows. `decimal` and `thousands` say how numbers in text are written ("" for no
    thousands separator). `escape` is the character before a quote inside quoted text ("" where the quote is doubled).
    `records` is the JSON pointer of the array of rows ("" for the whole document), `sheet` the name of the sheet (""
    for the first). A table of shape "basket" has the columns `header`, by default `basket`, and `item`; one of shape
    "wide" has the columns `row`, `column` and `value`.
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
    """A SQL query and the database that answers it; `folder` is where a relative SQLite file is looked for.

    `url` and the `values` of environment variables in it may hold passwords, so that neither is in the repr.
    """

    sql: str
    url: str = field(repr=False)
    folder: Path
    decimal: str = "."
    thousands: str = ""
    values: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FrameInput:
    """A data frame that is in memory already, as a pyarrow.Table; `where` keeps the rows that have one of the texts."""

    table: Any  # pyarrow ships no types
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] | None = None
    decimal: str = "."
    thousands: str = ""
    shape: Shape = "table"


@dataclass(frozen=True)
class FileQueryInput:
    """A SQL query over files and frames, each a table of its name; columns of text files are text, as written."""

    sql: str
    files: Mapping[str, "FileInput | FrameInput"]
    decimal: str = "."
    thousands: str = ""


#: Where the rows of a table may come from; each says by `decimal` and `thousands` how numbers in its text are written.
TableInput = FileInput | FrameInput | QueryInput | FileQueryInput


@dataclass(frozen=True)
class TimeColumn:
    """A column of times: text in a format (None: ISO 8601) and a zone, or numbers counted in a unit since 1970."""

    column: str
    format: str | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class PropertyColumn:
    """A property and the column that it comes from; without a kind it is what a typed source says, else text."""

    name: str
    column: str
    kind: Kind | None = None


@dataclass(frozen=True)
class TableSpec:
    """One table: its type, where its rows come from, which columns become what, and the rules of cleaning.

    `ids` are the columns of `id`, or of `source_id` and `target_id`. `split` divides the last of them into several
    values, each of which gives a row: by a separator, or as a list where it is "[]". Unless it is `text_chosen` what
    text is repaired, all properties of text are.
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
        """What `ids` become."""
        return ("id",) if isinstance(self.type, NodeType) else ("source_id", "target_id")


@dataclass(frozen=True)
class SourceSpec:
    """All that a TOML file says, or a mapping of the same form; `path` is that of the file, or of its folder.

    `shared` are the labels whose ids mean the same in every source, of those that are made of the ends of edges.
    """

    path: Path
    source: Source
    tables: tuple[TableSpec, ...]
    links: tuple[LinkRule, ...] = ()
    shared: frozenset[str] = frozenset()
