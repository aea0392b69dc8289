"""Nodes and edges as tables: what every loader returns, what fusion merges and what the store reads back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning_report import CleaningReport
from graphrec.errors import DataError, first_few, shown
from graphrec.schema import EdgeType, GraphSchema, LinkRule, NodeType, Triple
from graphrec.schema_names import require_name

ENDS = ["source_id", "target_id"]


@dataclass(frozen=True)
class Source:
    """The source of tables: its name is in `keys` and on each of its edges.

    Where sources disagree about a property of a fused node, the one with the highest `precedence` wins, of several the
    first by name.

    Raises:
        DataError: the name is empty, has a colon, which divides source and id in a key, or is unusable in a statement
            (`graphrec.schema_names`): a fused node has a property `source:property` for each source.
    """

    name: str
    version: str = ""
    url: str = ""
    licence: str = ""
    sha256: str = ""
    precedence: int = 0

    def __post_init__(self) -> None:
        if not self.name or ":" in self.name:
            raise DataError(
                f"'{shown(self.name)}' cannot name a source: it must be neither empty nor have a colon in it"
            )
        require_name(self.name, "source")


@dataclass(frozen=True)
class NodeTable:
    """One row per node: column `id` (string, unique), then the properties of the type.

    A frame read from the store also has `keys`, the list of `source:key` that each node was made from.

    Raises:
        DataError: a column is missing, or an id is missing, empty or there twice.
    """

    type: NodeType
    frame: pd.DataFrame

    def __post_init__(self) -> None:
        label = self.type.label
        _require_columns(label, self.frame, ["id", *self.type.properties])
        _require_text(label, self.frame, "id")
        twice = self.frame["id"].duplicated()
        if twice.any():
            raise DataError(
                f"{label}: {_count(int(twice.sum()), 'id', 'occur')} more than once "
                f"({first_few(self.frame['id'][twice].unique())}); an id names one node, so keep one row for each"
            )


@dataclass(frozen=True)
class EdgeTable:
    """One row per edge: columns `source_id` and `target_id` (strings), then the properties of the type.

    Raises:
        DataError: a column or an end is missing, or two rows are the same edge (ends and key alike).
    """

    type: EdgeType
    frame: pd.DataFrame

    def __post_init__(self) -> None:
        relation = self.type.relation
        _require_columns(relation, self.frame, [*ENDS, *self.type.properties])
        for end in ENDS:
            _require_text(relation, self.frame, end)
        if self.type.key is None:
            return
        identity = [*ENDS, *self.type.key]
        twice = self.frame.duplicated(identity)
        if twice.any():
            rows = self.frame.loc[twice, identity].itertuples(index=False)
            raise DataError(
                f"{relation}: {_count(int(twice.sum()), 'edge', 'occur')} more than once by {', '.join(identity)} "
                f"({first_few(' → '.join(map(str, row)) for row in rows)}); keep one row for each"
            )


@dataclass(frozen=True)
class Repeats:
    """What rows that are the same node or edge become, as the rules of cleaning declare it (`cleaning.Rules`)."""

    repeated: Literal["refuse", "first", "last", "sum", "max"] = "refuse"
    by: str | None = None
    combined: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraphTables:
    """Node and edge tables that belong together, with the sources they come from.

    `links` says by what the sources' nodes are recognised in other sources (beside `fusion.DEFAULT_LINKS`), and
    `cleaning` what was repaired and rejected on the way from the files. `repeats` has by label or triple what repeated
    rows became, and what rows that are appended later become with those in the graph; a table without an entry
    completes these, a value that is there before one that is missing.

    Raises:
        DataError: an edge ends at a node that no node table has, or a type occurs twice.
    """

    nodes: tuple[NodeTable, ...]
    edges: tuple[EdgeTable, ...]
    sources: tuple[Source, ...] = field(default=())
    links: tuple[LinkRule, ...] = field(default=())
    cleaning: CleaningReport = field(default=CleaningReport())
    repeats: Mapping[str | Triple, Repeats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = pd.Index([table.type.label for table in self.nodes], dtype=object)
        triples = pd.Index([" ".join(table.type.triple) for table in self.edges], dtype=object)
        for names in (labels, triples):
            if not names.is_unique:
                raise DataError(f"{names[names.duplicated()][0]} is in two tables; put its rows into one")
        ids = {table.type.label: table.frame["id"] for table in self.nodes}
        for table in self.edges:
            _require_ends(table, ids)

    @property
    def schema(self) -> GraphSchema:
        """The types of all tables."""
        return GraphSchema(tuple(table.type for table in self.nodes), tuple(table.type for table in self.edges))

    def node(self, label: str) -> NodeTable:
        """The table of a label; KeyError if no table has it."""
        return {table.type.label: table for table in self.nodes}[label]

    def edge(self, relation: str) -> EdgeTable:
        """The table of a relationship type (the first, where several labels share it); KeyError if none."""
        return {table.type.relation: table for table in reversed(self.edges)}[relation]


def _require_columns(name: str, frame: pd.DataFrame, columns: list[str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"{name}: the table has no column {first_few(missing)}; it has {first_few(frame.columns, 20)}")


def _require_text(name: str, frame: pd.DataFrame, column: str) -> None:
    values = frame[column]
    if len(values) and not pd.api.types.is_string_dtype(values):
        raise DataError(f"{name}: column {column} holds {values.dtype}, but an id is a string")
    empty = values.isna() | (values == "")
    if empty.any():
        raise DataError(f"{name}: {column} is empty in {_count(int(empty.sum()), 'row')} (first: {empty.idxmax()})")


def _require_ends(table: EdgeTable, ids: dict[str, "pd.Series[str]"]) -> None:
    for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
        ends = table.frame[end]
        known = ids[label] if label in ids else ends.iloc[:0]
        # Arrow takes a quarter of the time that pandas takes for millions of ends.
        found = pc.is_in(pa.array(ends, pa.large_string()), pa.array(known, pa.large_string()))
        dangling = ~found.to_numpy(zero_copy_only=False)
        if dangling.any():
            raise DataError(
                f"{table.type.relation}: {_count(int(dangling.sum()), 'edge', 'point')} at {label} ids that no row of "
                f"{label} has ({first_few(ends[dangling].unique())}); add these {label} rows or drop the edges"
            )


def _count(number: int, noun: str, verb: str = "") -> str:
    one = number == 1
    return f"{number:,} {noun}{'' if one else 's'}" + (f" {verb}{'s' if one else ''}" if verb else "")
