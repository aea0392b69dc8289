"""The policy of operation: when to retrain, what to publish, and when to roll back; a TOML file, or Python."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from graphrec.errors import DataError
from graphrec.tabular.parsing import read_toml
from graphrec.tabular.toml_section import TomlSection

_DURATION = re.compile(r"(\d{1,9})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

#: Keys of a TOML file whose values are durations such as 7d, in seconds in Python.
_DURATIONS = frozenset({"every", "age", "apart", "window", "baseline", "longest"})


@dataclass(frozen=True)
class RetrainPolicy:
    """When the model is trained again: if any of the first four is reached since the last training.

    events: number of new events of the target behaviour.
    unknown: share of the new events by users, or with items, that the last training did not know.
    drift: divergence of the items of new events from those of the training (`changes.measure_drift`), from 0 to 1.
    age: seconds since the last training, if there is a new event.
    least: number of new events from which on `unknown` and `drift` are measured.
    apart: seconds from the begin of one training to the next, at least.
    """

    events: int = 1_000
    unknown: float = 0.1
    drift: float = 0.2
    age: int = 7 * 86_400
    least: int = 100
    apart: int = 3_600


@dataclass(frozen=True)
class SearchPolicy:
    """When settings are searched anew instead of kept.

    every: seconds between full searches; 0: at every training.
    trials: settings tried beyond the model's own candidates; None: as `graphrec train`.
    """

    every: int = 30 * 86_400
    trials: int | None = None


@dataclass(frozen=True)
class PublishPolicy:
    """What is published; the fields are those of `graphrec publish`."""

    k: int = 10
    similar: int = 0
    embeddings: bool = False
    reasons: bool = False
    keep: int = 1
    rules: Path | None = None


@dataclass(frozen=True)
class WatchPolicy:
    """How clicks on a new run are compared with those on the run before it.

    clicks: behaviours that count as clicks; by default the strongest with times.
    window: seconds in which a behaviour after an impression counts as its click.
    baseline: seconds before the publication in which impressions of the run before count.
    longest: seconds after which the new run is kept if it is not worse.
    alpha, effect, users: of the sequential test (`evaluation.sequential.SequentialConfig`).
    split: share of users who stay with the run before while the new one is watched, so that both are compared at the
        same time (an online experiment); 0: the new run is compared with the time before it.
    """

    clicks: tuple[str, ...] = ()
    window: int = 86_400
    baseline: int = 28 * 86_400
    longest: int = 28 * 86_400
    alpha: float = 0.05
    effect: float = 0.2
    users: int = 100
    split: float = 0.0


@dataclass(frozen=True)
class OperationPolicy:
    """The whole policy.

    model: the model to train; "": that of the last training, at first graph_filter.
    relation: the behaviour to predict; "": that of the last training, at first the strongest.
    every: seconds between cycles of a process that keeps running.
    seed: seed of trainings.
    """

    model: str = ""
    relation: str = ""
    every: int = 600
    seed: int = 0
    retrain: RetrainPolicy = field(default_factory=RetrainPolicy)
    search: SearchPolicy = field(default_factory=SearchPolicy)
    publish: PublishPolicy = field(default_factory=PublishPolicy)
    watch: WatchPolicy = field(default_factory=WatchPolicy)

    def __post_init__(self) -> None:
        shares = {"retrain.unknown": self.retrain.unknown, "retrain.drift": self.retrain.drift}
        for name, value in {**shares, "watch.split": self.watch.split}.items():
            if not 0 <= value <= 1:
                raise DataError(f"{name} is a share from 0 to 1, not {value:g}")
        if self.watch.split == 1:
            raise DataError("watch.split is 1, so no user would get the new run; give a share below 1, such as 0.5")
        if not 0 < self.watch.alpha < 1 or not 0 < self.watch.effect <= 100:
            raise DataError("watch.alpha is between 0 and 1, and watch.effect above 0 and at most 100")
        least = {
            "every": (self.every, 1),
            "retrain.events": (self.retrain.events, 1),
            "retrain.least": (self.retrain.least, 1),
            "publish.k": (self.publish.k, 1),
            "publish.keep": (self.publish.keep, 1),
            "watch.window": (self.watch.window, 1),
            "watch.users": (self.watch.users, 2),
        }
        for name, (number, smallest) in least.items():
            if number < smallest:
                raise DataError(f"{name} is {number}, and must be at least {smallest}")


def read_policy(path: Path) -> OperationPolicy:
    """The policy in a TOML file.

    Raises DataError if the file cannot be read, is not TOML, or has an unknown key or a value of another type.
    """
    return parse_policy(read_toml(path), path)


def parse_policy(values: Mapping[str, Any], path: Path) -> OperationPolicy:  # Any: TOML values
    """The policy in a mapping of the form of a TOML file; `path` names it in messages, and relative paths start at its
    folder."""
    top = TomlSection.of(path, "", dict(values))
    standard = OperationPolicy()
    parts = {name: getattr(standard, name) for name in ("retrain", "search", "publish", "watch")}
    plain = _parse_fields(top, standard, parts)
    found: dict[str, Any] = {
        name: type(default)(**_parse_fields(TomlSection.of(path, name, top.section(name).values), default))
        for name, default in parts.items()
    }
    rules = found["publish"].rules
    if rules is not None:
        found["publish"] = replace(found["publish"], rules=path.parent / rules)
    return OperationPolicy(**plain, **found)


def _parse_fields(section: TomlSection, default: Any, parts: Mapping[str, object] = {}) -> dict[str, Any]:
    """The values of the fields of a dataclass of the policy, checked against the types of its defaults."""
    names = [each.name for each in fields(default) if each.name not in parts]
    section.require_known([*names, *parts])
    found: dict[str, Any] = {}
    for name in names:
        standard = getattr(default, name)
        if not section.has(name):
            found[name] = standard
        elif name in _DURATIONS:
            found[name] = _parse_duration(section, name)
        elif name == "rules":
            found[name] = Path(section.text(name))
        elif isinstance(standard, bool):
            found[name] = section.flag(name, standard)
        elif isinstance(standard, tuple):
            found[name] = section.texts(name)
        elif isinstance(standard, str):
            found[name] = section.text(name)
        elif isinstance(standard, float):
            found[name] = section.number(name, standard)
        else:
            found[name] = section.whole(name, 0)
            if found[name] < 0:
                raise section.error(name, "must not be negative")
    return found


def _parse_duration(section: TomlSection, key: str) -> int:
    """Seconds of a text such as 7d, 12h, 90m or 10s."""
    match = _DURATION.fullmatch(section.text(key, may_be_empty=True))
    if match is None:
        raise section.error(key, "must be a number of seconds, minutes, hours, days or weeks: 10s, 90m, 12h, 30d or 2w")
    return int(match[1]) * _SECONDS[match[2]]
