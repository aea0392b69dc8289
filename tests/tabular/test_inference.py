"""What sniff infers of columns, files and databases, and that what it proposes can be loaded."""

import csv
import io
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphrec.errors import DataError
from graphrec.tabular import read
from graphrec.tabular.inference import words
from graphrec.tabular.inference.columns import column
from graphrec.tabular.inference.dependencies import dependency, proven
from graphrec.tabular.inference.encodings import encoding
from graphrec.tabular.proposal import examine
from graphrec.tabular.sniffing import sniff

from .workbooks import xlsx


def proposed(folder: Path, *arguments: str, **files: str) -> tuple[dict[str, Any], list[str]]:
    """The proposed description of files as a mapping, and the questions."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    found = examine(arguments or [folder / name.replace("__", ".") for name in files], folder)
    return tomllib.loads(found.toml), list(found.questions)


# -- one column


@pytest.mark.parametrize(
    ("texts", "kind", "notation"),
    [
        (["1", "22", "-3"], "int", (".", None)),
        (["007", "12"], "str", (".", None)),
        (["1.5", "2", "1e3"], "float", (".", None)),
        (["1,5", "2,25"], "float", (",", None)),
        (["1.250,00", "12,5", "3.000.000,1"], "float", (",", ".")),
        (["1,204", "35", "12,500"], "int", (".", ",")),
        (["1'204.50", "35"], "float", (".", "'")),
        (["1 250,00", "980,50"], "float", (",", " ")),
        (["1\u00a0250,00", "980,50"], "float", (",", "\u00a0")),
        (["true", "False"], "bool", (".", None)),
        (["9223372036854775808", "1"], "str", (".", None)),
        (["1,2,3", "4,5"], "str", (".", None)),
        (["12.03.2021", "1.5"], "str", (".", None)),
    ],
)
def test_numbers_in_any_notation(texts: list[str], kind: str, notation: tuple[str, str | None]) -> None:
    found = column("x", texts)
    assert (found.kind, found.notation) == (kind, notation)


@pytest.mark.parametrize(
    ("name", "texts", "missing", "kind"),
    [
        ("rating", ["4", "NULL", "5"], ("NULL",), "int"),
        ("rating", ["4", "-", "n/a", "\\N", "NA", "5.5"], ("-", "n/a", "\\N", "NA"), "float"),
        ("seen_at", ["2021-03-04", "NaT", "2021-03-05"], ("NaT",), "str"),
        ("country", ["NA", "DE", "FR"], (), "str"),
        ("country", ["NULL", "DE", "FR"], ("NULL",), "str"),
        ("title", ["none", "some", "all"], (), "str"),
        ("user_id", ["none", "u1", "u2"], ("none",), "str"),
        ("episodes", [*map(str, range(20)), "Unknown"], ("Unknown",), "int"),
    ],
)
def test_words_for_missing(name: str, texts: list[str], missing: tuple[str, ...], kind: str) -> None:
    found = column(name, texts)
    assert (found.missing, found.kind) == (missing, kind)
    assert found.values.isna().sum() == len(missing)


@pytest.mark.parametrize(
    ("name", "texts", "form", "unit"),
    [
        ("t", ["2019-10-01 00:00:00 UTC"], "%Y-%m-%d %H:%M:%S UTC", None),
        ("date", ["20240213", "20240301"], "%Y%m%d", None),
        ("t", ["Feb 1, 2007", "Mar 3, 2008"], "%b %d, %Y", None),
        ("t", ["February 1, 2007", "March 3, 2008"], "%B %d, %Y", None),
        ("t", ["13/02/2021"], "%d/%m/%Y", None),
        ("t", ["02/13/2021"], "%m/%d/%Y", None),
        ("t", ["02/13/21 1:05 PM"], "%m/%d/%y %I:%M %p", None),
        ("t", ["14-07-2017", "15-07-2017"], "%d-%m-%Y", None),
        ("t", ["Tue Apr 03 18:00:09 +0000 2012"], "%a %b %d %H:%M:%S %z %Y", None),
        ("t", ["Mon, 03 Jan 2022 10:00:00 GMT"], "%a, %d %b %Y %H:%M:%S GMT", None),
        ("t", ["2021/02/13 10:11"], "%Y/%m/%d %H:%M", None),
        ("t", ["20210213101112"], "%Y%m%d%H%M%S", None),
        ("t", ["10:15 13.02.2021"], "%H:%M %d.%m.%Y", None),
        ("timestamp", ["1500000000"], None, "s"),
        ("x", ["1500000000000"], None, "ms"),
        ("x", ["1500000000000000"], None, "us"),
        ("x", ["1500000000000000000"], None, "ns"),
        ("t", ["2019-10-01T10:00:00.123+02:00", "2019-10-01T10:00:00Z"], None, None),
    ],
)
def test_times_in_any_notation(name: str, texts: list[str], form: str | None, unit: str | None) -> None:
    found = column(name, texts).moment
    assert found is not None
    assert (found.format, found.unit) == (form, unit)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("x", ["1500000000"]),
        ("pages", ["320", "412"]),
        ("isbn", ["0345451000"]),
        ("t", ["today", "never"]),
        ("v", ["1.2.3", "10.0.1"]),
    ],
)
def test_what_is_no_time(name: str, texts: list[str]) -> None:
    assert column(name, texts).moment is None


def test_a_day_that_may_be_a_month_is_asked(tmp_path: Path) -> None:
    _, asks = proposed(tmp_path, views__csv="user,item,date\na,x,03/04/2021\nb,x,05/06/2021\n")
    assert any("'03/04/2021' can be read as %d/%m/%Y and as %m/%d/%Y: which of them is the day?" in ask for ask in asks)
    _, asks = proposed(tmp_path, views__csv="user,item,date\na,x,03/04/2021\nb,x,25/06/2021\n")
    assert not any("which of them is the day" in ask for ask in asks)


def test_a_dependency_is_proven_by_rows_that_chance_does_not_explain() -> None:
    key = column("k", ["a", "a", "b", "b", "c", "c", "a", "b"])
    says = column("v", ["x", "x", "y", "y", "z", "z", "x", "y"])
    not_said = column("w", ["x", "y", "x", "y", "x", "y", "y", "x"])
    same = column("s", ["x"] * 8)
    assert proven(key, says, dependency(key, says))
    assert dependency(key, not_said).fails
    assert dependency(key, same).holds
    assert not proven(key, same, dependency(key, same))


@pytest.mark.parametrize(
    ("name", "what", "part"),
    [
        ("CustomerID", "user", "id"),
        ("customer_city", "user", "attribute"),
        ("StockCode", "item", "id"),
        ("id_student", "user", "id"),
        ("parent_asin", "item", "id"),
        ("artist_name", "item", "name"),
        ("Kundennummer", "user", "id"),
        ("order_item_id", "context", "id"),
        ("InvoiceNo", "context", "id"),
        ("Sub-Category", "group", "id"),
        ("zine_code", "other", "id"),
        ("reviewText", "", ""),
        ("user_id:token", "user", "id"),
    ],
)
def test_the_meaning_of_names(name: str, what: str, part: str) -> None:
    found = words.meaning(name)
    assert (found.what, found.part) == (what, part)


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("page_view", "VIEWED"),
        ("reviews", "REVIEWED"),
        ("addToCart", "CARTED"),
        ("remove_from_cart", "REMOVED_FROM_CART"),
        ("borders", None),
        ("display", None),
        ("readers", None),
        ("UserBehavior", None),
        ("order-lines_2024", "PURCHASED"),
    ],
)
def test_what_users_did_by_a_word(text: str, relation: str | None) -> None:
    assert words.relation_of(text) == relation


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("Zoë\n".encode(), "utf-8"),
        ("Zoë\n".encode("cp1252"), "cp1252"),
        ("Zoë\n".encode("utf-16"), "utf-16"),
        ("user\titem\n".encode("utf-16-le"), "utf-16-le"),
        ("Иван купил чай\n".encode("cp1251"), "cp1251"),
        ("用户,商品\n张三,茶叶\n".encode("gb18030"), "gb18030"),
        ("お茶を買いました\n".encode("shift_jis"), "shift_jis"),
    ],
)
def test_encodings(content: bytes, name: str) -> None:
    assert encoding(content)[0] == name


# -- one file


def test_what_a_header_lacks_or_doubles_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id,rating,rating\n1,2,3,4\n2,3,4,5\n")
    assert sniff(tmp_path / "a.csv").notes == ("the header has 'rating' 2 times: the later ones are rating_2 …",)
    (tmp_path / "b.csv").write_text("user_id,item_id,rating\n1,2,3,\n2,3,4,\n")  # a separator at the end of rows only
    found = sniff(tmp_path / "b.csv")
    assert list(found.columns)[:3] == ["user_id", "item_id", "rating"]
    assert "each row ends with a separator" in found.notes[0]
    (tmp_path / "c.csv").write_text("Report;;\n;;\nid;name;price\n1;A;1.5\n2;B;2.5\n")
    found = sniff(tmp_path / "c.csv")
    assert (list(found.columns), found.origin.skip) == (["id", "name", "price"], 2)  # type: ignore[union-attr]  # Files


def test_a_sheet_below_a_title(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Sales of 2024", "", ""], ["customer", "sku", "qty"], ["c1", "s1", 2], ["c2", "s1", 1]]
    (tmp_path / "sales.xlsx").write_bytes(xlsx(One=rows))
    text = examine([tmp_path / "sales.xlsx"], tmp_path).toml
    assert "skip = 1" in text
    (tmp_path / "spec.toml").write_text(text)
    assert read(tmp_path / "spec.toml").edge("PURCHASED").frame["qty"].tolist() == [2, 1]


def test_pairs_of_two_ids_and_triples_are_no_behaviour(tmp_path: Path) -> None:
    spec, _ = proposed(
        tmp_path,
        item_index2entity_id__txt="".join(f"{n}\t{n + 7}\n" for n in range(9)),
        kg__txt="".join(f"{n % 3}\tr{n % 2}\t{n}\n" for n in range(9)),
        train__txt="1 7 8 9\n2 8\n3 7 9\n4 9 8\n",
        social__txt="1 2 3\n2 1\n3 1 2 4\n4 3\n",
    )
    assert set(spec["edges"]) == {"VIEWED", "FRIEND"}
    assert spec["edges"]["VIEWED"]["file"] == "train.txt"
    assert spec["edges"]["FRIEND"]["shape"] == "basket"


# -- several files


def test_lines_and_headers_of_orders_are_joined_and_loaded(tmp_path: Path) -> None:
    spec, _ = proposed(
        tmp_path,
        orders__csv="order_id,customer_id,order_date\n1,c1,2024-01-02\n2,c2,2024-01-03\n",
        order_lines__csv="order_id;sku;qty\n1;s1;2\n1;s2;1\n2;s1;5\n",
    )
    table = spec["edges"]["PURCHASED"]
    assert table["files"]["order_lines"] == {"file": "order_lines.csv", "separator": ";"}
    (tmp_path / "spec.toml").write_text(examine([tmp_path / "orders.csv", tmp_path / "order_lines.csv"], tmp_path).toml)
    frame = read(tmp_path / "spec.toml").edge("PURCHASED").frame
    assert list(frame[["source_id", "target_id", "qty"]].itertuples(index=False, name=None)) == [
        ("c1", "s1", 2),
        ("c1", "s2", 1),
        ("c2", "s1", 5),
    ]


def test_files_that_are_no_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "r.csv").write_text("user,item,rating\n1,2,3\n")
    (tmp_path / "notes.md").write_text("# no data")
    found = examine([tmp_path], tmp_path)
    assert [reason.rpartition("/")[2] for reason in found.unread] == ["empty.csv is empty; copy or download it again"]
    assert "# Not read: " in found.toml
    with pytest.raises(DataError, match="fits no file"):
        examine([str(tmp_path / "*.parquet")], tmp_path)


def test_another_source_with_the_same_ids_is_named(tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text("customer,segment\nc1,A\nc2,B\nc3,A\n")
    (tmp_path / "crm.toml").write_text('name = "crm"\n[nodes.User]\nfile = "crm.csv"\nid = "customer"\n')
    spec, asks = proposed(tmp_path, orders__csv="customer,sku\nc1,s1\nc2,s1\nc3,s2\nc4,s2\n")
    assert spec["nodes"]["User"] == {"file": "orders.csv", "id": "customer", "shared": True, "repeated": "first"}
    assert any("3 of 4 User ids are in crm.toml, too" in ask for ask in asks)
    spec, asks = proposed(tmp_path, orders__csv="customer,sku\n1,s1\n2,s1\n3,s2\n")
    assert "nodes" not in spec
    spec, asks = proposed(tmp_path, str(tmp_path / "crm.csv"))  # its own description is no other source
    assert "shared" not in str(spec)


def test_whole_numbers_written_as_floats_are_users(tmp_path: Path) -> None:
    spec, _ = proposed(tmp_path, ids__csv="user,item\n1,a\nnan,a\nNaN,b\nNULL,b\nNone,a\n2.0,a\n2,b\n")
    table = spec["edges"]["VIEWED"]
    assert (table["from"], table["missing"]) == ("User:user", ["", "nan", "NaN", "NULL", "None"])


# -- databases


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A SQLite shop with customers, products, orders and their lines, and foreign keys."""
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.executescript(
            """
            create table customers (id integer primary key, name text);
            create table products (id integer primary key, title text, price real);
            create table orders (id integer primary key, who integer references customers (id), ordered_at text);
            create table order_items (order_id integer references orders (id),
                product_id integer references products (id), quantity integer);
            insert into customers values (1, 'Ann'), (2, 'Bo');
            insert into products values (7, 'Mug', 8.5), (8, 'Tea', 3);
            insert into orders values (1, 1, '2024-01-02 10:00:00'), (2, 2, '2024-01-03 10:00:00');
            insert into order_items values (1, 7, 2), (1, 8, 1), (2, 7, 1);
            """
        )
    database.close()
    return tmp_path / "shop.db"


