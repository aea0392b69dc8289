"""Runs: a trained model on disk with everything needed to recommend from it without the training data."""

import json
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphrec.arguments import name_of_run
from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.home import private_folder, write_privately
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.base import Model
from graphrec.relations import Origin
from graphrec.schema import Triple
from graphrec.splitting import Part, SplitRecord
from graphrec.splitting.spec import shorten
from graphrec.vocabulary import Vocabulary

#: Baselines that a run must beat, the simplest first. A baseline may be published unless another is clearly better.
BASELINES = ("popularity", "item_knn")

#: Threshold of test users below which a split with more of them is recommended.
FEW_USERS = 100


@dataclass(frozen=True)
class Verdict:
    """Whether a run is good enough to be published.

    metric: the metric compared, such as `ndcg@10`.
    gains: the difference to each other baseline over the same test users, with the bounds of its 95 % interval.
    num_users: number of test users.
    leaks: findings of the leak audit of the split; "" if it passed.
    model: name of the model measured.
    value: the metric of the model; None in runs of earlier versions.
    """

    metric: str
    gains: Mapping[str, tuple[float, float, float]]
    num_users: int
    leaks: str = ""
    model: str = ""
    value: float | None = None

    @property
    def finds_nothing(self) -> bool:
        """Whether neither the model nor any baseline finds a single test item, so nothing can be compared."""
        return self.value == 0 and all(gain == 0 for gain, _, _ in self.gains.values())

    @property
    def objections(self) -> tuple[str, ...]:
        """Reasons not to publish the run; empty if it may be published."""
        objections = [f"its evaluation was not clean: {self.leaks}"] if self.leaks else []
        if self.finds_nothing and self.model != BASELINES[0]:
            objections.append(
                f"no model finds anything: neither it nor {' nor '.join(self.gains)} has a test item of the "
                f"{self.num_users:,} test {'user' if self.num_users == 1 else 'users'} among its first "
                f"{self.metric.partition('@')[2]}, too little to measure"
            )
            return tuple(objections)
        if self.num_users < 2:
            objections.append("one test user is not enough: an interval needs two or more")
            return tuple(objections)
        is_baseline = self.model in BASELINES
        objections += [
            f"{f'{name} beats it' if is_baseline else f'it does not beat {name}'}: {self.metric} {gain:+.4f} (95 % "
            f"interval {low:+.4f} to {high:+.4f}) on {self.num_users:,} test users"
            for name, (gain, low, high) in self.gains.items()
            if (high < 0 if is_baseline else low <= 0)
        ]
        return tuple(objections)

    @property
    def strongest(self) -> str:
        """The baseline with the greatest metric; of equal ones the simplest."""
        return min(self.gains, key=lambda name: self.gains[name][0])


