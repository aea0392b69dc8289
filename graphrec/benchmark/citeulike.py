"""CiteULike-a with cold items, in the split of ALDI's code: articles that users saved, and who cites whom."""

import gzip
from pathlib import Path

import numpy as np

from graphrec.benchmark.readers import PublishedSplit, assemble_graph
from graphrec.errors import DataError
from graphrec.evaluation.assembly import EdgeArrays, edges_of
from graphrec.interactions import Interactions
from graphrec.reading import find, read_table
from graphrec.schema import ITEM, USER, Triple
from graphrec.vocabulary import IndexArray

SAVED: Triple = (USER, "SAVED", ITEM)
CITES: Triple = (ITEM, "CITES", ITEM)

#: Numbers of users and articles.
NUM_USERS, NUM_ITEMS = 5_551, 16_980


def read_citeulike_cold(folder: Path, num_users: int = NUM_USERS, num_items: int = NUM_ITEMS) -> PublishedSplit:
    """The split with warm and cold parts; validation has the cold items of validation, test those of test.

    Train is `aldi_warm_emb`; validation and test are their warm pairs and their cold ones. Tags are left out: users who
    saved an article gave them, so those of a cold article reveal held-out pairs. Raises DataError for defective
    files.
    """
    parts = {}
    for name in ("warm_emb", "warm_val", "warm_test", "cold_item_val", "cold_item_test"):
        rows = read_table(find(folder, f"aldi_{name}.csv.gz"), {"user": "int", "item": "int"})
        user, item = (rows[column].to_numpy(np.int64) for column in ("user", "item"))
        if len(rows) and not (min(user.min(), item.min()) >= 0 and user.max() < num_users and item.max() < num_items):
            raise DataError(f"{folder / f'aldi_{name}.csv.gz'}: a user or an article is out of range")
        parts[name] = Interactions(user, item, num_users, num_items)
    train = parts["warm_emb"]
    source, target = _read_citations(find(folder, "citations.dat.gz"), num_items)
    graph = assemble_graph(train, [edges_of(SAVED, train), EdgeArrays(CITES, source, target)])
    cold = np.union1d(parts["cold_item_val"].item_index, parts["cold_item_test"].item_index)
    test = _join(parts["warm_test"], parts["cold_item_test"])
    return PublishedSplit(graph, train, test, None, _join(parts["warm_val"], parts["cold_item_val"]), cold)


def _join(first: Interactions, second: Interactions) -> Interactions:
    user = np.concatenate([first.user_index, second.user_index])
    item = np.concatenate([first.item_index, second.item_index])
    return Interactions(user, item, first.num_users, first.num_items)


def _read_citations(path: Path, num_items: int) -> tuple[IndexArray, IndexArray]:
    """The ends [n] of each citation, from a line `count article article …` for each article. Raises DataError."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
        rows = [np.array(line.split(), dtype=np.int64) for line in lines]
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} is no list of citations: {error}") from error
    if len(rows) != num_items or any(len(row) == 0 or row[0] != len(row) - 1 for row in rows):
        raise DataError(f"{path} needs a line `count article …` for each of {num_items:,} articles")
    source = np.repeat(np.arange(num_items), [len(row) - 1 for row in rows])
    target = np.concatenate([row[1:] for row in rows])
    if len(target) and not (target.min() >= 0 and target.max() < num_items):
        raise DataError(f"{path}: a cited article is out of range")
    return source, target
