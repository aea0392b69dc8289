"""Splits of interactions into train, validation and test, by name, and the record of a split."""

from graphrec.splitting.record import Part, SplitRecord, record
from graphrec.splitting.spec import SPLIT_NAMES, SplitSpec, parse_split
from graphrec.splitting.split import splits
from graphrec.splitting.time_and_random import SPLITS, Split, at_random, by_time, count_later, leave_last_out

__all__ = [
    "SPLITS",
    "SPLIT_NAMES",
    "Part",
    "Split",
    "SplitRecord",
    "SplitSpec",
    "at_random",
    "by_time",
    "count_later",
    "leave_last_out",
    "parse_split",
    "record",
    "splits",
]
