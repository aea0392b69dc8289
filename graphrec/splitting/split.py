"""Interactions divided as a spec says, once or, by windows and folds, several times."""

from collections.abc import Iterable

import numpy as np

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting.from_files import chronological, from_files
from graphrec.splitting.grouped import cold, folds, last_events, random_by_user, random_pairs
from graphrec.splitting.spec import SplitSpec, parse_split
from graphrec.splitting.time_and_random import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    Labels,
    Split,
    divided,
    require_time,
    time_labels,
)
from graphrec.vocabulary import IndexArray, Vocabulary


def splits(
    spec: SplitSpec | str,
    interactions: Interactions,
    rng: np.random.Generator,
    users: Vocabulary | None = None,
    items: Vocabulary | None = None,
) -> tuple[Split, ...]:
    """The splits that a spec names: one, or as many as it has windows (the oldest first) or folds.

    A pair that occurs several times is in train and in test only where it is repeated at a later time; splits
    that are not by time keep all its rows together. Evaluation counts only items that are new to the user. A window
    leaves out what is later than its test part, files leave out what is in none of them.

    Args:
        users, items: the vocabularies, which ids in files are looked up in; other splits need none.

    Raises:
        UnknownNameError: there is no such split or option.
        DataError: times are needed and missing, a file does not fit, or a split would have nothing in train or test.
    """
    named = parse_split(spec) if isinstance(spec, str) else spec
    found = []
    for labels in _labels(named, interactions, rng, users, items):
        _require_parts(named, labels, interactions.time)
        ordered = named.name in ("time", "rolling") or (
            named.name == "files" and chronological(labels, interactions.time)
        )
        found.append(divided(interactions, labels, ordered))
    return tuple(found)


def _labels(
    spec: SplitSpec,
    interactions: Interactions,
    rng: np.random.Generator,
    users: Vocabulary | None,
    items: Vocabulary | None,
) -> Iterable[Labels]:
    shares = (spec.validation, spec.test)
    match spec.name:
        case "time" if spec.by_points:
            return [_by_points(require_time(interactions, "by time"), int(spec.validation), int(spec.test))]
        case "time":
            return [time_labels(require_time(interactions, "by time"), *shares)]
        case "rolling":
            return _rolling(require_time(interactions, "by rolling windows"), spec)
        case "leave-last-out":
            return [last_events(interactions, rng)]
        case "random":
            return [random_pairs(interactions, rng, *shares)]
        case "random-by-user":
            return [random_by_user(interactions, rng, *shares)]
        case "k-fold":
            return folds(interactions, rng, spec.folds, spec.validation)
        case "cold-items":
            return [cold(interactions.item_index, rng, *shares, "items")]
        case "cold-users":
            return [cold(interactions.user_index, rng, *shares, "users")]
    if users is None or items is None:
        raise DataError("a split from files looks ids up, so it needs the vocabularies of users and items")
    return [from_files(spec.files, interactions, rng, users, items)]


def _by_points(time: IndexArray, validation: int, test: int) -> Labels:
    labels = np.full(len(time), TRAIN, dtype=np.int8)
    labels[time >= validation] = VALIDATION
    labels[time >= test] = TEST
    return labels


def _rolling(time: IndexArray, spec: SplitSpec) -> Iterable[Labels]:
    """Windows whose test parts follow each other up to the end, each with validation just before it."""
    for later in reversed(range(spec.windows)):
        yield time_labels(time, spec.validation, spec.test, 1.0 - later * spec.test)


def _require_parts(spec: SplitSpec, labels: Labels, time: IndexArray | None) -> None:
    counts = np.bincount(labels, minlength=LEFT_OUT + 1)
    for part, name in ((TRAIN, "train"), (TEST, "test")):
        if not counts[part]:
            lies = ""
            if time is not None and len(time):
                first, last = (np.datetime_as_string(np.datetime64(int(t), "s")) for t in (time.min(), time.max()))
                lies = f", which lie between {first} and {last}"
            raise DataError(
                f"split {spec} leaves nothing in {name} of {len(labels):,} interactions{lies}; choose other shares or "
                "dates, or load more"
            )
