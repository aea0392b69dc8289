"""What was split how: a record that another run can be held against."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part of a split: `train`, `validation` or `test`; its first and last time in Unix seconds (None without
    times), and the SHA-256 of its pairs and times in sorted order."""

    name: str
    num_interactions: int
    num_users: int
    num_items: int
    first: int | None
    last: int | None
    sha256: str


@dataclass(frozen=True)
class SplitRecord:
    """How a split was made (`spec`, such as `time(test=0.1)`), the cut in Unix seconds or None, and its three parts."""

    spec: str
    cut: int | None
    parts: tuple[Part, ...]
