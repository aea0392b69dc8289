"""Yelp: reviews and tips of businesses, friendships of users, categories of businesses (the public JSON data set).

The folder contains yelp_academic_dataset_user.json, _business.json and _review.json and optionally _tip.json, plain or
gzip-compressed; _checkin.json names no users and is not read. Items are businesses. If a user reviewed a business
several times, the last review counts. Reviews, tips and friendships of users who are not in the user file are rejected.
The fields are described on https://www.yelp.com/dataset/documentation/main.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import JsonKind, find, has, read_json_lines
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

PERSON = NodeType(USER, ("name", "review_count", "fans", "average_stars", "yelping_since"))
_PLACE = (
    "title",
    "address",
    "city",
    "state",
    "postal_code",
    "latitude",
    "longitude",
    "stars",
    "review_count",
    "is_open",
)
BUSINESS = NodeType(ITEM, _PLACE)
CATEGORY = NodeType("Category", shared=True)
IN_CATEGORY = EdgeType(ITEM, "IN_CATEGORY", CATEGORY.label)
FRIEND = EdgeType(USER, "FRIEND", USER)
REVIEWED = EdgeType(USER, "REVIEWED", ITEM, ("rating", "text", "useful", "funny", "cool", "timestamp"))
TIPPED = EdgeType(USER, "TIPPED", ITEM, ("text", "compliments", "timestamp"), key=("timestamp",))
SOURCE = Source(
    "yelp",
    "",
    "https://www.yelp.com/dataset",
    "Yelp Dataset License: academic use, no commercial use",
)

_FILE = "yelp_academic_dataset_{}.json"
_USER: dict[str, JsonKind] = {
    "user_id": "str",
    "name": "str?",
    "review_count": "int",
    "fans": "int",
    "average_stars": "float",
    "yelping_since": "str",
    "friends": "str?",  # "oeMvJh94PiGQnx_6GlndPQ, wm1z1PaJKvHgSDRKfwhfDg", or "None"
}
_BUSINESS: dict[str, JsonKind] = {
    "business_id": "str",
    "name": "str?",
    "address": "str?",
    "city": "str?",
    "state": "str?",
    "postal_code": "str?",
    "latitude": "float?",
    "longitude": "float?",
    "stars": "float",
    "review_count": "int",
    "is_open": "int",
    "categories": "str?",  # "Doctors, Traditional Chinese Medicine"
}
_REVIEW: dict[str, JsonKind] = {
    "user_id": "str",
    "business_id": "str",
    "stars": "float",
    "useful": "int",
    "funny": "int",
    "cool": "int",
    "text": "str?",
    "date": "str",
}
_TIP: dict[str, JsonKind] = {
    "user_id": "str",
    "business_id": "str",
    "text": "str?",
    "date": "str",
    "compliment_count": "int",
}
_NAMES = {
    "user_id": "source_id",
    "business_id": "target_id",
    "stars": "rating",
    "compliment_count": "compliments",
    "date": "timestamp",
}
_RULES = {
    USER: CleaningRules(text=("name",), repeated="first"),
    ITEM: CleaningRules(text=("title", "address", "city"), repeated="first"),
    "FRIEND": CleaningRules(itself="drop", repeated="first", dangling="drop"),
    "REVIEWED": CleaningRules(
        text=("text",),
        ranges={"rating": (1, 5)},
        times=("timestamp",),
        repeated="last",
        by="timestamp",
        dangling="drop",
    ),
    "TIPPED": CleaningRules(text=("text",), times=("timestamp",), repeated="last", dangling="drop"),
}


def load(folder: Path | None = None) -> GraphTables:
    """Users, businesses (Item) and categories with REVIEWED, TIPPED, FRIEND and IN_CATEGORY edges.

    Raises:
        DataError: a file is missing or defective, or a date cannot be read.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source yelp needs a folder: download the JSON data set from {SOURCE.url}, unpack it and give the folder "
            f"with {_FILE.format('user')}, {_FILE.format('business')} and {_FILE.format('review')}"
        )
    users = _read(folder, "user", _USER, "yelping_since").rename(columns={"user_id": "id"})
    places = _read(folder, "business", _BUSINESS).rename(columns={"business_id": "id", "name": "title"})
    edges = [
        (REVIEWED, _read(folder, "review", _REVIEW, "date").rename(columns=_NAMES)),
        (FRIEND, _split_lists(users.loc[users["friends"] != "None"], "friends")),
        (IN_CATEGORY, _split_lists(places, "categories").drop_duplicates()),
    ]
    if has(folder, _FILE.format("tip")):
        edges.append((TIPPED, _read(folder, "tip", _TIP, "date").rename(columns=_NAMES)))
    edges = [(kind, frame) for kind, frame in edges if len(frame)]
    nodes = [(PERSON, users), (BUSINESS, places)]
    nodes += [
        (CATEGORY, pd.DataFrame({"id": frame["target_id"].unique()}, dtype="str"))
        for kind, frame in edges
        if kind == IN_CATEGORY
    ]
    present = {USER, ITEM} | {kind.relation for kind, _ in edges}
    return clean(nodes, edges, [SOURCE], {name: rules for name, rules in _RULES.items() if name in present})


def _read(folder: Path, name: str, columns: dict[str, JsonKind], date: str | None = None) -> pd.DataFrame:
    """The columns of a file; the column `date` ("2018-07-07 22:09:11", UTC) is converted to Unix seconds."""
    path = find(folder, _FILE.format(name))
    rows = read_json_lines(path, columns)
    if date is None:
        return rows
    times = pd.to_datetime(rows[date], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    wrong = rows.loc[times.isna(), date]
    if len(wrong):
        raise DataError(
            f"{path}: {len(wrong):,} lines have a {date} that is not of the form 2018-07-07 22:09:11 "
            f"({first_few(wrong)}); correct these lines"
        )
    return rows.assign(**{date: times.astype("datetime64[s]").astype("int64")})


def _split_lists(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Columns source_id and target_id: the id of a row and each name in its list "one, two"."""
    lists = pc.split_pattern(pa.array(rows[column]), ",")  # without a Python object per friend: Yelp has 100 million
    ids = pa.array(rows["id"]).take(pc.list_parent_indices(lists))
    names = pc.utf8_trim_whitespace(pc.list_flatten(lists))
    table = pa.table([ids, names], names=ENDS)
    frame: pd.DataFrame = table.filter(pc.not_equal(names, "")).to_pandas()
    return frame