def test_a_database_is_described_by_its_keys(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = examine(["sqlite:///shop.db"], tmp_path)
    spec = tomllib.loads(found.toml)
    assert spec["nodes"]["User"]["id"] == "id"
    assert spec["nodes"]["Item"]["properties"] == ["title", {"name": "price", "type": "float"}]
    (tmp_path / "spec.toml").write_text(found.toml)
    frame = read(tmp_path / "spec.toml").edge("PURCHASED").frame
    assert list(frame[["source_id", "target_id", "quantity"]].itertuples(index=False, name=None)) == [
        ("1", "7", 2),
        ("1", "8", 1),
        ("2", "7", 1),
    ]
    assert tomllib.loads(examine([shop], tmp_path).toml)["edges"] == spec["edges"]


def test_no_password_is_shown(postgres: str, tmp_path: Path) -> None:
    from sqlalchemy import create_engine, make_url

    engine = create_engine(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table if exists sniffed_ratings")
        connection.exec_driver_sql("create table sniffed_ratings (user_id int, item_id int, rating numeric)")
        connection.exec_driver_sql("insert into sniffed_ratings values (1, 2, 4.5), (2, 2, 3)")
    url = make_url(postgres).set(password="hunter2")
    found = examine([url.render_as_string(hide_password=False)], tmp_path)
    assert "hunter2" not in str(found)
    assert "${DATABASE_PASSWORD}" in found.toml
    assert 'sql = "select * from sniffed_ratings"' in found.toml
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table sniffed_ratings")
    engine.dispose()
    with pytest.raises(DataError) as caught:
        examine([f"{url.set(database='no_such').render_as_string(hide_password=False)}"], tmp_path)
    assert "hunter2" not in str(caught.value)


# -- whatever is proposed can be loaded

_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\ufeff"), min_size=1, max_size=8
)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[list[tuple[str, str, str]], str, str, str, str]:
    """Rows of user, item and rating, with a separator, a quote, an encoding and line ends to write them with."""
    users = draw(st.lists(st.sampled_from(["u1", "u2", "ü3", "u 4", "5"]), min_size=2, max_size=12))
    rows = [
        (user, draw(st.sampled_from(["a1", "b2", 'c"3', "d,4", "e;5"])), draw(st.sampled_from(["1", "2.5", "4", "5"])))
        for user in users
    ]
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    return (
        rows,
        separator,
        '"',
        draw(st.sampled_from(["utf-8", "cp1252", "utf-16"])),
        draw(st.sampled_from(["\n", "\r\n"])),
    )


def _loaded_as_written(table: tuple[list[tuple[str, str, str]], str, str, str, str], folder: Path) -> None:
    rows, separator, quote, coding, end = table
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quotechar=quote, lineterminator=end)
    writer.writerows([("user_id", "item_id", "rating"), *rows])
    (folder / "r.csv").write_bytes(out.getvalue().encode(coding))
    (folder / "r.toml").write_text(examine([folder / "r.csv"], folder).toml, encoding="utf-8")
    frame = read(folder / "r.toml").edge("RATED").frame
    last = {(user, item): float(rating) for user, item, rating in reversed(rows)}
    found = {(a, b): c for a, b, c in frame[["source_id", "target_id", "rating"]].itertuples(index=False, name=None)}
    assert found == last


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_tables())
def test_tables_of_any_dialect_load_as_written(table: Any, tmp_path: Path) -> None:  # as _tables makes it
    _loaded_as_written(table, tmp_path)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_tables())
