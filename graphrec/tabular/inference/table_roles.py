"""What was inferred of a table: what it is, what each of its columns is, and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from graphrec.tabular.inference.behaviours import UnratedValue
from graphrec.tabular.spec import TimeColumn

TableKind = Literal["behaviour", "social", "pairs", "nodes", "unknown"]


@dataclass(frozen=True)
class ColumnFinding:
    """What a column is, why, and how sure that is (0 to 1)."""

    column: str
    role: str
    reason: str
    confidence: float


@dataclass(frozen=True)
class AttributeNodes:
    """The nodes that the values of a column become, and the relation that leads to them."""

    label: str
    relation: str
    split: str = ""


@dataclass(frozen=True)
class TableRoles:
    """What a table is and what its columns are.

    `ends` holds label and column of each id: one for nodes. `of_user` and `of_item` are properties that depend on an
    end of behaviour, `rest` those of the edge or node itself. `left_out` are columns that no table takes, by reason.
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
