"""Readers of published splits, one function per data set: training part, test part and graph."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphrec.benchmark.lightgcn_format import read_pairs
from graphrec.errors import DataError
from graphrec.evaluation.assembly import EdgeArrays, assemble, edges_of
from graphrec.hetero import HeteroGraph
from graphrec.interactions import Interactions
from graphrec.reading import Kind, find, read_table
from graphrec.schema import ITEM, USER, Triple
from graphrec.vocabulary import IndexArray

INTERACTED: Triple = (USER, "INTERACTED", ITEM)
LISTENED: Triple = (USER, "LISTENED", ITEM)
TAGGED: Triple = (USER, "TAGGED", ITEM)
VIEWED: Triple = (USER, "VIEWED", ITEM)
CARTED: Triple = (USER, "CARTED", ITEM)
PURCHASED: Triple = (USER, "PURCHASED", ITEM)
RATED: Triple = (USER, "RATED", ITEM)
FOLLOWS: Triple = (USER, "FOLLOWS", USER)
FRIEND: Triple = (USER, "FRIEND", USER)
TRUSTS: Triple = (USER, "TRUSTS", USER)
SHARES_PROPERTY: Triple = (ITEM, "SHARES_PROPERTY", ITEM)
IN_GENRE: Triple = (ITEM, "IN_GENRE", "Genre")
HAS_OCCUPATION: Triple = (USER, "HAS_OCCUPATION", "Occupation")
HAS_GENDER: Triple = (USER, "HAS_GENDER", "Gender")
IN_AGE_GROUP: Triple = (USER, "IN_AGE_GROUP", "AgeGroup")

#: Minimum share of Last.fm's training pairs whose play count is found in the HetRec files.
MIN_MATCHED = 0.99


@dataclass(frozen=True, eq=False)
class PublishedSplit:
    """A split as read from its files: the graph of everything but the test part, and both parts.

    negatives: items [len(test), n] sampled for each test interaction, -1 for an empty place; None without them.
    validation: the author's validation part; None if the split has none.
    cold_items: items [n] that are in no training interaction by design of the split; None if it has none.
    """

    graph: HeteroGraph
    train: Interactions
    test: Interactions
    negatives: IndexArray | None = None
    validation: Interactions | None = None
    cold_items: IndexArray | None = None


def read_text_split(train: Path, test: Path, social: Path | None = None) -> PublishedSplit:
    """A split in LightGCN's text format, with FOLLOWS edges if `social` is given."""
    follows = read_pairs(social) if social is not None else None
    num_users = max(follows.num_users, follows.num_items) if follows else 0
    train_pairs, test_pairs = _align_sizes(read_pairs(train), read_pairs(test), num_users=num_users)
    edges = [edges_of(INTERACTED, train_pairs), *([edges_of(FOLLOWS, follows)] if follows else [])]
    return PublishedSplit(assemble_graph(train_pairs, edges), train_pairs, test_pairs)


def read_lightgcn_split(folder: Path) -> PublishedSplit:
    """Gowalla or Yelp2018, the split of NGCF and LightGCN."""
    return read_text_split(find(folder, "train.txt"), find(folder, "test.txt"))


def read_douban_book_social(folder: Path) -> PublishedSplit:
    """Douban-Book, the split of GBSR, with FOLLOWS edges between readers."""
    return read_text_split(find(folder, "train.txt"), find(folder, "test.txt"), find(folder, "social.txt"))


def read_lastfm(folder: Path) -> PublishedSplit:
    """Last.fm (HetRec 2011) in the split of LightGCN's code, with friends and tags.

    The split renumbers users and artists without a mapping. Users are the positions of the sorted ids, which their play
    counts and the 25,434 friend edges confirm. An artist of the split is matched to the artist for which most of its
    training pairs have the same play count in `user_artists.dat`; on a tie it is left without tags. Test pairs are not
    used for the mapping. Raises DataError if fewer than 99 % of the training pairs are found among the play counts.
    """
    columns: dict[str, Kind] = {"user": "int", "item": "int", "count": "float"}  # two counts are written 3.2466e+05
    train_rows, test_rows = (
        read_table(find(folder, f"lightgcn_{name}1.txt"), columns, "\t", header=list(columns), quoting=False)
        for name in ("data", "test")
    )
    pair: dict[str, Kind] = {"user": "int", "friend": "int"}
    friends = read_table(find(folder, "lightgcn_trustnetwork.txt"), pair, "\t", header=list(pair), quoting=False) - 1
    train, test = _align_sizes(
        _make_interactions(train_rows["user"] - 1, train_rows["item"] - 1),
        _make_interactions(test_rows["user"] - 1, test_rows["item"] - 1),
        num_users=int(friends.to_numpy().max()) + 1,
    )
    friends = friends[friends["user"] < friends["friend"]].drop_duplicates()  # each friendship once
    tagged = _read_tags(folder, train_rows)
    edges = [
        edges_of(LISTENED, train),
        EdgeArrays(FRIEND, friends["user"].to_numpy(), friends["friend"].to_numpy()),
        EdgeArrays(
            TAGGED, tagged["user"].to_numpy(), tagged["item"].to_numpy(), {"tag": tagged["tag"].to_numpy(object)}
        ),
    ]
    return PublishedSplit(assemble_graph(train, edges), train, test)