def test_many_tables_of_any_dialect_load_as_written(table: Any, tmp_path: Path) -> None:  # as _tables makes it
    _loaded_as_written(table, tmp_path)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.lists(st.lists(_TEXTS, min_size=1, max_size=4), min_size=1, max_size=6).map(
    lambda rows: "\n".join(",".join(row) for row in rows).encode()
))  # fmt: skip
def test_whatever_bytes_a_file_has_sniff_proposes_or_says_why(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    try:
        text = examine([tmp_path / "x.csv"], tmp_path).toml
    except DataError:
        return
    tomllib.loads(text)


@pytest.mark.slow
def test_wide_and_large_files_are_quick(tmp_path: Path) -> None:
    from time import process_time

    (tmp_path / "wide.csv").write_text(
        "user_id," + ",".join(f"f{n}" for n in range(5000)) + "\n"
        + "".join(f"u{row}," + ",".join(f"{row}.{n}" for n in range(5000)) + "\n" for row in range(20))
    )  # fmt: skip
    started = process_time()
    examine([tmp_path / "wide.csv"], tmp_path)
    assert process_time() - started < 15
    line = b"12345,678,4,1500000000\n"
    with (tmp_path / "large.csv").open("wb") as out:
        out.write(b"user_id,item_id,rating,timestamp\n")
        for _ in range(400):
            out.write(line * 40_000)
    started = process_time()
    assert not sniff(tmp_path / "large.csv").whole
    assert process_time() - started < 10


# -- public forms that were misread


def test_a_number_of_things_is_no_id_of_them(tmp_path: Path) -> None:
    rows = "".join(f"{200 + n % 3},{n},Book {n}\n" for n in range(12))
    spec, _ = proposed(tmp_path, books__csv="num_pages,book_id,title\n" + rows)
    assert spec["nodes"]["Item"]["id"] == "book_id"
    assert words.meaning("nr_reviews").part != "id"
    assert words.meaning("no_product").what == "item"


def test_files_of_other_things_are_not_joined_by_a_mere_id(tmp_path: Path) -> None:
    spec, _ = proposed(
        tmp_path,
        bookmarks__csv="id,title,url\n" + "".join(f"{n},T {n},http://s/{n}\n" for n in range(1, 9)),
        tags__csv="id,value\n" + "".join(f"{n},tag {n}\n" for n in range(1, 9)),
        taggings__csv="userID,bookmarkID,tagID\n" + "".join(f"{n % 4},{n % 8 + 1},{n % 5 + 1}\n" for n in range(20)),
    )
    assert spec["nodes"]["Item"]["file"] == "bookmarks.csv"
    assert "sql" not in spec["nodes"]["Item"]


def test_a_remark_in_brackets_is_no_part_of_a_name(tmp_path: Path) -> None:
    rows = "".join(f"ch_{n},cus_{n % 5},prod_{n % 4}\n" for n in range(20))
    spec, _ = proposed(tmp_path, payments__csv="id,Customer ID,Product ID (metadata)\n" + rows)
    (edges,) = spec["edges"].values()
    assert (edges["from"], edges["to"]) == ("User:Customer ID", "Item:Product ID (metadata)")


def test_client_ids_of_two_numbers_are_users_and_keep_their_digits(tmp_path: Path) -> None:
    rows = "".join(f"{n % 4}.16000000{n % 4}0,i{n % 3},{n // 2},view_item\n" for n in range(12))
    spec, _ = proposed(tmp_path, events__csv="user_pseudo_id,item_id,session_id,event_name\n" + rows)
    assert spec["edges"]["VIEWED"]["from"] == "User:user_pseudo_id"
    (tmp_path / "s.toml").write_text(
        'name = "s"\n[edges.VIEWED]\nfile = "events.csv"\nfrom = "User:user_pseudo_id"\nto = "Item:item_id"\n'
        'repeated = "first"\n'
    )
    users = next(table for table in read(tmp_path / "s.toml").nodes if table.type.label == "User")
    assert sorted(users.frame["id"]) == ["0.1600000000", "1.1600000010", "2.1600000020", "3.1600000030"]


def test_a_completed_order_is_a_purchase_and_a_completed_course_is_not(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 4},i{n % 3},{'wc-refunded' if n % 5 == 0 else 'wc-completed'}\n" for n in range(20))
    spec, _ = proposed(tmp_path, a__csv="user_id,item_id,Order Status\n" + rows)
    assert set(spec["edges"]) == {"PURCHASED", "RETURNED"}
    rows = "".join(f"u{n % 4},i{n % 3},{'view' if n % 5 == 0 else 'completed'}\n" for n in range(20))
    spec, _ = proposed(tmp_path, b__csv="user_id,course_id,event\n" + rows)
    assert "COMPLETED" in spec["edges"]


def test_a_sentence_is_no_event_and_negative_numbers_are_no_count(tmp_path: Path) -> None:
    rows = "".join(f"u{n % 4},i{n % 3},I like it very much and bought two\n" for n in range(20))
    spec, _ = proposed(tmp_path, a__csv="user_id,item_id,text\n" + rows)
    assert set(spec["edges"]) == {"REVIEWED"}
    rows = "".join(f"{n % 5}\tp{n % 4}\t2012-04-0{n % 9 + 1}T10:00:00Z\t{(-180, 0, 240)[n % 3]}\n" for n in range(20))
    spec, _ = proposed(tmp_path, checkins__txt=rows)
    assert "weight" not in spec["edges"]["VISITED"]


def test_lines_below_the_id_of_what_they_belong_to_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "combined.txt"
    path.write_text("1:\n5,3,2005-09-06\n7,4,2005-05-13\n2:\n5,4,2005-09-05\n9,1,2005-10-19\n")
    with pytest.raises(DataError, match=r"lines such as '2:', to which the lines below belong.*awk"):
        sniff(path)


def test_rows_of_things_that_differ_within_an_id_are_asked_about(tmp_path: Path) -> None:
    rows = "".join(f"{n % 6},{('colour', 'size', 'price')[n % 3 if n < 20 else n % 2]},v{n}\n" for n in range(40))
    _, questions = proposed(tmp_path, item_properties__csv="item_id,property,value\n" + rows)
    assert any("item_id comes again with other values of" in ask for ask in questions)
