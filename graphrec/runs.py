"""Runs: a trained model on disk with all that is needed to recommend from it without the training data."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.home import private_folder, written_privately
from graphrec.interactions import Interactions
from graphrec.models import make
from graphrec.models.base import Model
from graphrec.relations import Origin
from graphrec.schema import Triple
from graphrec.splitting import Part, SplitRecord
from graphrec.vocabulary import Vocabulary


@dataclass(frozen=True)
class Verdict:
    """Whether a run is good enough to be published.

    metric: what is compared, such as `ndcg@10`; gains: the difference to each baseline over the same test users, with
    the bounds of its 95 % interval; num_users: how many of them there are; leaks: what the audit of the split found,
    empty where it is clean.
    """

    metric: str
    gains: Mapping[str, tuple[float, float, float]]
    num_users: int
    leaks: str = ""

    @property
    def objections(self) -> tuple[str, ...]:
        """Why the run should not be published; empty where it may be."""
        found = [f"its evaluation was not clean: {self.leaks}"] if self.leaks else []
        found += [
            f"it does not beat {name}: {self.metric} {gain:+.4f} (95 % interval {low:+.4f} to {high:+.4f}) on "
            f"{self.num_users:,} test users"
            for name, (gain, low, high) in self.gains.items()
            if low <= 0
        ]
        return tuple(found)


@dataclass(frozen=True)
class Run:
    """What is known about one training: ids sort by time; `created_at` is ISO 8601 in UTC; `seconds` of fitting.

    `verdict` and `split` (the record of how interactions were divided) are None where nothing was measured. `sources`
    names the sources whose data the model has seen; None: the run was saved by a version that did not record them.
    """

    id: str
    model: str
    config: Mapping[str, Any]  # int, float or str, as the model's config has it
    metrics: Mapping[str, float]
    created_at: str
    target: Triple
    seconds: float
    verdict: Verdict | None = None
    split: SplitRecord | None = None
    sources: tuple[str, ...] | None = None

    @property
    def relation(self) -> str:
        """The behaviour that the model predicts."""
        return self.target[1]


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run with its fitted model, the ids behind the positions, and the interactions that count as seen.

    `origins` say where the relations of the training graph come from, so that what a live graph has of a newcomer can
    be put into the model's words; runs of before have none.
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
    """The Run of a model just fitted, with a new id such as `graph_filter-20261124-181500-ab12`."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    identifier = f"{name}-{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"  # unique, so never from a seeded rng
    created_at = moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Run(identifier, name, asdict(model.config), dict(metrics), created_at, target, round(seconds, 3))


def save(runs_folder: Path, trained: TrainedRun) -> Path:
    """The folder `runs_folder/<id>/`, written whole or not at all. Raises GraphrecError where it cannot be written."""
    folder = runs_folder / trained.run.id
    with written_privately(folder) as partial:
        private_folder(partial)
        (partial / "run.json").write_text(json.dumps(asdict(trained.run), indent=2) + "\n", encoding="utf-8")
        with (partial / "model.pt").open("wb") as file:  # a file of Python's own says why it fails
            torch.save(_content(trained), file)
    return folder


def load(runs_folder: Path, identifier: str) -> TrainedRun:
    """The run with its model restored.

    Raises:
        UnknownNameError: there is no such run.
        GraphrecError: its files are damaged or were written by another version.
    """

    names = [run.id for run in listed(runs_folder)]
    if identifier not in names:
        raise UnknownNameError("run", identifier, reversed(names), hint="`graphrec train` makes one")
    folder = runs_folder / identifier
    try:
        run = _read(folder)
        content = torch.load(folder / "model.pt", weights_only=True)
        model = make(run.model, **run.config)
        model.restore(content["state"])
        users = Vocabulary.of(run.target[0], content["users"])
        items = Vocabulary.of(run.target[2], content["items"])
        origins = tuple(_origin(*parts) for parts in content.get("origins", []))
        user_index, item_index = content["seen"].numpy().astype(np.int64)
    except UnknownNameError:
        raise
    except Exception as error:  # torch and json raise many kinds for a damaged file
        raise GraphrecError(
            f"the run {folder} cannot be read ({type(error).__name__}: {str(error).strip()[:120]}); train it again"
        ) from error
    seen = Interactions(user_index, item_index, len(users), len(items))
    return TrainedRun(run, model, users, items, seen, origins)


def listed(runs_folder: Path) -> list[Run]:
    """All complete runs of a folder, the oldest first; unreadable ones are left out, a missing folder has none."""
    found = []
    for path in runs_folder.glob("*/run.json"):
        if not path.parent.name.startswith("."):
            try:
                found.append(_read(path.parent))
            except (OSError, ValueError, TypeError, KeyError):
                continue
    return sorted(found, key=lambda run: (run.created_at, run.id))


def knowing(runs_folder: Path, source: str) -> tuple[list[str], list[str]]:
    """The ids of the saved runs that were trained on a source, and of those that do not record their sources."""
    found = listed(runs_folder)
    knows = [run.id for run in found if run.sources is not None and source in run.sources]
    return knows, [run.id for run in found if run.sources is None]


def _content(trained: TrainedRun) -> dict[str, object]:
    pairs = np.stack([trained.seen.user_index, trained.seen.item_index]).astype(np.int32)
    return {
        "state": trained.model.state(),
        "users": list(trained.users.ids),
        "items": list(trained.items.ids),
        "seen": torch.from_numpy(pairs),
        "origins": [
            (each.name, each.kind, each.triple, each.text, *_vocabulary(each.values)) for each in trained.origins
        ],
    }


def _vocabulary(values: Vocabulary | None) -> tuple[str | None, list[str]]:
    return (None, []) if values is None else (values.label, list(values.ids))


def _origin(name: str, kind: str, triple: Triple, text: str, label: str | None, ids: list[str]) -> Origin:
    return Origin(name, kind, triple, text, None if label is None else Vocabulary.of(label, ids))


def _read(folder: Path) -> Run:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    source, relation, target = record.pop("target")
    verdict, split = record.pop("verdict", None), record.pop("split", None)
    if verdict is not None:
        gains = {name: (gain, low, high) for name, (gain, low, high) in verdict["gains"].items()}
        verdict = Verdict(verdict["metric"], gains, verdict["num_users"], verdict["leaks"])
    if split is not None:
        split = SplitRecord(split["spec"], split["cut"], tuple(Part(**part) for part in split["parts"]))
    sources = record.pop("sources", None)
    sources = None if sources is None else tuple(sources)
    return Run(target=(source, relation, target), verdict=verdict, split=split, sources=sources, **record)
