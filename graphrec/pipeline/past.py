"""What was published to a user at a time in the past, with the saved runs of a folder."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np

from graphrec.arguments import Id
from graphrec.errors import DataError, GraphrecError, format_value
from graphrec.schema import USER
from graphrec.serving.as_of import PastItem, PastList, read_past_list
from graphrec.serving.candidates import read_titles
from graphrec.store import Store, queries
from graphrec.store.active_run import ActiveRun

#: Length of a list that is computed anew if the run does not say how long its lists were.
DEFAULT_K = 10


def read_past(
    store: Store, runs_folder: Path, user: Id, at: datetime | date | str | int, k: int | None = None
) -> PastList:
    """What was published to a user at a time; see `Graph.as_of`."""
    moment = parse_moment(at)
    user_id = queries.find_node(store, USER, user)

    def recompute(user: str, run: ActiveRun) -> Sequence[PastItem] | None:
        return _recompute(store, runs_folder, user, run)

    found = read_past_list(store, user_id, moment, recompute)
    return found if k is None else replace(found, items=found.items[:k])


def parse_moment(at: datetime | date | str | int) -> int:
    """Unix seconds of a time; of a date its last second, in UTC. Raises DataError if it is no time."""
    if isinstance(at, str):
        text = at.strip()
        try:
            at = date.fromisoformat(text)
        except ValueError:
            try:
                return queries.parse_time(text)
            except ValueError as error:
                raise DataError(
                    f"'{format_value(text)}' is no time; write one such as 2026-03-01 or 2026-03-01T12:00"
                ) from error
    if isinstance(at, date) and not isinstance(at, datetime):
        at = datetime.combine(at, time(23, 59, 59), UTC)
    if isinstance(at, datetime):
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    return int(at)


def _recompute(store: Store, runs_folder: Path, user: str, run: ActiveRun) -> list[PastItem] | None:
    """The list of a user by a saved run with the reasons; None if the run is not in the folder or does not know the
    user."""
    from graphrec import runs  # imports torch, which takes seconds
    from graphrec.explanation import with_reasons
    from graphrec.ranking.topk import recommend

    try:
        trained = runs.load(runs_folder, run.trained)
    except GraphrecError:
        return None
    position = int(trained.users.find_few([user])[0])
    if position < 0:
        return None
    frame = with_reasons(trained, recommend(trained, np.array([position]), run.k or DEFAULT_K)).frame
    titles = read_titles(store, list(frame["item_id"]))
    columns = zip(
        *(frame[name].tolist() for name in ("item_id", "score", "rank", "because", "because_label")), strict=True
    )
    return [
        PastItem(item, titles.get(item), float(score), int(rank), _to_text(because), _to_text(label), False)
        for item, score, rank, because, label in columns
    ]


def _to_text(value: object) -> str | None:
    return value if isinstance(value, str) else None
