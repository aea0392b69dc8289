"""Splits given as files: tables with the columns user_id and item_id, one for each part."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from graphrec.errors import DataError, first_few
from graphrec.interactions import Interactions
from graphrec.reading import read_table
from graphrec.splitting.grouped import random_pairs
from graphrec.splitting.time_and_random import LEFT_OUT, TEST, TRAIN, VALIDATION, Labels, time_labels
from graphrec.vocabulary import IndexArray, Vocabulary

#: Of a train part without a validation file, the share that becomes validation.
VALIDATION_SHARE = 0.1


def from_files(
    paths: Sequence[str],
    interactions: Interactions,
    rng: np.random.Generator,
    users: Vocabulary,
    items: Vocabulary,
) -> Labels:
    """The labels of interactions whose pairs are in two files (train, test) or three (train, validation, test).

    All rows of a pair come to the part of its file; interactions in none of the files are left out. Without a
    validation file the last tenth of train by time is validation where train lies before test, else a random tenth.

    Raises:
        DataError: a file is defective, has an id that the graph has not or a pair that is no interaction of the graph,
            or a pair is in two files.
    """
    pairs = [_read(Path(path), interactions, users, items) for path in paths]
    for (one, first), (other, second) in combinations(zip(paths, pairs, strict=True), 2):
        both = np.intersect1d(first, second, assume_unique=True)
        if len(both):
            raise DataError(
                f"{len(both):,} pairs are in both {one} and {other} ({_named(both, users, items)}); a pair "
                "belongs to one part, so take it out of one of them"
            )
    code = interactions.user_index * interactions.num_items + interactions.item_index
    labels = np.full(len(code), LEFT_OUT, dtype=np.int8)
    parts = (TRAIN, TEST) if len(paths) == 2 else (TRAIN, VALIDATION, TEST)
    for path, wanted, part in zip(paths, pairs, parts, strict=True):
        missing = np.setdiff1d(wanted, code)
        if len(missing):
            raise DataError(
                f"{path}: {len(missing):,} of {len(wanted):,} pairs are no interactions of the graph "
                f"({_named(missing, users, items)}); load them first, or name the behaviour that the file is about"
            )
        labels[np.isin(code, wanted)] = part
    return labels if len(paths) == 3 else _with_validation(labels, interactions, rng)


def chronological(labels: Labels, time: IndexArray | None) -> bool:
    """Whether everything in train is earlier than everything in validation and test."""
    if time is None:
        return False
    after = (labels == VALIDATION) | (labels == TEST)
    train = time[labels == TRAIN]
    return bool(after.any() and len(train) and train.max() < time[after].min())


def _with_validation(labels: Labels, interactions: Interactions, rng: np.random.Generator) -> Labels:
    rows = np.flatnonzero(labels == TRAIN)
    train = interactions.take(rows)
    if train.time is not None and chronological(labels, interactions.time):
        held = time_labels(train.time, 0.0, VALIDATION_SHARE) == TEST
    else:
        held = random_pairs(train, rng, 0.0, VALIDATION_SHARE) == TEST
    found = labels.copy()
    found[rows[held]] = VALIDATION
    return found


def _read(path: Path, interactions: Interactions, users: Vocabulary, items: Vocabulary) -> IndexArray:
    """The pairs of a file as sorted codes, each once."""
    separator = "," if path.name.endswith((".csv", ".csv.gz")) else "\t"
    frame = read_table(path, {"user_id": "str", "item_id": "str"}, separator)
    try:
        user, item = users.index(frame["user_id"]), items.index(frame["item_id"])
    except DataError as error:
        raise DataError(f"{path}: {error}; load the source of them, or take their rows out of the file") from error
    return np.unique(user * interactions.num_items + item)


def _named(codes: IndexArray, users: Vocabulary, items: Vocabulary) -> str:
    shown = codes[:6]  # one more than an example shows, to know whether there are more
    ends = zip(users.id(shown // len(items)), items.id(shown % len(items)), strict=True)
    return first_few(f"{user} → {item}" for user, item in ends)
