"""The record of a split, which shows whether two runs used the same one."""

import hashlib
from dataclasses import dataclass

import numpy as np

from graphrec.interactions import Interactions
from graphrec.splitting.spec import SplitSpec
from graphrec.splitting.time_and_random import Split


@dataclass(frozen=True)
class Part:
    """One part of a split: its name (`train`, `validation` or `test`), its sizes, its first and last time in Unix
    seconds (None without times), and the SHA-256 of its pairs and times in sorted order."""

    name: str
    num_interactions: int
    num_users: int
    num_items: int
    first: int | None
    last: int | None
    sha256: str


@dataclass(frozen=True)
class SplitRecord:
    """The spec of a split (such as `time(test=0.1)`), its cut in Unix seconds or None, and its three parts."""

    spec: str
    cut: int | None
    parts: tuple[Part, ...]


def record(split: Split, spec: SplitSpec | str) -> SplitRecord:
    """The record of a split and its spec; it does not depend on the order of rows or on their weights."""
    parts = (("train", split.train), ("validation", split.validation), ("test", split.test))
    return SplitRecord(str(spec), split.cut, tuple(_describe_part(name, rows) for name, rows in parts))


def _describe_part(name: str, rows: Interactions) -> Part:
    first, last = (None, None)
    if rows.time is not None and len(rows):
        first, last = int(rows.time.min()), int(rows.time.max())
    num_users, num_items = (len(np.unique(index)) for index in (rows.user_index, rows.item_index))
    return Part(name, len(rows), num_users, num_items, first, last, _sha256(rows))


def _sha256(rows: Interactions) -> str:
    """The SHA-256 of the column names followed by the columns user, item and (if known) time, one after the other as
    little-endian int64, with rows sorted by them; the names keep a split without times distinct from one with them."""
    columns = [rows.user_index, rows.item_index, *([] if rows.time is None else [rows.time])]
    order = np.lexsort(columns[::-1])
    digest = hashlib.sha256(" ".join(("user", "item", "time")[: len(columns)]).encode())
    for column in columns:
        digest.update(column[order].astype("<i8").tobytes())
    return digest.hexdigest()
