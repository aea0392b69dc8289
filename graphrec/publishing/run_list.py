"""List all runs: published ones, from the graph, and saved ones, from disk."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from graphrec.publishing.versions import PUBLISHING, Versions
from graphrec.runs import Run

ACTIVE, KEPT, REMOVED, CUT_OFF, SAVED = "active", "kept", "removed", "cut off", "not published"


@dataclass(frozen=True)
class ListedRun:
    """A run and its state.

    Attributes:
        run: the id of the publication, or of the run if it is not published.
        state: `active` (readers see its lists), `kept` (available for a rollback), `removed` (published earlier, its
            lists are deleted), `cut off` (its publication did not finish) or `not published`.
        saved: whether its model is on disk.
        metrics: the metrics of the saved run; runs are comparable if their splits and numbers of test users are equal.
        published_at, activated_at: milliseconds since 1970.
        split, num_test_users: what the saved run was measured on; None if it was not measured.
    """

    run: str
    model: str | None
    state: str
    saved: bool
    metrics: dict[str, float]
    verdict: str | None
    created_at: str | None
    published_at: int | None = None
    activated_at: int | None = None
    split: str | None = None
    num_test_users: int | None = None


def list_runs(versions: Versions, saved: Sequence[Run]) -> list[ListedRun]:
    """All runs: the active one, then those kept for a rollback, then the others, the newest first.

    `saved` is in the order of `runs.list_saved`, which decides between runs of the same second.
    """
    on_disk = {run.id: run for run in saved}
    complete = [version.id for version in versions.complete]
    listed = []
    for version in versions.all:
        run = on_disk.get(version.trained)
        state = REMOVED if version.status != PUBLISHING or version.activated_at else CUT_OFF
        if version.id in complete:
            state = KEPT if complete.index(version.id) else ACTIVE
        metrics = {} if run is None else dict(run.metrics)
        times = (version.created_at, version.published_at, version.activated_at)
        listed.append(
            ListedRun(
                version.id, version.model, state, run is not None, metrics, version.verdict, *times, *_measured_on(run)
            )
        )
    published = {version.trained for version in versions.all}
    listed += [
        ListedRun(
            run.id, run.model, SAVED, True, dict(run.metrics), None, run.created_at, None, None, *_measured_on(run)
        )
        for run in saved
        if run.id not in published
    ]
    others = [each for each in listed if each.run not in complete]
    position = {run.id: number for number, run in enumerate(saved)}
    others.sort(
        key=lambda each: (each.created_at or "", each.published_at or 0, position.get(each.run, -1), each.run),
        reverse=True,
    )
    return [
        *sorted((each for each in listed if each.run in complete), key=lambda each: complete.index(each.run)),
        *others,
    ]


def _measured_on(run: Run | None) -> tuple[str | None, int | None]:
    """The split and the number of test users behind the metrics of a run."""
    if run is None:
        return None, None
    return (run.split.spec if run.split else None), (run.verdict.num_users if run.verdict else None)


def to_frame(runs: Sequence[ListedRun]) -> pd.DataFrame:
    """A table with a row for each run: run, model, state, saved, verdict, created_at, published_at and activated_at
    (UTC, NaT if it is not published), split, num_test_users, then its metrics (`ndcg@10` …)."""
    names = [
        "run",
        "model",
        "state",
        "saved",
        "verdict",
        "created_at",
        "published_at",
        "activated_at",
        "split",
        "num_test_users",
    ]
    frame = pd.DataFrame([{**asdict(run), **run.metrics} for run in runs])
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    frame = frame.reindex(columns=[*names, *metrics])
    frame["num_test_users"] = frame["num_test_users"].astype("Int64")
    frame["created_at"] = pd.to_datetime(frame["created_at"], utc=True)
    for name in ("published_at", "activated_at"):
        frame[name] = pd.to_datetime(pd.to_numeric(frame[name]).astype("Int64"), unit="ms", utc=True)
    return frame.astype(dict.fromkeys(["created_at", "published_at", "activated_at"], "datetime64[ms, UTC]"))
