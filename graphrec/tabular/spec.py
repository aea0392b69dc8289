"""What a user's TOML file says of the tables: which file or query fills which label or relationship type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from graphrec.cleaning import Rules
from graphrec.cleaning.rules import Kind
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import Source

Format = Literal["csv", "jsonl", "parquet"]


@dataclass(frozen=True)
class Files:
    """Files of one form: `paths` as found, how rows are written in them, and which rows are wanted.

    `header` names the columns of files that have no header line. `where` keeps the rows whose column has one of the
    texts.
    """

    paths: tuple[Path, ...]
    format: Format = "csv"
    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ("",)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """A SQL query and the database that answers it; `folder` is where a relative SQLite file is looked for.

    `url` and the `values` of environment variables in it may hold passwords, so that neither is in the repr.
    """

    sql: str
    url: str = field(repr=False)
    folder: Path
    values: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Time:
    """A column of times: text in a format (None: ISO 8601) and a zone, or numbers counted in a unit since 1970."""

    column: str
    format: str | None = None
    unit: Literal["s", "ms", "us", "ns"] | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class Column:
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
    origin: Files | Query
    ids: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    time: Time | None = None
    split: str | None = None
    rules: Rules = field(default_factory=Rules)
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
class Spec:
    """All that a TOML file says."""

    path: Path
    source: Source
    tables: tuple[TableSpec, ...]
    links: tuple[LinkRule, ...] = ()
