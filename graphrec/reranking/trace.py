"""Trace of a reranking: what each rule did, item by item."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

REMOVED, MOVED = "removed", "moved"


@dataclass(frozen=True)
class TraceStep:
    """What one rule did to one item of a user's list.

    what: `removed` or `moved`; rank_before, rank_after: the ranks among the candidates before and after the rule (None
    if the item was removed); score_before, score_after: the scores, likewise.
    """

    user: str
    item: str
    rule: str
    what: str
    rank_before: int
    rank_after: int | None
    score_before: float
    score_after: float | None


@dataclass(frozen=True)
class Trace:
    """All steps, ordered by user, then rule, then rank; and `counts`, the number of items that each rule touched by
    the rule's title, which is there even if no steps were recorded."""

    steps: tuple[TraceStep, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def removed(self) -> int:
        """The number of items that rules removed."""
        return sum(step.what == REMOVED for step in self.steps)

    def rows(self) -> list[dict[str, Any]]:
        """The steps as JSON objects."""
        return [asdict(step) for step in self.steps]

    @property
    def frame(self) -> pd.DataFrame:
        """The steps as a table."""
        return pd.DataFrame(self.rows(), columns=list(TraceStep.__dataclass_fields__))
