"""Cleaning rules, declared per table; `clean` applies them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Repeated = Literal["refuse", "first", "last", "sum", "max"]
Dangling = Literal["refuse", "drop", "add"]

#: The type of a column's values: text, whole numbers, numbers, or booleans.
Kind = Literal["str", "int", "float", "bool"]


@dataclass(frozen=True)
class CleaningRules:
    """The rules of one table, in the order in which they are applied.

    Attributes:
        text: columns of text to repair: wrongly decoded characters (ftfy), Unicode form NFC, surrounding and repeated
            spaces. Ids that are not listed are only trimmed and have control characters and the Unicode form repaired.
        needed: columns without missing values (ids and ends of edges always are).
        types: the type of a column's values; rows with other values are rejected.
        decimal: the decimal separator of numbers in text.
        thousands: the separator of groups of digits in text ("." in "1.234,5"); default: no separator.
        ranges: minimum and maximum by column; None leaves a side open.
        times: columns of Unix seconds; a time before `earliest` or more than a day after now is rejected.
        earliest: the first valid time, in Unix seconds (default 1990-01-01).
        itself: whether edges from a node to itself are kept or rejected.
        repeated: how rows of the same node or edge are merged: refuse is an error; first, last and max keep the first
            or last row or the one with the largest value of `by`; sum adds the columns `combined`. Each property of a
            node has the first (last, largest) value that is not missing.
        by: the column that orders the rows for first, last (default: the order of the file) and max.
        combined: the columns that sum adds; the other columns have the values of the last row.
        dangling: how edges are treated whose ends are in no node table: refuse is an error; drop rejects the edges;
            add creates the missing nodes with only an id.
    """

    text: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    types: Mapping[str, Kind] = field(default_factory=dict)
    decimal: str = "."
    thousands: str = ""
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    times: tuple[str, ...] = ()
    earliest: int = 631_152_000
    itself: Literal["keep", "drop"] = "keep"
    repeated: Repeated = "refuse"
    by: str | None = None
    combined: tuple[str, ...] = ()
    dangling: Dangling = "refuse"

    def columns(self) -> set[str]:
        """All columns that the rules name."""
        named = {*self.text, *self.needed, *self.types, *self.ranges, *self.times, *self.combined}
        return named | ({self.by} if self.by else set())
