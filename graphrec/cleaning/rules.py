"""What the rows of a source must be, declared per table; `clean` applies it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Repeated = Literal["refuse", "first", "last", "sum", "max"]


@dataclass(frozen=True)
class Rules:
    """The rules of one table, in the order in which they are applied.

    Attributes:
        text: columns of text to repair: wrongly decoded characters (ftfy), Unicode form NFC, spaces around and doubled.
        needed: columns in which no value may be missing (ids and ends are always needed).
        ranges: lowest and highest allowed value by column; None leaves a side open.
        times: columns of Unix seconds; a time before `earliest` or more than a day after now is impossible.
        earliest: the first possible time, in Unix seconds (default 1990-01-01).
        repeated: what happens to rows that are the same node or edge: an error, or the first or last row is kept, or
            the columns `combined` are summed, or the row with the largest value of `by` is kept.
        by: the column that says which row is the last (default: the order of the file) or the largest.
        combined: the columns that "sum" adds up.
        dangling: what happens to edges whose ends no node table has: an error, or they are rejected.
    """

    text: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    times: tuple[str, ...] = ()
    earliest: int = 631_152_000
    repeated: Repeated = "refuse"
    by: str | None = None
    combined: tuple[str, ...] = ()
    dangling: Literal["refuse", "drop"] = "refuse"
