"""The meaning of column names, and the relationship types that words indicate."""

from pathlib import Path

import pytest

from graphrec.tabular.inference import name_semantics

from ..proposals import propose_spec


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
    found = name_semantics.interpret_name(name)
    assert (found.entity, found.part) == (what, part)


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
    assert name_semantics.find_relation(text) == relation


def test_a_number_of_things_is_no_id_of_them(tmp_path: Path) -> None:
    rows = "".join(f"{200 + n % 3},{n},Book {n}\n" for n in range(12))
    spec, _ = propose_spec(tmp_path, books__csv="num_pages,book_id,title\n" + rows)
    assert spec["nodes"]["Item"]["id"] == "book_id"
    assert name_semantics.interpret_name("nr_reviews").part != "id"
    assert name_semantics.interpret_name("no_product").entity == "item"


def test_a_remark_in_brackets_is_no_part_of_a_name(tmp_path: Path) -> None:
    rows = "".join(f"ch_{n},cus_{n % 5},prod_{n % 4}\n" for n in range(20))
    spec, _ = propose_spec(tmp_path, payments__csv="id,Customer ID,Product ID (metadata)\n" + rows)
    (edges,) = spec["edges"].values()
    assert (edges["from"], edges["to"]) == ("User:Customer ID", "Item:Product ID (metadata)")
