"""Trials kept in an Optuna study on disk, so that a search that was killed goes on where it stopped."""

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

#: Attributes of a study: what it is of, and the config that was chosen in the end.
OF, CHOSEN = "of", "chosen"

#: How a file of Optuna's journal begins.
_BEGINNING = b'{"op_code"'


class StudyFile:
    """The trials of one search, in a file that Optuna's own tools open; a context manager that keeps others out.

    Raises:
        DataError: the file is of another model, other data or another seed, or another process works on it.
        GraphrecError: it is no study, or cannot be written.
    """

    def __init__(self, path: Path, model: str, fingerprint: str) -> None:
        self.path, self.model, self.fingerprint = path, model, fingerprint
        self._lock = filelock.FileLock(f"{path}.lock", mode=0o600)

    def __enter__(self) -> "StudyFile":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise DataError(f"another process works on the study {self.path}; wait for it or name another") from error
        except OSError as error:
            raise GraphrecError(f"the study {self.path} cannot be written: {error.strerror or error}") from error
        try:
            self._study = _opened(self.path, self.model)
            self._check()
            if is_private(self.path.parent):
                restrict(self.path)
            self._known = {_key(trial.config): trial for trial in _trials(self.path, self._study.trials)}
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def find(self, config: Any) -> Trial | None:  # a config dataclass
        """The trial of a config that was tried before."""
        return self._known.get(_key(asdict(config)))

    def add(self, trial: Trial, params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]) -> None:
        """Keep a trial; `params` are its place in the space of the search, empty where it lies outside."""
        values = None if trial.quality.values is None else trial.quality.values.tolist()
        kept = {"config": dict(trial.config), "shifted": trial.quality.shifted, "values": values}
        frozen = optuna.trial.create_trial(
            state=optuna.trial.TrialState.PRUNED if trial.pruned else optuna.trial.TrialState.COMPLETE,
            value=trial.quality.plain,
            params=dict(params),
            distributions={name: distributions[name] for name in params},
            intermediate_values=dict(trial.steps),
            user_attrs={**kept, "seconds": trial.seconds},
        )
        self._study.add_trial(frozen)
        self._known[_key(trial.config)] = trial

    def finish(self, config: Mapping[str, Any]) -> None:
        """Keep what was chosen."""
        self._study.set_user_attr(CHOSEN, dict(config))

    def _check(self) -> None:
        found = self._study.user_attrs.get(OF)
        if found is None:
            self._study.set_user_attr(OF, self.fingerprint)
        elif found != self.fingerprint:
            raise DataError(
                f"the study {self.path} is of other data, another split or another seed than this search; name another "
                "file, or remove it to begin again"
            )


def chosen_settings(path: Path, model: str) -> Mapping[str, Any]:
    """The settings that a search for a model chose, or the best so far where it was not finished.

    Raises DataError where there is no such study, or nothing in it was tried to the end.
    """
    if not path.is_file():
        raise DataError(f"there is no study {path}; `graphrec tune {model}` makes one")
    study = _opened(path, model)
    if isinstance(study.user_attrs.get(CHOSEN), dict):
        return dict(study.user_attrs[CHOSEN])
    finished = _trials(path, study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
    if not finished:
        raise DataError(f"nothing was tried to the end in the study {path}; `graphrec tune {model}` goes on with it")
    return max(finished, key=lambda trial: trial.quality.plain).config


def fingerprint(name: str, graph: HeteroGraph, train: Interactions, validation: str, seed: int) -> str:
    """A text that another model, other data, another validation part (as it is told) or another seed would change."""
    digest = hashlib.sha256(f"{name} {seed} {validation}".encode())
    for values in (train.user_index, train.item_index, train.time):
        digest.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    for triple in graph.data.edge_types:
        digest.update(f"{triple} {graph.data[triple].edge_index.shape[1]}".encode())
    return digest.hexdigest()


class _Lock(BaseJournalFileLock):
    """A lock that the system gives back when a process is killed, which Optuna's own locks wait half a minute for."""

    def __init__(self, path: Path) -> None:
        self._lock = filelock.FileLock(f"{path}.write.lock")

    def acquire(self) -> bool:
        self._lock.acquire()
        return True

    def release(self) -> None:
        self._lock.release()


def _opened(path: Path, model: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"{path} is no file, so no study can be kept in it; name another")
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(_BEGINNING)) not in (_BEGINNING, b""):
                    raise _no_study(path)  # Optuna would add lines of its own to any file
            _drop_torn_line(path)
        storage = JournalStorage(JournalFileBackend(str(path), _Lock(path)))
        names = optuna.get_all_study_names(storage)
        if names and model not in names:
            raise DataError(f"the study {path} is of {', '.join(names)}, not of {model}; name another file")
        return optuna.create_study(storage=storage, study_name=model, direction="maximize", load_if_exists=True)
    except OSError as error:
        raise GraphrecError(f"the study {path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError, OptunaError) as error:
        raise _no_study(path) from error


def _no_study(path: Path) -> GraphrecError:
    return GraphrecError(f"{path} is no study of `graphrec tune`, or it is damaged; remove it, or name another file")


def _trials(path: Path, frozen: Iterable[optuna.trial.FrozenTrial]) -> list[Trial]:
    """The trials of a study; GraphrecError if they are not those of `graphrec tune`."""
    try:
        return [_trial(each) for each in frozen]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_study(path) from error


def _drop_torn_line(path: Path) -> None:
    """Cut off what a kill in the middle of writing has left behind the last whole line."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _trial(frozen: optuna.trial.FrozenTrial) -> Trial:
    kept = frozen.user_attrs
    values = None if kept["values"] is None else np.array(kept["values"], dtype=np.float64)
    pruned = frozen.state == optuna.trial.TrialState.PRUNED
    value = frozen.value if frozen.value is not None else 0.0
    quality = Quality(value, kept["shifted"], values)
    return Trial(kept["config"], quality, kept["seconds"], frozen.intermediate_values, pruned)


def _key(config: Mapping[str, Any]) -> str:
    return json.dumps(dict(config), sort_keys=True)
