"""What is recommended to one user, and how it came about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from graphrec.reranking import Trace

#: The ways in which an answer comes, the best first.
PUBLISHED, RANKED, FOLDED_IN = "published", "ranked anew", "folded in"
FRIENDS, ATTRIBUTES, SEGMENT, TRENDING, POPULAR = "friends", "attributes", "segment", "trending", "popular"


#: Columns of a table of recommendations for many users, one row for each user and item.
COLUMNS = ("user_id", "item_id", "score", "rank", "title", "way", "run")


@dataclass(frozen=True)
class Recommended:
    """One recommended item: its score, its place in the answer from 1, the way it came, and the run behind it if any.

    Scores compare within one way: those of a run are its model's, the others count friends, values, or users.
    """

    item: str
    title: str | None
    score: float
    rank: int
    way: str
    run: str | None = None


@dataclass(frozen=True)
class Answer:
    """The recommendations of a user, best first, and sentences that say how they came and why they are so few."""

    user: str
    k: int
    items: tuple[Recommended, ...]
    notes: tuple[str, ...] = ()
    trace: Trace = field(default_factory=Trace)

    @property
    def frame(self) -> pd.DataFrame:
        """The table item, title, score, rank, way, run; the notes stand in its `attrs`."""
        columns = list(Recommended.__dataclass_fields__)
        found = pd.DataFrame([asdict(each) for each in self.items], columns=columns)
        found.attrs["notes"] = list(self.notes)
        return found

    def rows(self) -> Iterator[tuple[str, str, float, int, str | None, str, str | None]]:
        """A row for each item, in the order of `COLUMNS`."""
        for each in self.items:
            yield self.user, each.item, each.score, each.rank, each.title, each.way, each.run

    def as_dict(self) -> Mapping[str, Any]:
        """The answer as JSON has it; `trace` is there where rules did something."""
        found: dict[str, Any] = {
            "user": self.user,
            "notes": list(self.notes),
            "recommendations": [asdict(each) for each in self.items],
        }
        return found | ({"trace": self.trace.rows()} if len(self.trace) else {})


def as_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """The table user_id, item_id, score, rank, title, way, run of many answers; `attrs["notes"]` has their notes by
    user."""
    answers = list(answers)
    found = pd.DataFrame([row for answer in answers for row in answer.rows()], columns=list(COLUMNS))
    found = found.astype({"user_id": "str", "item_id": "str", "score": "float64", "rank": "int64"})
    found.attrs["notes"] = {answer.user: list(answer.notes) for answer in answers}
    return found
