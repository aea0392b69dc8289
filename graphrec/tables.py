"""Nodes and edges as tables: loaders and the store return them, and fusion merges them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning_report import CleaningReport
from graphrec.errors import DataError, first_few, format_value, quantity
from graphrec.schema import EdgeType, GraphSchema, LinkRule, NodeType, Triple
from graphrec.schema_names import require_name

ENDS = ["source_id", "target_id"]


#: The address of the source `events`, which has what applications report; no load writes it.
REPORTED_URL = "POST /v1/events"

#: The addresses of sources that language models wrote: attributes of nodes, and verdicts on proposed links.
ENRICHED_URL = "graphrec enrich"
JUDGED_URL = "graphrec judge"


@dataclass(frozen=True)
class Source:
    """The source of tables; its name is in the `keys` of its nodes and on each of its edges.

    If sources disagree about a property of a fused node, the one with the highest `precedence` wins, of several equal
    ones the first by name.

    Raises:
        DataError: the name is empty, has a colon, which separates source and id in a key, or cannot be used in a
            statement (`graphrec.schema_names`): a fused node has a property `source:property` for each source.
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
                f"'{format_value(self.name)}' cannot name a source: it must be neither empty nor have a colon in it"
            )
        require_name(self.name, "source")


@dataclass(frozen=True)
class NodeTable:
    """One row per node: column `id` (string, unique), then the properties of the type.

    A frame read from the store also has `keys`, the `source:key` of each record that the node was made from.

    Raises:
        DataError: a column is missing, or an id is missing, empty or repeated.
    """

    type: NodeType
    frame: pd.DataFrame

    def __post_init__(self) -> None:
        label = self.type.label
        _require_columns(label, self.frame, ["id", *self.type.properties])
        _require_text(label, self.frame, "id")
        is_repeated = self.frame["id"].duplicated()
        if is_repeated.any():
            raise DataError(
                f"{label}: {quantity(int(is_repeated.sum()), 'id', 'occur')} more than once "
                f"({first_few(self.frame['id'][is_repeated].unique())}); an id names one node, so keep one row for each"
            )


@dataclass(frozen=True)
class EdgeTable:
    """One row per edge: columns `source_id` and `target_id` (strings), then the properties of the type.

    Raises:
        DataError: a column or an end is missing, or two rows are the same edge (equal ends and key).
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
        is_repeated = self.frame.duplicated(identity)
        if is_repeated.any():
            rows = self.frame.loc[is_repeated, identity].itertuples(index=False)
            compared = ", ".join(("both ends", *self.type.key))
            raise DataError(
                f"{relation}: {quantity(int(is_repeated.sum()), 'edge', 'occur')} more than once by {compared} "
                f"({first_few(' → '.join(map(str, row)) for row in rows)}); keep one row for each, or declare "
                'repeated = "first", "last" or "sum" for the table'
            )


@dataclass(frozen=True)
class Repeats:
    """How rows of the same node or edge are merged, as declared by `cleaning.CleaningRules`."""

    repeated: Literal["refuse", "first", "last", "sum", "max"] = "refuse"
    by: str | None = None
    combined: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraphTables:
    """Node and edge tables that belong together, with the sources they come from.

    `links` are the rules that link the sources' nodes with those of other sources (besides `fusion.DEFAULT_LINKS`), and
    `cleaning` reports what was repaired and rejected. `repeats` has, by label or triple, how repeated rows were merged,
    and how rows that are appended later are merged with those in the graph; for a table without an entry an appended
    value replaces the stored one unless it is missing.

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
        """The table of a relationship type, the first if several labels share it; KeyError if no table has it."""
        return {table.type.relation: table for table in reversed(self.edges)}[relation]


def replace_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:  # Any: values of any type
    """The frame with columns replaced or added; `DataFrame.assign` cannot do that with a property called self."""
    assigned = frame.copy(deep=False)
    for name, values in columns.items():
        assigned[name] = values
    return assigned


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
        raise DataError(f"{name}: {column} is empty in {quantity(int(empty.sum()), 'row')} (first: {empty.idxmax()})")


def _require_ends(table: EdgeTable, ids: dict[str, "pd.Series[str]"]) -> None:
    for end, label in zip(ENDS, (table.type.source, table.type.target), strict=True):
        ends = table.frame[end]
        known = ids[label] if label in ids else ends.iloc[:0]
        # Arrow is four times as fast as pandas for millions of ends.
        exists = pc.is_in(pa.array(ends, pa.large_string()), pa.array(known, pa.large_string()))
        dangling = ~exists.to_numpy(zero_copy_only=False)
        if dangling.any():
            raise DataError(
                f"{table.type.relation}: {quantity(int(dangling.sum()), 'edge', 'point')} at {label} ids that no row "
                f"of {label} has ({first_few(ends[dangling].unique())}); add these {label} rows or drop the edges"
            )
