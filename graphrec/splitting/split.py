"""Splits interactions as a spec says: one split, or one for each window or fold."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from graphrec.errors import DataError
from graphrec.interactions import Interactions
from graphrec.splitting.following import mark_next
from graphrec.splitting.from_files import is_chronological, label_from_files
from graphrec.splitting.grouped import label_by_user, label_cold, label_folds, label_last_events, label_pairs_at_random
from graphrec.splitting.spec import BY_TIMES, SplitSpec, parse_split
from graphrec.splitting.time_and_random import (
    LEFT_OUT,
    TEST,
    TRAIN,
    VALIDATION,
    Labels,
    Split,
    divide,
    label_by_time,
    require_time,
)
from graphrec.vocabulary import IndexArray, Vocabulary


def splits(
    spec: SplitSpec | str,
    interactions: Interactions,
    rng: np.random.Generator,
    users: Vocabulary | None = None,
    items: Vocabulary | None = None,
) -> tuple[Split, ...]:
    """The splits that a spec names: one, or one for each window (the oldest first) or fold.

    A pair that occurs several times is in train and in test only if it is repeated at a later time; splits that are
    not by time keep all its rows together. Evaluation counts only items that are new to the user. A window leaves out
    interactions later than its test part, the next item and the next basket those that follow it, files those that are
    in no file.

    Args:
        users, items: the vocabularies to look up ids of files; other splits do not need them.

    Raises:
        UnknownNameError: the split or an option does not exist.
        DataError: times are needed and missing, a file does not match, or train or test would be empty.
    """
    parsed = parse_split(spec) if isinstance(spec, str) else spec
    found = []
    for labels in _label(parsed, interactions, rng, users, items):
        _require_parts(parsed, labels, interactions.time)
        chronological = parsed.name in (*BY_TIMES, "rolling") or (
            parsed.name == "files" and is_chronological(labels, interactions.time)
        )
        if parsed.name in ("next-item", "next-basket"):
            found.append(_divide_next(interactions, labels, rng, parsed.hours if "basket" in parsed.name else None))
        else:
            found.append(divide(interactions, labels, chronological))
    return tuple(found)


def _divide_next(interactions: Interactions, labels: Labels, rng: np.random.Generator, hours: int | None) -> Split:
    """The Split of labels by time whose test part is the next item or basket of each user; so is what validation
    measures, but a model that is tested is fitted to all of validation."""
    measured = mark_next(interactions, labels == VALIDATION, rng, hours)
    is_test = mark_next(interactions, labels == TEST, rng, hours)
    split = divide(interactions, np.where((labels == TEST) & ~is_test, LEFT_OUT, labels).astype(np.int8), True)
    return replace(split, measured=interactions.take(measured))


def _label(
    spec: SplitSpec,
    interactions: Interactions,
    rng: np.random.Generator,
    users: Vocabulary | None,
    items: Vocabulary | None,
) -> Iterable[Labels]:
    shares = (spec.validation, spec.test)
    match spec.name:
        case name if name in BY_TIMES and spec.by_points:
            return [_label_by_points(require_time(interactions, "by time"), int(spec.validation), int(spec.test))]
        case name if name in BY_TIMES:
            return [label_by_time(require_time(interactions, "by time"), *shares)]
        case "rolling":
            return _label_windows(require_time(interactions, "by rolling windows"), spec)
        case "leave-last-out":
            return [label_last_events(interactions, rng)]
        case "leave-two-out":
            return [label_last_events(interactions, rng, 2)]
        case "random":
            return [label_pairs_at_random(interactions, rng, *shares)]
        case "random-by-user":
            return [label_by_user(interactions, rng, *shares)]
        case "k-fold":
            return label_folds(interactions, rng, spec.folds, spec.validation)
        case "cold-items":
            return [label_cold(interactions.item_index, rng, *shares, "items")]
        case "cold-users":
            return [label_cold(interactions.user_index, rng, *shares, "users")]
    if users is None or items is None:
        raise DataError("a split from files needs the vocabularies of users and items, to look up the ids")
    return [label_from_files(spec.files, interactions, rng, users, items)]


def _label_by_points(time: IndexArray, validation: int, test: int) -> Labels:
    labels = np.full(len(time), TRAIN, dtype=np.int8)
    labels[time >= validation] = VALIDATION
    labels[time >= test] = TEST
    return labels


def _label_windows(time: IndexArray, spec: SplitSpec) -> Iterable[Labels]:
    """Labels for each window: consecutive test parts up to the end, each with validation directly before it."""
    for later in reversed(range(spec.windows)):
        yield label_by_time(time, spec.validation, spec.test, 1.0 - later * spec.test)


def _require_parts(spec: SplitSpec, labels: Labels, time: IndexArray | None) -> None:
    counts = np.bincount(labels, minlength=LEFT_OUT + 1)
    for part, name in ((TRAIN, "train"), (TEST, "test")):
        if not counts[part]:
            between = ""
            if time is not None and len(time):
                first, last = (np.datetime_as_string(np.datetime64(int(t), "s")) for t in (time.min(), time.max()))
                between = f", which are between {first} and {last}"
            raise DataError(
                f"split {spec} leaves nothing in {name} of {len(labels):,} interactions{between}; choose other "
                "shares or dates, or load more"
            )
