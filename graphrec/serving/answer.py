"""The recommendations for one user, each with the strategy that found it, as objects, tables and JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import pandas as pd

from graphrec.errors import GraphrecError
from graphrec.reranking import Trace


class Strategy(StrEnum):
    """How a recommendation was found, in the order in which strategies are tried; the comments say what `detail` is."""

    PUBLISHED = "published"  # a published list; detail: the model
    RERANKED = "reranked"  # the run's model ranks again, such as under rules; detail: the model
    FOLD_IN = "fold_in"  # the run's model scores the user's edges in the live graph; detail: their number
    FRIENDS = "friends"  # chosen by most friends; detail: the behaviour
    ATTRIBUTES = "attributes"  # has the user's attribute nodes; detail: their label
    SEGMENT = "segment"  # chosen by most similar users; detail: the label or properties in which they are similar
    TRENDING = "trending"  # most events in the last days; detail: the behaviour
    POPULAR = "popular"  # most events; detail: the behaviour


#: Columns of a table of recommendations for many users, one row per user and item.
COLUMNS = ("user_id", "item_id", "score", "rank", "title", "strategy", "detail", "run")


class NoScoreError(GraphrecError):
    """A run has no score for a user and an item, so there is nothing to explain."""


@dataclass(frozen=True)
class Recommended:
    """One recommended item: its score, its rank from 1, the strategy with a detail, and the run that scored it if any.

    Scores are comparable within one strategy: those of a run are its model's, the others count friends, attribute
    nodes, similar users or events. `detail` is for people to read; see `Strategy`.
    """

    item: str
    title: str | None
    score: float
    rank: int
    strategy: Strategy
    detail: str | None = None
    run: str | None = None


@dataclass(frozen=True)
class Answer:
    """The recommendations for a user, best first; `notes` are sentences on how they were found and why some are
    missing; `trace` has what each rule did."""

    user: str
    k: int
    items: tuple[Recommended, ...]
    notes: tuple[str, ...] = ()
    trace: Trace = field(default_factory=Trace)

    @property
    def frame(self) -> pd.DataFrame:
        """The table item, title, score, rank, strategy, detail, run; the notes are in its `attrs`."""
        columns = list(Recommended.__dataclass_fields__)
        frame = pd.DataFrame([_as_row(each) for each in self.items], columns=columns)
        frame.attrs["notes"] = list(self.notes)
        return frame

    def rows(self) -> Iterator[tuple[str, str, float, int, str | None, str, str | None, str | None]]:
        """One row per item, in the order of `COLUMNS`."""
        for each in self.items:
            strategy = each.strategy.value
            yield self.user, each.item, each.score, each.rank, each.title, strategy, each.detail, each.run

    def as_dict(self) -> Mapping[str, Any]:
        """The answer as a JSON object; it has `trace` only if rules did something."""
        record: dict[str, Any] = {
            "user": self.user,
            "notes": list(self.notes),
            "recommendations": [_as_row(each) for each in self.items],
        }
        return record | ({"trace": self.trace.rows()} if len(self.trace) else {})


def as_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """The answers for many users as one table with the columns `COLUMNS`; `attrs["notes"]` has the notes by user."""
    answers = list(answers)
    frame = pd.DataFrame([row for answer in answers for row in answer.rows()], columns=list(COLUMNS))
    frame = frame.astype({"user_id": "str", "item_id": "str", "score": "float64", "rank": "int64"})
    frame.attrs["notes"] = {answer.user: list(answer.notes) for answer in answers}
    return frame


def _as_row(item: Recommended) -> dict[str, Any]:
    return asdict(item) | {"strategy": item.strategy.value}
