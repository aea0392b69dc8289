"""Trials saved in an Optuna study on disk, so that a killed search resumes where it stopped."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import OptunaError
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.storages.journal._file import BaseJournalFileLock  # the type of the public argument `lock_obj`

from graphrec.errors import DataError, GraphrecError
from graphrec.hetero import HeteroGraph
from graphrec.home import is_private, restrict
from graphrec.interactions import Interactions
from graphrec.tuning.trial import Quality, Trial

#: Attributes of a study: the fingerprint of the search, the config selected at the end, and before the key of a config,
#: its quality on the parts of guards.
FINGERPRINT, SELECTED, GUARD = "of", "chosen", "guard "

#: First bytes of an Optuna journal file.
_JOURNAL_START = b'{"op_code"'


class StudyFile:
    """The trials of one search, in a file that Optuna's own tools can open; a context manager that locks the file.

    Raises:
        DataError: the file belongs to another model, other data or another seed, or another process has locked it.
        GraphrecError: the file is not a study, or cannot be written.
    """

    def __init__(self, path: Path, model: str, fingerprint: str) -> None:
        self.path, self.model, self.fingerprint = path, model, fingerprint
        self._lock = filelock.FileLock(f"{path}.lock", mode=0o600)

    def __enter__(self) -> "StudyFile":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise DataError(f"another process uses the study {self.path}; wait for it or name another file") from error
        except OSError as error:
            raise GraphrecError(f"the study {self.path} cannot be written: {error.strerror or error}") from error
        try:
            self._study = _open(self.path, self.model)
            self._check()
            if is_private(self.path.parent):
                restrict(self.path)
            self._saved = {_key(trial.config): trial for trial in _read_trials(self.path, self._study.trials)}
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def find(self, config: Any) -> Trial | None:  # a config dataclass
        """The saved trial of a config, None if it was not tried."""
        return self._saved.get(_key(asdict(config)))

    def add(self, trial: Trial, params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]) -> None:
        """Save a trial; `params` are its settings in the search space, empty if the config is outside it."""
        parts = {name: _as_json(quality) for name, quality in trial.parts.items()}
        frozen = optuna.trial.create_trial(
            state=optuna.trial.TrialState.PRUNED if trial.pruned else optuna.trial.TrialState.COMPLETE,
            value=trial.quality.ndcg,
            params=dict(params),
            distributions={name: distributions[name] for name in params},
            intermediate_values=dict(trial.steps),
            user_attrs={
                "config": dict(trial.config),
                "parts": parts,
                "seconds": trial.seconds,
                "stop_epoch": trial.stop_epoch,
            },
        )
        self._study.add_trial(frozen)
        self._saved[_key(trial.config)] = trial

    def find_guard(self, config: Any) -> Mapping[str, Quality] | None:  # a config dataclass
        """The saved quality of a config on the parts of guards, None if it was not measured on them.

        Raises GraphrecError if it cannot be read.
        """
        saved = self._study.user_attrs.get(GUARD + _key(asdict(config)))
        try:
            return None if saved is None else {name: _read_quality(part) for name, part in saved.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_a_study(self.path) from error

    def add_guard(self, config: Any, parts: Mapping[str, Quality]) -> None:
        """Save the quality of a config on the parts of guards."""
        self._study.set_user_attr(
            GUARD + _key(asdict(config)), {name: _as_json(quality) for name, quality in parts.items()}
        )

    def finish(self, config: Mapping[str, Any]) -> None:
        """Save the config that was selected."""
        self._study.set_user_attr(SELECTED, dict(config))

    def _check(self) -> None:
        recorded = self._study.user_attrs.get(FINGERPRINT)
        if recorded is None:
            self._study.set_user_attr(FINGERPRINT, self.fingerprint)
        elif recorded != self.fingerprint:
            raise DataError(
                f"the study {self.path} belongs to other data, another split or another seed than this search; name "
                "another file, or remove it to start again"
            )


def read_settings(path: Path, model: str) -> Mapping[str, Any]:
    """The settings that a search selected for a model, or the best so far if it has not finished.

    Raises DataError if the study does not exist or has no completed trial.
    """
    if not path.is_file():
        raise DataError(f"there is no study {path}; `graphrec tune {model}` writes one")
    study = _open(path, model)
    if isinstance(study.user_attrs.get(SELECTED), dict):
        return dict(study.user_attrs[SELECTED])
    completed = _read_trials(path, study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    if not completed:
        raise DataError(f"no trial in the study {path} was completed; `graphrec tune {model}` resumes it")
    return max(completed, key=lambda trial: trial.quality.ndcg).settings


def fingerprint(name: str, graph: HeteroGraph, train: Interactions, validation: str, seed: int) -> str:
    """A hash of the model, the data, the held-out parts (`validation` is their digest) and the seed of a search."""
    digest = hashlib.sha256(f"{name} {seed} {validation}".encode())
    for values in (train.user_index, train.item_index, train.time):
        digest.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    for triple in graph.data.edge_types:
        digest.update(f"{triple} {graph.data[triple].edge_index.shape[1]}".encode())
    return digest.hexdigest()


class _Lock(BaseJournalFileLock):
    """A file lock that the system releases when the process is killed; after a kill Optuna's own locks wait 30 s."""

    def __init__(self, path: Path) -> None:
        self._lock = filelock.FileLock(f"{path}.write.lock")

    def acquire(self) -> bool:
        self._lock.acquire()
        return True

    def release(self) -> None:
        self._lock.release()


