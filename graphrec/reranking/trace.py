"""What each rule did to a list, item by item."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

REMOVED, MOVED = "removed", "moved"


@dataclass(frozen=True)
class Step:
    """What one rule did to one item of a user's list.

    what: `removed` or `moved`; rank_before and rank_after: the places among the candidates before and after the rule
    (None: not there any more); score_before and score_after likewise.
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
    """All steps, in the order of users, then of rules, then of places; `counts` has how many items each rule touched,
    by its title, also where the steps themselves were not kept."""

    steps: tuple[Step, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def removed(self) -> int:
        """How many items rules took out."""
        return sum(step.what == REMOVED for step in self.steps)

    def rows(self) -> list[dict[str, Any]]:
        """The steps as JSON has them."""
        return [asdict(step) for step in self.steps]

    @property
    def frame(self) -> pd.DataFrame:
        """The steps as a table."""
        return pd.DataFrame(self.rows(), columns=list(Step.__dataclass_fields__))