@dataclass(frozen=True)
class Run:
    """The record of one training.

    id: unique, and sorts by time.
    model, config: name and settings of the model.
    metrics: on the test part, by `ndcg@10` …; empty if the run was not measured.
    created_at: ISO 8601 in UTC; seconds: duration of the last fit.
    target: the behaviour that the model predicts, as (User, relation, Item).
    verdict: None if the run was not measured.
    split: how interactions were split; None if the run was not measured.
    sources: the sources whose data the model was trained on; None in runs of versions that did not record them.
    num_interactions: number of interactions that the model was fitted to; None in runs of earlier versions.
    """

    id: str
    model: str
    config: Mapping[str, Any]  # int, float or str, as in the model's config
    metrics: Mapping[str, float]
    created_at: str
    target: Triple
    seconds: float
    verdict: Verdict | None = None
    split: SplitRecord | None = None
    sources: tuple[str, ...] | None = None
    num_interactions: int | None = None

    @property
    def relation(self) -> str:
        """The behaviour that the model predicts."""
        return self.target[1]

    @property
    def objections(self) -> tuple[str, ...]:
        """Reasons not to publish the run; empty if it may be published."""
        return ("it was not measured",) if self.verdict is None else self.verdict.objections

    @property
    def remedies(self) -> tuple[str, ...]:
        """Ways to a run that may be published, each a clause; empty if this run may be published.

        The strongest baseline may always be published, because no other is clearly better.
        """
        if not self.objections:
            return ()
        force = "publish it anyway with --force (in Python force=True)"
        command = "graphrec blend" if self.model == "ensemble" else f"graphrec train --model {self.model}"
        if self.verdict is None:
            return (f"`{command}` makes a measured run", force)
        if self.verdict.leaks:
            return ("remove the data that reveal the test part from the graph, and train again", force)
        split = "" if self.split is None else f" --split {self._split_option(self.split.spec)}"
        remedies = []
        if self.verdict.num_users > 1:
            train = f"graphrec train --model {self.verdict.strongest}{split}"
            remedies.append(f"`{train}` makes a run that may be published")
        by_time = self.split is not None and self.split.spec.partition("(")[0] in ("time", "rolling")
        undecided = all(high >= 0 for _, _, high in self.verdict.gains.values())
        if by_time and undecided and self.verdict.num_users < FEW_USERS:
            remedies.append("`--split random` measures it on more users")
        return (*remedies, force)

    @property
    def advice(self) -> str:
        """The objections, and what to do about them, as two sentences; empty if the run may be published."""
        if not self.objections:
            return ""
        remedies = ", or ".join(self.remedies)
        return f"{'; '.join(self.objections)}. {remedies[0].upper()}{remedies[1:]}"

    @staticmethod
    def _split_option(spec: str) -> str:
        """The shortest value of `--split` for a split."""
        return shlex.quote(shorten(spec))


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run with its fitted model, the vocabularies of users and items, and the interactions that count as seen.

    `origins` describe the edges that the relations of the training graph were built from, so that the edges of a new
    user in the live graph can be encoded for the model; runs of earlier versions have none.
    """

    run: Run
    model: Model[Any]
    users: Vocabulary
    items: Vocabulary
    seen: Interactions
    origins: tuple[Origin, ...] = ()


def describe(
    name: str,
    model: Model[Any],
    target: Triple,
    metrics: Mapping[str, float],
    seconds: float,
    now: datetime | None = None,
) -> Run:
    """The Run of a model that was just fitted, with a new id such as `graph_filter-20261124-181500-ab12`."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    identifier = f"{name}-{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"  # unique, so never from a seeded rng
    created_at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Run(identifier, name, asdict(model.config), dict(metrics), created_at, target, round(seconds, 3))


def save(runs_folder: Path, trained: TrainedRun) -> Path:
    """Write the folder `runs_folder/<id>/` atomically and return it. Raises GraphrecError if that fails."""
    folder = runs_folder / trained.run.id
    with write_privately(folder) as partial:
        private_folder(partial)
        (partial / "run.json").write_text(json.dumps(asdict(trained.run), indent=2) + "\n", encoding="utf-8")
        with (partial / "model.pt").open("wb") as file:  # opened here, so that a failure is an OSError with its reason
            torch.save(_to_tensors(trained), file)
    return folder


def find(runs_folder: Path, name: "str | Run") -> str:
    """The id of a saved run, given by its id, by the first letters of it that no other id has, or by `latest`.

    Raises UnknownNameError if there is no such run, DataError if several ids begin with the letters, GraphrecError if
    its files are damaged.
    """
    if isinstance(name, Run):
        return name.id
    if name in list_damaged(runs_folder):
        raise GraphrecError(f"the run {runs_folder / name} cannot be read; remove the folder and train it again")
    return name_of_run(name, [run.id for run in reversed(list_saved(runs_folder))], hint="`graphrec train` makes one")


def load(runs_folder: Path, name: "str | Run") -> TrainedRun:
    """The run with its model restored; `name` is as in `find`.

    Raises:
        UnknownNameError: there is no such run.
        DataError: several ids begin with the name.
        GraphrecError: its files are damaged or were written by another version.
    """
    folder = runs_folder / find(runs_folder, name)
    try:
        run = _read(folder)
        content = torch.load(folder / "model.pt", weights_only=True)
        model = make(run.model, **run.config)
        model.restore(content["state"])
        users = Vocabulary.of(run.target[0], content["users"])
        items = Vocabulary.of(run.target[2], content["items"])
        origins = tuple(_make_origin(*parts) for parts in content.get("origins", []))
        user_index, item_index = content["seen"].numpy().astype(np.int64)
    except UnknownNameError:
        raise
    except Exception as error:  # torch and json raise many kinds of errors for a damaged file
        raise GraphrecError(
            f"the run {folder} cannot be read ({type(error).__name__}: {str(error).strip()[:120]}); train it again"
        ) from error
    seen = Interactions(user_index, item_index, len(users), len(items))
    return TrainedRun(run, model, users, items, seen, origins)


def list_saved(runs_folder: Path) -> list[Run]:
    """All complete runs of a folder, the oldest first; unreadable runs are left out, and a missing folder has no runs.

    Runs of the same second are in the order in which they were written.
    """
    pairs = [(run, folder) for folder in _list_folders(runs_folder) if (run := _read_or_none(folder)) is not None]
    return [
        run for run, folder in sorted(pairs, key=lambda pair: (pair[0].created_at, _written_at(pair[1]), pair[0].id))
    ]


def _written_at(folder: Path) -> int:
    """The time at which the record of a run was written, in nanoseconds; 0 if it was deleted meanwhile."""
    try:
        return (folder / "run.json").stat().st_mtime_ns
    except OSError:
        return 0


def find_trained_on(runs_folder: Path, source: str) -> tuple[list[str], list[str]]:
    """The ids of the saved runs that were trained on a source, and of those that do not record their sources."""
    runs = list_saved(runs_folder)
    trained = [run.id for run in runs if run.sources is not None and source in run.sources]
    return trained, [run.id for run in runs if run.sources is None]


def list_damaged(runs_folder: Path) -> list[str]:
    """The names of the folders that `list_saved` leaves out because they cannot be read."""
    return [folder.name for folder in _list_folders(runs_folder) if _read_or_none(folder) is None]


def _list_folders(runs_folder: Path) -> list[Path]:
    """The folders of runs, sorted by name, without those that are still being written."""
    try:
        return sorted(path for path in runs_folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise GraphrecError(f"the runs in {runs_folder} cannot be read: {error.strerror}") from error


def _read_or_none(folder: Path) -> Run | None:
    try:
        return _read(folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _to_tensors(trained: TrainedRun) -> dict[str, object]:
    pairs = np.stack([trained.seen.user_index, trained.seen.item_index]).astype(np.int32)
    return {
        "state": trained.model.state(),
        "users": list(trained.users.ids),
        "items": list(trained.items.ids),
        "seen": torch.from_numpy(pairs),
        "origins": [
            (each.name, each.kind, each.triple, each.text, *_label_and_ids(each.values)) for each in trained.origins
        ],
    }


def _label_and_ids(values: Vocabulary | None) -> tuple[str | None, list[str]]:
    return (None, []) if values is None else (values.label, list(values.ids))


def _make_origin(name: str, kind: str, triple: Triple, text: str, label: str | None, ids: list[str]) -> Origin:
    return Origin(name, kind, triple, text, None if label is None else Vocabulary.of(label, ids))


def _read(folder: Path) -> Run:
    """The record of a run. Raises ValueError, KeyError and others if the file is damaged."""
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    source, relation, target = record.pop("target")
    verdict, split = record.pop("verdict", None), record.pop("split", None)
    if verdict is not None:
        gains = {name: (float(gain), float(low), float(high)) for name, (gain, low, high) in verdict["gains"].items()}
        verdict = {**verdict, "gains": gains, "num_users": int(verdict["num_users"])}
        verdict = Verdict(**{"model": record["model"], **verdict})
    if split is not None:
        split = SplitRecord(split["spec"], split["cut"], tuple(Part(**part) for part in split["parts"]))
    sources = record.pop("sources", None)
    sources = None if sources is None else tuple(sources)
    run = Run(target=(source, relation, target), verdict=verdict, split=split, sources=sources, **record)
    texts = (run.model, run.created_at, *run.target, *(run.sources or ()))
    texts = (*texts, *([verdict.metric, verdict.model, verdict.leaks] if verdict else []))
    numbers = (run.seconds, *run.metrics.values())
    if run.id != folder.name or not all(isinstance(each, str) for each in texts):
        raise ValueError("a name is not a text, or the id is that of another run")
    numbers = (*numbers, *(() if run.num_interactions is None else (run.num_interactions,)))
    if not isinstance(run.config, dict) or not all(type(each) in (int, float) for each in numbers):
        raise ValueError("a number or the settings are of another type")
    return run
