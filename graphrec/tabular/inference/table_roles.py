"""The result of schema inference for a table: its kind, the role of each column, evidence and questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from graphrec.tabular.inference.behaviours import UnratedValue
from graphrec.tabular.spec import TimeColumn

TableKind = Literal["behaviour", "social", "pairs", "nodes", "unknown"]


@dataclass(frozen=True)
class ColumnFinding:
    """The role of a column, with reason and confidence (0 to 1)."""

    column: str
    role: str
    reason: str
    confidence: float


@dataclass(frozen=True)
class AttributeNodes:
    """Nodes made of a column's values (genre, brand …): label, relationship type to them, separator of values."""

    label: str
    relation: str
    split: str = ""


@dataclass(frozen=True)
class TableRoles:
    """The kind of a table and the roles of its columns.

    kind: "behaviour" (user-item edges), "social" (user-user edges), "pairs" (other edges), "nodes" or "unknown".
    ends: label and column of each id; one for nodes, two for edges.
    zoned: whether the times include their time zone.
    events: values of the column `event` by relationship type.
    negative: the weight column, if it has negative numbers.
    groups: columns whose values become nodes.
    of_user, of_item, rest: property columns of the user, the item, and the edge or node itself.
    left_out: columns that are not used, with the reason.
    """

    kind: TableKind
    ends: tuple[tuple[str, str], ...] = ()
    relation: str = ""
    confidence: float = 1.0
    reason: str = ""
    time: TimeColumn | None = None
    zoned: bool = True
    weight: str | None = None
    rating: str | None = None
    event: str | None = None
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unrated: UnratedValue | None = None
    negative: str | None = None
    groups: Mapping[str, AttributeNodes] = field(default_factory=dict)
    of_user: tuple[str, ...] = ()
    of_item: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[ColumnFinding, ...] = ()
    questions: tuple[str, ...] = ()
