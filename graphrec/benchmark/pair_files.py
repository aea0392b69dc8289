"""Readers of published splits whose files have one pair of user and item per line, numbered from 0."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from graphrec.benchmark.readers import RATED, PublishedSplit, assemble_graph
from graphrec.errors import DataError
from graphrec.evaluation.assembly import edges_of
from graphrec.interactions import Interactions
from graphrec.reading import Kind, find, read_table

#: The types of the columns of a pair.
PAIR: dict[str, Kind] = {"user": "int", "item": "int"}


def read_ml_100k_gan(folder: Path) -> PublishedSplit:
    """MovieLens 100K in CFGAN's split, `cfgan_train.txt` and `cfgan_test.txt`: all ratings count, without times.

    Raises DataError for defective files.
    """
    names = [*PAIR, "rating"]
    paths = [find(folder, f"cfgan_{part}.txt") for part in ("train", "test")]
    train, test = _number(
        folder, [read_table(path, PAIR, " ", header=names, quoting=False).drop_duplicates() for path in paths]
    )
    return PublishedSplit(assemble_graph(train, [edges_of(RATED, train)]), train, test)


def read_ml_1m_diffrec(folder: Path) -> PublishedSplit:
    """MovieLens 1M in DiffRec's split, `train.csv`, `valid.csv` and `test.csv`: ratings of 4 and 5, without times.

    Each history is cut by time; validation is the middle part. Raises DataError for defective files.
    """
    paths = [find(folder, f"{part}.csv") for part in ("train", "test", "valid")]
    train, test, validation = _number(folder, [read_table(path, PAIR) for path in paths])
    split = PublishedSplit(assemble_graph(train, [edges_of(RATED, train)]), train, test)
    return replace(split, validation=validation)


def _number(folder: Path, parts: list[pd.DataFrame]) -> list[Interactions]:
    """The interactions of tables with the columns user and item, over the users and items of all of them."""
    columns = {name: [part[name].to_numpy(np.int64) for part in parts] for name in PAIR}
    if min(int(column.min(initial=0)) for each in columns.values() for column in each) < 0:
        raise DataError(f"{folder}: users and items must be numbered from 0; copy or download the files again")
    size = {name: 1 + max(int(column.max(initial=-1)) for column in each) for name, each in columns.items()}
    return [
        Interactions(user, item, size["user"], size["item"])
        for user, item in zip(columns["user"], columns["item"], strict=True)
    ]
