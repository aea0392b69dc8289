"""How interactions are divided into train, validation and test, by name, and the record of it."""

from graphrec.splitting.record import Part, SplitRecord
from graphrec.splitting.splits import SPLITS, Split, at_random, by_time, leave_last_out

__all__ = ["SPLITS", "Part", "Split", "SplitRecord", "at_random", "by_time", "leave_last_out"]
