"""A proposed TOML file: what it recognises, and that it loads the same files unchanged."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from graphrec.errors import DataError
from graphrec.tables import GraphTables
from graphrec.tabular import read
from graphrec.tabular.proposal import propose

Proposer = Callable[..., tuple[str, GraphTables]]


@pytest.fixture
def proposed(tmp_path: Path) -> Proposer:
    """A function that writes files, proposes a TOML file for them, and loads it unchanged."""

    def make(*names: str, **files: str | bytes) -> tuple[str, GraphTables]:
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths = [tmp_path / name for name in names or [name.replace("__", ".") for name in files]]
        text = propose(paths, tmp_path)
        (tmp_path / "proposed.toml").write_text(text, encoding="utf-8")
        tables = read(tmp_path / "proposed.toml")
        assert tables.cleaning.dropped == 0
        return text, tables

    return make


def rows(tables: GraphTables, relation: str) -> list[tuple[object, ...]]:
    return list(tables.edge(relation).frame.itertuples(index=False, name=None))


RATINGS = (
    "userId,movieId,rating,timestamp\n1,10,4.0,1688212800\n1,11,3,1688212801\n1,10,5,1688212802\n2,99,1,1688212803\n"
)
MOVIES = 'movieId,title,genres\n10,"Heat, the (1995)",Crime|Drama\n11,Toy Story (1995),Comedy\n'


def test_ratings_and_movies(proposed: Proposer) -> None:
    text, tables = proposed(ratings__csv=RATINGS, movies__csv=MOVIES, links__csv="movieId,imdbId\n10,0113277\n")
    assert rows(tables, "RATED") == [
        ("1", "11", 3.0, 1688212801),
        ("1", "10", 5.0, 1688212802),
        ("2", "99", 1.0, 1688212803),
    ]
    assert tables.node("Item").frame["id"].tolist() == ["10", "11", "99"]
    assert tables.node("Item").frame["title"].tolist()[0] == "Heat, the (1995)"
    assert rows(tables, "IN_GENRE") == [("10", "Crime"), ("10", "Drama"), ("11", "Comedy")]
    assert tables.node("Item").frame["imdbId"].tolist()[0] == "0113277"
    assert "left join links on links.movieId = movies.movieId" in text
    assert 'licence = ""  # fill in' in text


def test_reviews_as_json_lines(proposed: Proposer) -> None:
    reviews = (
        '{"reviewerID": "A1", "asin": "0001", "overall": 5, "reviewText": "good", "unixReviewTime": 1393545600}\n'
        '{"reviewerID": "A2", "asin": "0001", "overall": 4.0, "reviewText": "so so", "unixReviewTime": 1393545601}\n'
    )
    _, tables = proposed(reviews__json=reviews)
    table = tables.edge("REVIEWED")
    assert table.type.properties == ("rating", "reviewText", "timestamp")
    assert rows(tables, "REVIEWED")[0] == ("A1", "0001", 5.0, "good", 1393545600)


def test_events_as_parquet(proposed: Proposer, tmp_path: Path) -> None:
    duckdb.execute(
        "COPY (SELECT * FROM (VALUES (1, 7, 'view', TIMESTAMP '2023-07-01 12:00:00'), "
        "(1, 7, 'addtocart', TIMESTAMP '2023-07-01 12:00:01'), (2, 8, 'transaction', TIMESTAMP '2023-07-01 12:00:02'), "
        "(2, 8, 'share', TIMESTAMP '2023-07-01 12:00:03')) AS t(visitorid, itemid, event, moment)) "
        f"TO '{tmp_path / 'events.parquet'}'"
    )
    text, tables = proposed("events.parquet")
    assert {table.type.relation for table in tables.edges} == {"VIEWED", "CARTED", "PURCHASED", "SHARED"}
    assert rows(tables, "CARTED") == [("1", "7", 1688212801)]
    assert 'where = { event = ["addtocart"] }' in text
    assert "fill in: the time zone" in text


def test_an_edge_list_of_users(proposed: Proposer) -> None:
    _, tables = proposed(friends__csv="user_id;friend_id\n1;2\n2;1\n3;1\n")
    assert rows(tables, "FRIEND") == [("1", "2"), ("1", "3")]
    _, tables = proposed(trust__txt="1 2 1\n2 1 1\n")
    assert rows(tables, "TRUSTS") == [("1", "2", 1), ("2", "1", 1)]
    text, tables = proposed(net__tsv="follower\tfollowee\n1\t2\n2\t1\n")
    assert rows(tables, "FOLLOWS") == [("1", "2"), ("2", "1")]
    assert "separator" not in text  # the name says it


def test_a_file_without_a_header(proposed: Proposer) -> None:
    text, tables = proposed(u__data="196\t242\t3\t881250949\n186\t302\t3\t891717742\n")
    assert rows(tables, "RATED") == [("196", "242", 3.0, 881250949), ("186", "302", 3.0, 891717742)]
    assert 'header = ["user", "item", "rating", "timestamp"]  # fill in' in text


def test_counts_are_added_up(proposed: Proposer) -> None:
    _, tables = proposed(plays__csv="user,artist,plays\na,x,3\na,x,4\n")
    assert rows(tables, "PLAYED") == [("a", "x", 7.0)]


def test_ids_shared_between_files_say_what_a_file_holds(proposed: Proposer) -> None:
    _, tables = proposed(orders__csv="customer,sku\nc1,s1\nc2,s2\n", master__csv="id;label\ns1;one\ns2;two\n")
    assert tables.node("Item").frame["label"].tolist() == ["one", "two"]
    _, tables = proposed(orders__csv="customer,sku\nc1,s1\nc2,s2\n", master__csv="id;label\nc1;one\nc2;two\n")
    assert tables.node("User").frame["label"].tolist() == ["one", "two"]
    assert rows(tables, "PURCHASED") == [("c1", "s1"), ("c2", "s2")]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["01.07.2023 14:00", "31.12.2023 00:00"], 1688220000),
        (["2023-07-01T14:00:00Z", "2023-12-31T00:00:00Z"], 1688220000),
        (["1688220000000", "1688220000001"], 1688220000),
        (["07/01/2023", "12/31/2023"], 1688169600),
    ],
)
def test_notations_of_time(times: list[str], expected: int, proposed: Proposer) -> None:
    lines = [f"u{number},i,{time}" for number, time in enumerate(times)]
    _, tables = proposed(views__csv="user,item,created_at\n" + "\n".join(lines) + "\n")
    assert tables.edge("VIEWED").frame["timestamp"][0] == expected


def test_other_encodings_and_strange_names(proposed: Proposer) -> None:
    text, tables = proposed(**{"o'ne__csv": "user,item,größe (cm)\nZoë,i,3\n".encode("cp1252")})
    assert 'encoding = "cp1252"' in text
    assert tables.edge("VIEWED").type.properties == ("größe_cm",)
    assert rows(tables, "VIEWED") == [("Zoë", "i", 3)]
    text, tables = proposed(two__csv="user,item\nZoë,i\n".encode("utf-16"))
    assert rows(tables, "VIEWED") == [("Zoë", "i")]


def test_what_cannot_be_known_is_a_comment(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    text = propose([tmp_path / "a.csv"], tmp_path)
    assert "# a.csv: its columns (x, y) were not recognised.\n# Fill in a table such as:\n# [nodes.Item]" in text
    (tmp_path / "b.csv").write_text("user,item\n1,2\n")
    assert "[edges.VIEWED]  # fill in: PURCHASED, RATED" in propose([tmp_path / "b.csv"], tmp_path)


WRONG = {
    "empty": (b"", "is empty"),
    "prose": (
        b"This is a text.\nIt has words, and some commas, in it.\n\nNothing of it is a table\n",
        "no common separator",
    ),
    "no JSON": (b"{\n", "no line that is a JSON object"),
    "a header only": (b"user,item\n", "has no rows that can be read"),
}


@pytest.mark.parametrize("case", WRONG)
def test_files_that_are_no_tables(case: str, tmp_path: Path) -> None:
    content, message = WRONG[case]
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        propose([tmp_path / "a.txt"], tmp_path)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file to look at"):
        propose([], tmp_path)
    with pytest.raises(DataError, match=r"there is no file .*none.csv"):
        propose([tmp_path / "none.csv"], tmp_path)


@pytest.mark.parametrize("name", ["Name", "Bezeichnung", "product_name", "Description", "Titel"])
def test_what_items_are_called_becomes_their_title(proposed: Proposer, name: str) -> None:
    _, tables = proposed(products__csv=f"sku,{name},brand_name,price\na,Red lamp,X,1.5\nb,Desk,X,2\nc,Mug,Y,3\n")
    assert tables.node("Item").frame["title"].tolist() == ["Red lamp", "Desk", "Mug"]


def test_a_title_stays_and_a_name_beside_it_too(proposed: Proposer) -> None:
    _, tables = proposed(products__csv="sku,title,name\na,Red lamp,x\nb,Desk,y\n")
    item = tables.node("Item").frame
    assert item["title"].tolist() == ["Red lamp", "Desk"]
    assert item["name"].tolist() == ["x", "y"]


def test_names_that_many_items_share_are_no_titles(proposed: Proposer) -> None:
    text, _ = proposed(products__csv="sku,seller_name,price\na,X,1\nb,X,2\nc,X,3\nd,Y,3\n")
    assert '"title"' not in text


def test_lines_of_baskets_begin_with_users_that_come_again(proposed: Proposer) -> None:
    lines = "14000,milk,bread\n14000,beer\n14003,milk,beer,bread\n14003,bread\n14006,milk\n14006,beer,milk\n"
    _, tables = proposed(baskets__txt=lines)
    assert sorted(tables.node("User").frame["id"]) == ["14000", "14003", "14006"]
    assert sorted(tables.node("Item").frame["id"]) == ["beer", "bread", "milk"]


def test_purchases_of_two_files_and_what_is_taken_back_are_asked_about(proposed: Proposer) -> None:
    text, _ = proposed(
        orders__csv="customer_id,sku,qty\nc1,a,2\nc2,b,1\nc2,a,1\n",
        events__csv="user_id,sku,event\nc1,a,view\nc1,a,purchase\nc2,b,remove_from_cart\nc2,a,dislike\n",
    )
    assert "PURCHASED is in orders.csv, too: if these are the same events, leave one table out" in text
    assert "should models learn from DISLIKED and REMOVED_FROM_CART? They treat each edge as interest" in text
