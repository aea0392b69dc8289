"""What the rows of a source must be, declared per table; `clean` applies it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Repeated = Literal["refuse", "first", "last", "sum", "max"]
Dangling = Literal["refuse", "drop", "add"]

#: What the values of a column are: text, whole numbers, numbers, or yes and no.
Kind = Literal["str", "int", "float", "bool"]


@dataclass(frozen=True)
class CleaningRules:
    """The rules of one table, in the order in which they are applied.

    Attributes:
        text: columns of text to repair: wrongly decoded characters (ftfy), Unicode form NFC, spaces around and doubled.
            In ids only spaces around, control characters and the Unicode form are repaired, unless listed here.
        needed: columns in which no value may be missing (ids and ends are always needed).
        types: what the values of a column must be; rows with other values are rejected.
        decimal: the character before the fraction of a number that is text.
        thousands: the character between its groups of digits ("1.234,5" has "."); none unless it is given.
        ranges: lowest and highest allowed value by column; None leaves a side open.
        times: columns of Unix seconds; a time before `earliest` or more than a day after now is impossible.
        earliest: the first possible time, in Unix seconds (default 1990-01-01).
        itself: what happens to edges from a node to itself: they stay, or they are rejected.
        repeated: what happens to rows that are the same node or edge: an error, or the first or last row is kept, or
            the columns `combined` are summed, or the row with the largest value of `by` is kept. Of rows of one node
            each property has the first (last, largest) value that is there, so that an empty cell hides no value.
        by: the column that says which row is the first or last (default: the order of the file) or the largest.
        combined: the columns that "sum" adds up; the other columns are those of the last row.
        dangling: what happens to edges whose ends no node table has: an error, or they are rejected, or the missing
            nodes are added with nothing but an id.
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
        """Every column that a rule names."""
        named = {*self.text, *self.needed, *self.types, *self.ranges, *self.times, *self.combined}
        return named | ({self.by} if self.by else set())