def _open(path: Path, model: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is not a file, so a study cannot be saved in it; name another")
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(_JOURNAL_START)) not in (_JOURNAL_START, b""):
                    raise _not_a_study(path)  # Optuna would append lines to any file
            _drop_torn_line(path)
        storage = JournalStorage(JournalFileBackend(str(path), _Lock(path)))
        names = optuna.get_all_study_names(storage)
        if names and model not in names:
            raise DataError(f"the study {path} belongs to {', '.join(names)}, not to {model}; name another file")
        return optuna.create_study(storage=storage, study_name=model, direction="maximize", load_if_exists=True)
    except OSError as error:
        raise GraphrecError(f"the study {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError, OptunaError) as error:
        raise _not_a_study(path) from error


def _not_a_study(path: Path) -> GraphrecError:
    return GraphrecError(
        f"{path} is not a study of this version of `graphrec tune`, or it is damaged; remove it, or name another file"
    )


def _read_trials(path: Path, frozen: Iterable[optuna.trial.FrozenTrial]) -> list[Trial]:
    """The trials of a study; GraphrecError if `graphrec tune` did not write them."""
    try:
        return [_read_trial(each) for each in frozen]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_a_study(path) from error


def _drop_torn_line(path: Path) -> None:
    """Truncate an incomplete last line, which a kill during a write leaves behind."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _read_trial(frozen: optuna.trial.FrozenTrial) -> Trial:
    attributes = frozen.user_attrs
    parts = {name: _read_quality(saved) for name, saved in attributes["parts"].items()}
    pruned = frozen.state == optuna.trial.TrialState.PRUNED
    stop_epoch = attributes.get("stop_epoch", 0)  # studies of earlier versions have none
    return Trial(attributes["config"], parts, attributes["seconds"], frozen.intermediate_values, pruned, stop_epoch)


def _as_json(quality: Quality) -> dict[str, Any]:  # numbers, and a list of them
    values = None if quality.values is None else quality.values.tolist()
    weighted = quality.ndcg_popularity_weighted
    return {"ndcg": quality.ndcg, "ndcg_popularity_weighted": weighted, "values": values}


def _read_quality(saved: Mapping[str, Any]) -> Quality:
    values = None if saved["values"] is None else np.array(saved["values"], dtype=np.float64)
    return Quality(float(saved["ndcg"]), float(saved["ndcg_popularity_weighted"]), values)


def _key(config: Mapping[str, Any]) -> str:
    return json.dumps(dict(config), sort_keys=True)