def read_tmall(folder: Path) -> PublishedSplit:
    """Tmall, the split of MBCGCN: predicts purchases; the graph has the training parts of views and carts."""
    bought, test = read_pairs(find(folder, "buy_train.txt")), read_pairs(find(folder, "buy_test.txt"))
    viewed, carted = (read_pairs(find(folder, f"{name}_train.txt")) for name in ("view", "cart"))
    train, test, viewed, carted = _align_sizes(bought, test, viewed, carted)
    edges = [edges_of(PURCHASED, train), edges_of(CARTED, carted), edges_of(VIEWED, viewed)]
    return PublishedSplit(assemble_graph(train, edges), train, test)


def read_retailrocket(folder: Path) -> PublishedSplit:
    """RetailRocket, the split of SSLRec: predicts purchases; the graph has times, views, carts and item properties.

    `kg.txt` links items that share a property ("6 0 285"), in both directions; self-loops are dropped.
    """
    columns: dict[str, Kind] = {"user": "int", "item": "int", "value": "int"}
    views, carts, buys = (read_table(find(folder, f"train_{name}.csv"), columns) for name in ("view", "cart", "buy"))
    test_rows = read_table(find(folder, "test.csv"), {"user": "int", "item": "int"})
    names: dict[str, Kind] = {"item": "int", "property": "int", "other": "int"}
    links = read_table(find(folder, "kg.txt"), names, " ", header=list(names), quoting=False)
    links = links[links["item"] != links["other"]].drop_duplicates()
    train, test, viewed, carted = _align_sizes(
        *(
            _make_interactions(frame["user"], frame["item"], time=frame.get("value"))
            for frame in (buys, test_rows, views, carts)
        ),
        num_items=int(links[["item", "other"]].to_numpy().max(initial=-1)) + 1,
    )
    shared = {"property": links["property"].to_numpy()}
    edges = [
        *(edges_of(kind, part) for kind, part in ((PURCHASED, train), (CARTED, carted), (VIEWED, viewed))),
        EdgeArrays(SHARES_PROPERTY, links["item"].to_numpy(), links["other"].to_numpy(), shared),
    ]
    return PublishedSplit(assemble_graph(train, edges), train, test)


