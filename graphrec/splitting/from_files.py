"""Splits given as files: tables with the columns user_id and item_id, one for each part."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from graphrec.errors import DataError, first_few
from graphrec.interactions import Interactions
from graphrec.reading import read_table
from graphrec.splitting.grouped import label_pairs_at_random
from graphrec.splitting.time_and_random import LEFT_OUT, TEST, TRAIN, VALIDATION, Labels, label_by_time
from graphrec.vocabulary import IndexArray, Vocabulary

#: Share of the train file that becomes validation if there is no validation file.
VALIDATION_SHARE = 0.1


def label_from_files(
    paths: Sequence[str],
    interactions: Interactions,
    rng: np.random.Generator,
    users: Vocabulary,
    items: Vocabulary,
) -> Labels:
    """Labels of interactions whose pairs are in two files (train, test) or three (train, validation, test).

    All rows of a pair are in the part of its file; interactions in no file are left out. Without a validation file the
    last tenth of train by time is validation if all of train is before test, else a random tenth.

    Raises:
        DataError: a file is defective, has an id or a pair that the graph does not have, or a pair is in two files.
    """
    pairs = [_read_pairs(Path(path), interactions, users, items) for path in paths]
    for (one, first), (other, second) in combinations(zip(paths, pairs, strict=True), 2):
        both = np.intersect1d(first, second, assume_unique=True)
        if len(both):
            raise DataError(
                f"{len(both):,} pairs are in both {one} and {other} ({_describe_pairs(both, users, items)}); a pair "
                "belongs to one part, so remove it from one of them"
            )
    code = interactions.user_index * interactions.num_items + interactions.item_index
    labels = np.full(len(code), LEFT_OUT, dtype=np.int8)
    parts = (TRAIN, TEST) if len(paths) == 2 else (TRAIN, VALIDATION, TEST)
    for path, codes, part in zip(paths, pairs, parts, strict=True):
        missing = np.setdiff1d(codes, code)
        if len(missing):
            raise DataError(
                f"{path}: {len(missing):,} of {len(codes):,} pairs are not interactions of the graph "
                f"({_describe_pairs(missing, users, items)}); load them first, or name the behaviour in the file"
            )
        labels[np.isin(code, codes)] = part
    return labels if len(paths) == 3 else _add_validation(labels, interactions, rng)


def is_chronological(labels: Labels, time: IndexArray | None) -> bool:
    """Whether every interaction in train is earlier than all in validation and test; False without times."""
    if time is None:
        return False
    after = (labels == VALIDATION) | (labels == TEST)
    train = time[labels == TRAIN]
    return bool(after.any() and len(train) and train.max() < time[after].min())


def _add_validation(labels: Labels, interactions: Interactions, rng: np.random.Generator) -> Labels:
    rows = np.flatnonzero(labels == TRAIN)
    train = interactions.take(rows)
    if train.time is not None and is_chronological(labels, interactions.time):
        held_out = label_by_time(train.time, 0.0, VALIDATION_SHARE) == TEST
    else:
        held_out = label_pairs_at_random(train, rng, 0.0, VALIDATION_SHARE) == TEST
    labels = labels.copy()
    labels[rows[held_out]] = VALIDATION
    return labels


def _read_pairs(path: Path, interactions: Interactions, users: Vocabulary, items: Vocabulary) -> IndexArray:
    """The distinct pairs of a file as sorted codes `user · num_items + item`."""
    separator = "," if path.name.endswith((".csv", ".csv.gz")) else "\t"
    frame = read_table(path, {"user_id": "str", "item_id": "str"}, separator)
    try:
        user, item = users.index(frame["user_id"]), items.index(frame["item_id"])
    except DataError as error:
        raise DataError(f"{path}: {error}; load the source of these ids, or remove their rows") from error
    return np.unique(user * interactions.num_items + item)


def _describe_pairs(codes: IndexArray, users: Vocabulary, items: Vocabulary) -> str:
    shown = codes[:6]  # one more than `first_few` prints, so that it adds an ellipsis
    ends = zip(users.id(shown // len(items)), items.id(shown % len(items)), strict=True)
    return first_few(f"{user} → {item}" for user, item in ends)
