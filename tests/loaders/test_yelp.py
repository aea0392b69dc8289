"""Yelp: friends in a text, categories that may be null, repeated reviews, users who are not in the user file."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("yelp").load


def user(id: str, friends: str = "None", **other: Any) -> dict[str, Any]:  # values of JSON
    return {
        "user_id": id,
        "name": "Walker",
        "review_count": 585,
        "yelping_since": "2007-01-25 16:47:26",
        "useful": 7217,
        "elite": "2007",
        "friends": friends,
        "fans": 267,
        "average_stars": 3.91,
        **other,
    }


def business(id: str, categories: str | None, **other: Any) -> dict[str, Any]:
    return {
        "business_id": id,
        "name": "Abby Rappoport,  LAC",
        "address": "",
        "city": "Santa Barbara",
        "state": "CA",
        "postal_code": "93101",
        "latitude": 34.4266787,
        "longitude": -119.7111968,
        "stars": 5.0,
        "review_count": 7,
        "is_open": 0,
        "attributes": None,
        "categories": categories,
        "hours": None,
        **other,
    }


def review(user: str, business: str, date: str, stars: object = 3.0) -> dict[str, Any]:
    return {
        "review_id": f"{user}{business}{date}",
        "user_id": user,
        "business_id": business,
        "stars": stars,
        "useful": 1,
        "funny": 0,
        "cool": -1,
        "text": "Nice.\n\nVery  nice &amp; cheap",
        "date": date,
    }


FILES: dict[str, list[dict[str, Any]]] = {
    "user": [user("u1", "u2, u3, gone"), user("u2", "u1"), user("u3")],
    "business": [business("b1", "Doctors, Traditional Chinese Medicine"), business("b2", None)],
    "review": [
        review("u1", "b1", "2019-01-01 00:00:00", stars=5.0),
        review("u1", "b1", "2018-07-07 22:09:11"),
        review("u2", "b2", "2005-02-16 03:23:22"),
        review("gone", "b2", "2005-02-16 03:23:22"),
    ],
    "tip": [
        {
            "user_id": "u3",
            "business_id": "b1",
            "text": "Avengers time",
            "date": "2012-05-18 02:17:21",
            "compliment_count": 0,
        },
        {"user_id": "u3", "business_id": "b1", "text": "Again", "date": "2013-05-18 02:17:21", "compliment_count": 2},
    ],
}


def write(folder: Path, **files: list[dict[str, Any]]) -> Path:
    for name, objects in files.items():
        text = "".join(json.dumps(each) + "\n" for each in objects)
        (folder / f"yelp_academic_dataset_{name}.json").write_text(text)
    return folder


def rows(tables: GraphTables, relation: str, *columns: str) -> list[tuple[object, ...]]:
    frame = tables.edge(relation).frame[["source_id", "target_id", *columns]]
    return sorted(frame.itertuples(index=False, name=None))


def test_nodes_and_edges(tmp_path: Path) -> None:
    tables = load(write(tmp_path, **FILES))
    assert rows(tables, "REVIEWED", "rating", "useful", "cool", "timestamp") == [
        ("u1", "b1", 5.0, 1, -1, 1546300800),
        ("u2", "b2", 3.0, 1, -1, 1108524202),
    ]
    assert rows(tables, "FRIEND") == [("u1", "u2"), ("u1", "u3")]  # once, from either side
    assert rows(tables, "TIPPED", "text", "compliments", "timestamp") == [
        ("u3", "b1", "Again", 2, 1368843441),
        ("u3", "b1", "Avengers time", 0, 1337307441),
    ]
    assert rows(tables, "IN_CATEGORY") == [("b1", "Doctors"), ("b1", "Traditional Chinese Medicine")]
    items = tables.node("Item").frame[
        ["id", "title", "city", "state", "stars", "review_count", "latitude", "longitude"]
    ]
    place = ("Abby Rappoport, LAC", "Santa Barbara", "CA", 5.0, 7, 34.4266787, -119.7111968)
    assert list(items.itertuples(index=False, name=None)) == [("b1", *place), ("b2", *place)]
    assert tables.node("Item").frame["address"].isna().all()
    assert tables.node("User").frame["yelping_since"].tolist() == [1169743646] * 3
    assert tables.node("Category").type.shared


def test_what_was_done_is_reported(tmp_path: Path) -> None:
    tables = load(write(tmp_path, **FILES))
    report = {(table.name, rule.rule): rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report[("FRIEND", "dangling")] == 1
    assert report[("FRIEND", "repeated")] == 1
    assert ("FRIEND", "text") not in report  # ids have no spaces around
    assert report[("REVIEWED", "dangling")] == 1
    assert report[("REVIEWED", "repeated")] == 1


def test_without_tips_friends_and_categories(tmp_path: Path) -> None:
    files = {"user": [user("u1")], "business": [business("b1", None)], "review": FILES["review"][:1]}
    write(tmp_path, **files)
    path = tmp_path / "yelp_academic_dataset_review.json"
    (tmp_path / "yelp_academic_dataset_review.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    tables = load(tmp_path)
    assert [table.type.relation for table in tables.edges] == ["REVIEWED"]
    assert [table.type.label for table in tables.nodes] == ["User", "Item"]


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "a date of another form": (
        "review",
        review("u1", "b2", "07/07/2018"),
        r"1 lines have a date that is not of the form",
    ),
    "no stars": (
        "review",
        review("u1", "b2", "2018-07-07 22:09:11", stars="5"),
        r"field stars is not a number .*line 5",
    ),
    "no name of a user": ("user", user(""), r"field user_id is not text in 1 of the lines \(line 4: \"\"\)"),
    "coordinates of text": ("business", business("b3", None, latitude="34"), "field latitude is not a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_reported(tmp_path: Path, name: str) -> None:
    file, line, message = BAD[name]
    write(tmp_path, **FILES | {file: [*FILES[file], line]})
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_a_folder_is_needed_and_each_file(tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match=r"yelp needs a folder: download the JSON data set from https://www\.yelp"):
        load(None)
    write(tmp_path, user=FILES["user"])
    with pytest.raises(DataError, match=r"has no file yelp_academic_dataset_business\.json and no .*json\.gz"):
        load(tmp_path)