def read_ml_100k(folder: Path, fold: int) -> PublishedSplit:
    """MovieLens 100K, one of its five folds: predicts ratings; the graph has genres and user attributes.

    Ages are grouped by ten years.
    """
    columns: dict[str, Kind] = {"user": "int", "item": "int", "rating": "float", "timestamp": "int"}
    base_rows, test_rows = (
        read_table(find(folder, f"u{fold}.{part}"), columns, "\t", header=list(columns), quoting=False)
        for part in ("base", "test")
    )
    genres, (users, films) = _read_genres(folder), _read_users_and_films(folder)
    train, test = (
        replace(
            _make_interactions(part["user"] - 1, part["item"] - 1, part["rating"], part["timestamp"]),
            num_users=len(users),
            num_items=len(films),
        )
        for part in (base_rows, test_rows)
    )
    film, genre = np.nonzero(films[genres].to_numpy())
    attributes = {
        HAS_OCCUPATION: users["occupation"],
        HAS_GENDER: users["gender"],
        IN_AGE_GROUP: (users["age"] // 10 * 10).astype(str),
    }
    nodes: dict[str, int | list[str]] = {"Genre": genres}
    edges = [edges_of(RATED, train), EdgeArrays(IN_GENRE, film, genre)]
    for kind, values in attributes.items():
        codes, distinct = pd.factorize(values, sort=True)
        nodes[kind[2]] = list(distinct)
        edges.append(EdgeArrays(kind, np.arange(len(users)), codes.astype(np.int64)))
    return PublishedSplit(assemble_graph(train, edges, nodes), train, test)


def _read_genres(folder: Path) -> list[str]:
    columns: dict[str, Kind] = {"name": "str", "index": "int"}
    return list(read_table(find(folder, "u.genre"), columns, "|", header=list(columns), quoting=False)["name"])


def _read_users_and_films(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    user_columns: dict[str, Kind] = {"id": "int", "age": "int", "gender": "str", "occupation": "str"}
    users = read_table(find(folder, "u.user"), user_columns, "|", header=[*user_columns, "zip"], quoting=False)
    genres = _read_genres(folder)
    head = ["id", "title", "release_date", "video_date", "url", *genres]
    film_columns: dict[str, Kind] = {"id": "int"}
    film_columns |= dict.fromkeys(genres, "int")
    films = read_table(find(folder, "u.item"), film_columns, "|", "latin-1", head, quoting=False)
    return users.sort_values("id"), films.sort_values("id")


def _read_tags(folder: Path, train: pd.DataFrame) -> pd.DataFrame:
    """Columns user and item (positions in the split) and tag (its number as text), without duplicates."""
    counts = read_table(
        find(folder, "user_artists.dat"), {"userID": "int", "artistID": "int", "weight": "int"}, "\t", quoting=False
    )
    tags = read_table(
        find(folder, "user_taggedartists.dat"),
        {"userID": "int", "artistID": "int", "tagID": "str"},
        "\t",
        quoting=False,
    )
    user_of = pd.Series(np.arange(counts["userID"].nunique()), np.sort(counts["userID"].unique()))
    item_of = _match_artists(train, counts.assign(user=counts["userID"].map(user_of) + 1), folder)
    tagged = pd.DataFrame(
        {"user": tags["userID"].map(user_of), "item": tags["artistID"].map(item_of), "tag": tags["tagID"]}
    )
    return tagged.dropna().astype({"user": "int64", "item": "int64"}).drop_duplicates()


def _match_artists(train: pd.DataFrame, counts: pd.DataFrame, folder: Path) -> "pd.Series[int]":
    """The position in the split by artistID, for the artists that the play counts identify."""
    same = train.merge(counts, left_on=["user", "count"], right_on=["user", "weight"])
    votes = same.groupby(["item", "artistID"]).size().rename("votes").reset_index()
    best = votes[votes["votes"] == votes.groupby("item")["votes"].transform("max")]
    clear = best[~best.duplicated("item", keep=False) & ~best.duplicated("artistID", keep=False)]
    found = len(train.merge(clear, on="item").merge(counts, left_on=["user", "artistID", "count"],
                                                   right_on=["user", "artistID", "weight"]))  # fmt: skip
    identified = int(train["item"].isin(clear["item"]).sum())
    if not identified or found < MIN_MATCHED * identified:
        raise DataError(
            f"{folder}: of {identified:,} training pairs with an identified artist, {found:,} are in user_artists.dat, "
            f"which is less than {MIN_MATCHED:.0%}; take the split and the HetRec files from one release"
        )
    return pd.Series(clear["item"].to_numpy() - 1, clear["artistID"].to_numpy())


def _make_interactions(
    user: "pd.Series[int]",
    item: "pd.Series[int]",
    rating: Any = None,
    time: Any = None,  # columns of numbers, or None
) -> Interactions:
    # copies: a column of a table may be read-only, and tensors share the memory of arrays
    ends: list[IndexArray] = [np.array(column, dtype=np.int64) for column in (user, item)]
    weight: npt.NDArray[np.float32] | None = None if rating is None else np.array(rating, dtype=np.float32)
    times: IndexArray | None = None if time is None else np.array(time, dtype=np.int64)
    return Interactions(ends[0], ends[1], int(user.max()) + 1, int(item.max()) + 1, weight, times)


def number_within(user_index: IndexArray) -> IndexArray:
    """The position [n] of each interaction in its user's history, 0 for the first in the order given."""
    return np.array(pd.Series(user_index).groupby(user_index).cumcount(), dtype=np.int64)


def _align_sizes(*parts: Interactions, num_users: int = 0, num_items: int = 0) -> list[Interactions]:
    """The parts with the same number of users and of items, enough for each part."""
    users = max(num_users, *(part.num_users for part in parts))
    items = max(num_items, *(part.num_items for part in parts))
    return [replace(part, num_users=users, num_items=items) for part in parts]


def assemble_graph(
    train: Interactions, edges: list[EdgeArrays], more: Mapping[str, int | list[str]] | None = None
) -> HeteroGraph:
    """The graph of some edges, the first of which are the behaviour to predict."""
    return assemble({USER: train.num_users, ITEM: train.num_items, **(more or {})}, edges, edges[0].triple)
