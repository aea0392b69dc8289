"""Readers of sequence data sets, whose files have histories in the order of time: the last item of each is for testing.

All have one line `user item item …` per user, numbered from 1, and no times: `time` is the position in the history, 0
for the oldest interaction, and can be compared only within a history.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graphrec.benchmark.lightgcn_format import read_lines
from graphrec.benchmark.readers import (
    HAS_GENDER,
    HAS_OCCUPATION,
    IN_AGE_GROUP,
    IN_GENRE,
    RATED,
    PublishedSplit,
    assemble_graph,
    number_within,
)
from graphrec.errors import DataError
from graphrec.evaluation.assembly import EdgeArrays, edges_of
from graphrec.interactions import Interactions
from graphrec.reading import Kind, find, has, read_table
from graphrec.reading.files import open_file
from graphrec.schema import ITEM, Triple

HAS_ATTRIBUTE: Triple = (ITEM, "HAS_ATTRIBUTE", "Attribute")
HAS_WORD: Triple = (ITEM, "HAS_WORD", "Word")

#: Edges of an attribute relation with the ids of the attribute's nodes.
Attribute = tuple[EdgeArrays, list[str]]


def read_sequences(folder: Path) -> PublishedSplit:
    """Amazon Beauty as BERT4Rec has it, `sequences.txt`: histories only."""
    return split_last(read_histories(find(folder, "sequences.txt")), RATED)


def read_s3rec(folder: Path, name: str, behaviour: Triple = RATED) -> PublishedSplit:
    """A data set of S3-Rec, `NAME.txt`, with its attributes (categories and brands; tags), and words if it has them.

    `NAME_item2attributes.json` has the attributes of items: HAS_ATTRIBUTE edges, each once. `NAME_items.csv` has words
    of titles and descriptions: HAS_WORD edges; a number at the end of the words is left out, since the file has it only
    so that no two items have the same words.
    """
    interactions = read_histories(find(folder, f"{name}.txt"))
    attributes = [_read_attributes(find(folder, f"{name}_item2attributes.json"), interactions.num_items)]
    if has(folder, f"{name}_items.csv"):
        attributes.append(_read_words(find(folder, f"{name}_items.csv"), interactions.num_items))
    return split_last(interactions, behaviour, attributes)


def read_ml_1m(folder: Path) -> PublishedSplit:
    """MovieLens 1M as SASRec has it, `sequences.txt`, with genres and user attributes.

    Films with fewer than five ratings are not in the file. Ages are those of the file, each the lowest of its group.
    """
    interactions = read_histories(find(folder, "sequences.txt"))
    columns: dict[str, Kind] = {"sasrec_id": "int?", "genres": "str"}
    films = read_table(find(folder, "movies.csv"), columns).dropna()
    genres = films.assign(value=films["genres"].str.split("|")).explode("value")
    columns = {"sasrec_id": "int", "gender": "str", "age": "str", "occupation": "str"}
    users = read_table(find(folder, "users.csv"), columns)
    attributes = [_link(IN_GENRE, genres["sasrec_id"], genres["value"])]
    for triple, column in ((HAS_GENDER, "gender"), (HAS_OCCUPATION, "occupation"), (IN_AGE_GROUP, "age")):
        attributes.append(_link(triple, users["sasrec_id"], users[column]))
    return split_last(interactions, RATED, attributes)


def read_ml_1m_ncf(folder: Path) -> PublishedSplit:
    """MovieLens 1M in NCF's split, whose test item of each user has 99 sampled negatives.

    Train is all pairs of `pairs_in_ratings_dat_order.csv` without those of test; time is the position in
    `sequences.txt`, from 1, and 0 for the films that this file lacks. Negatives that are the test item are left out.
    """
    pairs = read_table(find(folder, "pairs_in_ratings_dat_order.csv"), {"user": "int", "movie": "int"})
    names: dict[str, Kind] = {"movielens_id": "int", "sasrec_id": "int?", "ncf_id": "int?"}
    films, users = (read_table(find(folder, f"{name}.csv"), names).set_index("movielens_id")
                    for name in ("movies", "users"))  # fmt: skip
    user, item = (
        ids["ncf_id"].loc[pairs[name]].to_numpy(np.int64) for ids, name in ((users, "user"), (films, "movie"))
    )
    histories = read_histories(find(folder, "sequences.txt"))
    position = pd.Series(
        number_within(histories.user_index) + 1,
        pd.MultiIndex.from_arrays([histories.user_index + 1, histories.item_index + 1]),
    )
    place = pd.MultiIndex.from_arrays(
        [
            users["sasrec_id"].loc[pairs["user"]].to_numpy(np.int64),
            films["sasrec_id"].loc[pairs["movie"]].fillna(0).to_numpy(np.int64),
        ]
    )
    time = position.reindex(place, fill_value=0).to_numpy()
    everything = Interactions(user, item, int(user.max()) + 1, int(item.max()) + 1, time=time)
    test_item, negatives = _read_negatives(find(folder, "ncf_test.negative"))
    is_test = item == test_item.reindex(user, fill_value=-1).to_numpy()
    test = everything.take(is_test)
    if sorted(test.user_index) != sorted(test_item.index):
        raise DataError(f"{folder}: {len(test):,} of {len(test_item):,} test pairs are rated; copy the files again")
    split = _assemble(everything.take(~is_test), test, RATED)
    return replace(split, negatives=negatives.loc[test.user_index].to_numpy(np.int64))


def read_histories(path: Path) -> Interactions:
    """The interactions of a file with one line `user item item …` per user, numbered from 1, the oldest item first.

    Raises DataError if the file is missing or defective.
    """
    users, items = read_lines(path)
    if not len(users) or min(users.min(), items.min()) < 1:
        raise DataError(f"{path}: users and items must be numbered from 1; copy or download it again")
    time = number_within(users)
    return Interactions(users - 1, items - 1, int(users.max()), int(items.max()), time=time)


def split_last(
    interactions: Interactions, behaviour: Triple, attributes: list[Attribute] | None = None
) -> PublishedSplit:
    """The split whose test part is the last interaction of each user with at least two, by positions as times."""
    degree = interactions.user_degree()[interactions.user_index]
    is_last = (interactions.time == degree - 1) & (degree >= 2)
    return _assemble(interactions.take(~is_last), interactions.take(is_last), behaviour, attributes or [])


def _assemble(
    train: Interactions, test: Interactions, behaviour: Triple, attributes: list[Attribute] | None = None
) -> PublishedSplit:
    attributes = attributes or []
    nodes: Mapping[str, int | list[str]] = {edges.triple[2]: ids for edges, ids in attributes}
    edges = [edges_of(behaviour, train), *(edges for edges, _ in attributes)]
    return PublishedSplit(assemble_graph(train, edges, nodes), train, test)


def _read_negatives(path: Path) -> "tuple[pd.Series[int], pd.DataFrame]":
    """The test item of each user, and the users' sampled items, -1 instead of the test item; both indexed by user.

    Lines are `(0,25)`, which is the user and the test item, and 99 items, separated by tabs.
    """
    columns: dict[str, Kind] = {"pair": "str"}
    columns |= {f"item{number}": "int" for number in range(1, 100)}
    rows = read_table(path, columns, "\t", header=list(columns), quoting=False)
    pair = rows["pair"].str.extract(r"^\((\d+),(\d+)\)$")
    if pair.isna().any(axis=None):
        raise DataError(f"{path}: a line does not begin with (user,item); copy or download it again")
    user, item = (pair[position].astype("int64") for position in (0, 1))
    negatives = rows.drop(columns="pair").set_axis(user)
    return item.set_axis(user), negatives.where(negatives.ne(item.to_numpy(), axis=0), -1)


def _read_attributes(path: Path, num_items: int) -> Attribute:
    """HAS_ATTRIBUTE edges of a JSON object of items, numbered from 1, with lists of attributes."""
    try:
        with open_file(path) as stream:
            listed = {int(item): values for item, values in json.load(stream).items()}
        item = np.repeat(np.array(list(listed), dtype=np.int64), [len(values) for values in listed.values()])
        value = np.array([value for values in listed.values() for value in values], dtype=np.int64)
    except (OSError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not an object of items with lists of attributes; download it again") from error
    known = item <= num_items
    return _link(HAS_ATTRIBUTE, pd.Series(item[known]), pd.Series(value[known]))


def _read_words(path: Path, num_items: int) -> Attribute:
    """HAS_WORD edges of a table with item, numbered from 1, and words."""
    rows = read_table(path, {"item": "int", "words": "str?"})
    rows = rows[rows["item"] <= num_items].dropna()
    texts = rows["words"].str.lower().str.replace(r"\s+\d+\s*$", "", regex=True)
    words = texts.str.findall(r"\w+").set_axis(rows["item"]).explode().dropna()
    return _link(HAS_WORD, pd.Series(words.index), words)


def _link(triple: Triple, item: "pd.Series[int]", value: "pd.Series[Any]") -> Attribute:  # numbers or texts
    """The edges of users or items, numbered from 1, with their values, each once; and the values as ids of nodes."""
    pairs = pd.DataFrame({"item": item.to_numpy(np.int64) - 1, "value": value.to_numpy()}).drop_duplicates()
    codes, values = pd.factorize(pairs["value"], sort=True)
    return EdgeArrays(triple, pairs["item"].to_numpy(), codes.astype(np.int64)), [str(each) for each in values]
