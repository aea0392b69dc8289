"""Amazon reviews: the forms of 2014 and 2018, metadata as JSON and as Python literals, texts to repair."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import DataError, GraphrecError
from graphrec.tables import GraphTables

load = loader_registry.get("amazon").load


def lines(*objects: dict[str, object], literals: bool = False) -> str:
    """JSON lines, or Python literals as the metadata of 2014 are."""
    return "".join(f"{each!r}\n" if literals else json.dumps(each) + "\n" for each in objects)


def review(user: str, item: str, rating: float, time: int, **other: object) -> dict[str, object]:
    return {"reviewerID": user, "asin": item, "overall": rating, "unixReviewTime": time, **other}


TEXT = "Works.  A 1/4&#34; plug."
REVIEWS_2014 = lines(
    review(
        "A2", "1384719342", 5.0, 1393545600, helpful=[0, 0], reviewerName='c "u...', reviewText=TEXT, summary="good"
    ),
    review("A1", "B00", 4.0, 1363392000, helpful=[1, 2], reviewerName="Jake", reviewText="first", summary="a"),
    review("A1", "1384719342", 1.0, 1363392000, helpful=[13, 14], reviewText="", summary="Jake"),
)
OLDER = review("A3", "B02", 3.0, 1304467200, verified=False, reviewText="x", image=["https://i/1.jpg"])
REVIEWS_2018 = lines(
    review(
        "A3", "B01", 5.0, 1304380800, vote="1,025", verified=True, style={"Format:": " Hardcover"}, reviewText="Fine"
    ),
    OLDER,
    review("A3", "B02", 2.0, 1304553600, verified=True),
    OLDER,
)
RELATED = {
    "also_bought": ["B07", "B00", "B07"],
    "bought_together": ["1384719342"],
    "buy_after_viewing": ["B08"],
}
PATHS = [["Musical Instruments", "Picks"], ["Musical Instruments", "Bass &amp; Guitar"]]
META_2014 = lines(
    {
        "asin": "B00",
        "title": "Fender 'Custom'",
        "price": 12.5,
        "related": RELATED,
        "brand": "Fender",
        "categories": PATHS,
    },
    {"asin": "1384719342", "categories": [["Musical Instruments"]], "related": {"also_viewed": ["B00"]}},
    literals=True,
)
META_2018 = lines(
    {
        "category": ["Books", "Fantasy"],
        "description": ["Long"],
        "title": "A Book",
        "also_buy": ["B02"],
        "also_view": ["B09"],
        "brand": "by\n    Knopf",
        "rank": "5 in Books",
        "price": "$1,012.99",
        "asin": "B01",
    },
    {
        "category": [],
        "title": "B",
        "also_buy": [],
        "brand": "",
        "rank": [],
        "price": ".a-box{color:#fff}",
        "asin": "B02",
    },
    {"category": ["Books"], "title": "B again", "brand": "Knopf", "price": "$3.99 - $10.00", "asin": "B02"},
)


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(content)
    return folder


def rows(tables: GraphTables, relation: str, *columns: str) -> list[tuple[object, ...]]:
    frame = tables.edge(relation).frame
    frame = frame[["source_id", "target_id", *columns]].astype(object)
    return sorted(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def test_reviews_of_2014(tmp_path: Path) -> None:
    tables = load(write(tmp_path, Musical_Instruments_5=REVIEWS_2014))
    assert rows(tables, "REVIEWED", "rating", "text", "summary", "helpful", "votes", "verified", "timestamp") == [
        ("A1", "1384719342", 1.0, None, "Jake", 13, 14, None, 1363392000),
        ("A1", "B00", 4.0, "first", "a", 1, 2, None, 1363392000),
        ("A2", "1384719342", 5.0, 'Works. A 1/4" plug.', "good", 0, 0, None, 1393545600),
    ]
    names = tables.node("User").frame.set_index("id")["name"].to_dict()
    assert names == {"A2": 'c "u...', "A1": "Jake"}  # the last review of A1 has no name
    assert sorted(tables.node("Item").frame["asin"]) == ["1384719342", "B00"]
    assert [table.type.relation for table in tables.edges] == ["REVIEWED"]


def test_reviews_of_2018(tmp_path: Path) -> None:
    (tmp_path / "Books_5.jsonl.gz").write_bytes(gzip.compress(REVIEWS_2018.encode()))
    tables = load(tmp_path)
    assert rows(tables, "REVIEWED", "rating", "text", "helpful", "votes", "verified", "timestamp") == [
        ("A3", "B01", 5.0, "Fine", 1025, None, True, 1304380800),
        ("A3", "B02", 2.0, None, None, None, True, 1304553600),  # the last of three
    ]
    dtypes = tables.edge("REVIEWED").frame.dtypes.astype("str").to_dict()
    assert dtypes["helpful"] == "Int64"
    assert dtypes["verified"] == "boolean"
    report = {(table.name, rule.rule): rule.rows for table in tables.cleaning.tables for rule in table.rules}
    assert report == {("REVIEWED", "repeated"): 2}


def test_metadata_of_2014_are_python_literals(tmp_path: Path) -> None:
    tables = load(write(tmp_path, reviews=REVIEWS_2014, meta_Musical_Instruments=META_2014))
    items = tables.node("Item").frame.set_index("id")
    assert list(items.index) == ["B00", "1384719342", "B07", "B08"]  # the last two have no metadata of their own
    assert items["title"].dropna().to_dict() == {"B00": "Fender 'Custom'"}
    assert items["price"].dropna().to_dict() == {"B00": 12.5}
    assert rows(tables, "IN_CATEGORY") == [
        ("1384719342", "Musical Instruments"),
        ("B00", "Bass & Guitar"),
        ("B00", "Musical Instruments"),
        ("B00", "Picks"),
    ]
    assert sorted(tables.node("Category").frame["id"]) == ["Bass & Guitar", "Musical Instruments", "Picks"]
    assert tables.node("Category").type.shared
    assert tables.node("Brand").type.shared
    assert rows(tables, "BY_BRAND") == [("B00", "Fender")]
    assert rows(tables, "ALSO_BOUGHT") == [("B00", "B07")]  # once, and not itself
    assert rows(tables, "ALSO_VIEWED") == [("1384719342", "B00")]
    assert rows(tables, "BOUGHT_TOGETHER") == [("B00", "1384719342")]
    assert rows(tables, "BUY_AFTER_VIEWING") == [("B00", "B08")]


def test_metadata_of_2018_are_json(tmp_path: Path) -> None:
    tables = load(write(tmp_path, Books_5=REVIEWS_2018, meta_Books=META_2018))
    items = tables.node("Item").frame.set_index("id")
    assert items["title"].dropna().to_dict() == {"B01": "A Book", "B02": "B"}  # of B02 the first line
    assert items["price"].dropna().to_dict() == {"B01": 1012.99}
    assert rows(tables, "BY_BRAND") == [("B01", "by Knopf"), ("B02", "Knopf")]
    assert rows(tables, "ALSO_BOUGHT") == [("B01", "B02")]
    assert rows(tables, "ALSO_VIEWED") == [("B01", "B09")]


def test_several_files_are_one_source(tmp_path: Path) -> None:
    tables = load(write(tmp_path, a=REVIEWS_2014, b=REVIEWS_2018))
    assert len(tables.edge("REVIEWED").frame) == 5
    assert [source.name for source in tables.sources] == ["amazon"]


GOOD = '{"reviewerID": "A", "asin": "B", "overall": 5.0, "unixReviewTime": 1304380800'
BAD = {
    "a cut line": (GOOD, r"reviews\.json: 1 of the lines hold no JSON object \(line 1: Expecting"),
    "no item": (GOOD.replace('"asin": "B", ', "") + "}", r"field asin is not text in 1 of the lines \(line 1: null\)"),
    "a rating of text": (GOOD.replace("5.0", '"5"') + "}", r"field overall is not a number in 1 .*line 1: \"5\""),
    "three votes": (GOOD + ', "helpful": [1, 2, 3]}', r"1 reviews have votes that are neither .*\(\[1, 2, 3\]\)"),
    "a vote of text": (GOOD + ', "vote": "many"}', r"1 reviews have votes that are neither .*\('many'\)"),
    "a literal": (GOOD.replace('"', "'") + "}", r"reviews\.json: 1 of the lines hold no JSON object"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_reviews_are_reported(tmp_path: Path, name: str) -> None:
    line, message = BAD[name]
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, reviews=line + "\n"))


def test_bad_metadata_are_reported_with_their_line(tmp_path: Path) -> None:
    write(tmp_path, reviews=REVIEWS_2014, meta_x=META_2014 + "{'asin': open('x')}\n['asin']\n")
    with pytest.raises(DataError, match=r"meta_x\.json: 2 of the lines .*\(line 3: malformed node.*, line 4: a list\)"):
        load(tmp_path)


def test_a_folder_with_reviews_is_needed(tmp_path: Path) -> None:
    with pytest.raises(GraphrecError, match=r"amazon needs a folder: download reviews .* from https://cseweb"):
        load(None)
    with pytest.raises(DataError, match="there is no folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no file of reviews: .*; it is empty"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"has no file of reviews: .*; it has meta_x\.json"):
        load(write(tmp_path, meta_x=META_2014))


def test_the_real_data(data_folder: Callable[[str], Path]) -> None:
    tables = load(data_folder("amazon-musical-instruments"))
    assert {table.type.label: len(table.frame) for table in tables.nodes} == {"User": 1429, "Item": 900}
    reviews = tables.edge("REVIEWED").frame
    assert len(reviews) == 10_261
    assert reviews["rating"].value_counts().to_dict() == {5: 6938, 4: 2084, 3: 772, 2: 250, 1: 217}
    assert (reviews["timestamp"].min(), reviews["timestamp"].max()) == (1_095_465_600, 1_405_987_200)
    assert (reviews["helpful"].max(), reviews["votes"].max()) == (290, 300)
    assert (reviews["text"].isna().sum(), reviews["summary"].isna().sum()) == (7, 0)
    assert not reviews["text"].str.contains("&#34;").any()
    assert tables.node("User").frame["name"].isna().sum() == 1
