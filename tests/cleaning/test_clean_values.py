"""Cleaning of values: texts, ids and numbers are repaired or rejected, and the report shows it."""

import json
import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.cleaning import CleaningRules, clean
from graphrec.cleaning.text import repair_string
from graphrec.cleaning_report import RuleCount
from graphrec.schema import EdgeType, LinkRule, NodeType

from .cleaned_tables import MAY, SOURCE, kept, nodes, only, rated


def test_text_is_repaired_and_shown() -> None:
    names = ["CafÃ©", "a  b\t", "Zu\u0308rich", "x\x00\u200by", "Tom &amp; Jerry", "‘plain’ ﬁne Ａ", "  ", None]
    tables = nodes({"id": [f"{i}" for i in range(8)], "name": names}, CleaningRules(text=("name",)))
    frame = tables.nodes[0].frame
    assert frame["name"].tolist()[:6] == ["Café", "a b", "Zürich", "xy", "Tom & Jerry", "‘plain’ ﬁne Ａ"]
    assert frame["name"].isna().tolist() == [False] * 6 + [True] * 2
    (rule,) = only(tables).rules
    assert (rule.rule, rule.action, rule.rows) == ("text", "repaired", 6)
    assert rule.examples[:2] == ("name: 'CafÃ©' → 'Café'", "name: 'a  b\\t' → 'a b'")
    assert len(rule.examples) == 5


def test_text_is_left_alone_unless_a_rule_names_it() -> None:
    tables = nodes({"id": ["a"], "name": [" CafÃ© "]}, CleaningRules())
    assert kept(tables) == [("a", " CafÃ© ")]


def test_ids_are_trimmed_and_nothing_else() -> None:
    tables = nodes({"id": [" a  b ", "CafÃ©", "c\x00", "Zu\u0308"], "name": ["", "", "", ""]}, CleaningRules())
    assert tables.nodes[0].frame["id"].tolist() == ["a  b", "CafÃ©", "c", "Zü"]


def test_a_million_plain_texts_cost_less_than_a_second() -> None:
    frame = pd.DataFrame({"id": pd.Series(range(1_000_000)).astype("str")})
    frame["name"] = "the name of " + frame["id"]
    before = time.process_time()
    clean([(NodeType("Item", ("name",)), frame)], [], [SOURCE], {"Item": CleaningRules(text=("name",))})
    assert time.process_time() - before < 3  # 0.9 s on a quiet machine, of which the text takes 0.3 s


def test_numbers_become_ids_exactly() -> None:
    tables = rated([(7, 1.0, 3.0, MAY), (8, 2.5, 3.0, MAY)], CleaningRules())
    assert kept(tables) == [("7", "1", 3.0, MAY), ("8", "2.5", 3.0, MAY)]
    assert [table.type.label for table in tables.nodes] == ["User", "Item"]  # made from the ends
    assert tables.node("User").frame["id"].tolist() == ["7", "8"]


def test_values_of_a_wrong_type_are_rejected_as_they_stood() -> None:
    rows: list[tuple[object, object, object, object]] = [
        ("u", "i", "4.5", "1400000000"),
        ("u", "j", "four", "1400000000"),
        ("u", "k", "inf", "1400000000"),
        ("u", "l", "3", "1.5"),
    ]
    tables = rated(rows, CleaningRules(types={"rating": "float", "timestamp": "int"}))
    assert kept(tables) == [("u", "i", 4.5, MAY)]
    assert tables.edges[0].frame.dtypes.astype(str).tolist() == ["str", "str", "float64", "int64"]
    assert only(tables).rules == (
        RuleCount("type", "dropped", 3, ("u → j: rating four", "u → k: rating inf", "u → l: timestamp 1.5")),
    )
    assert tables.cleaning.rejected is not None
    assert json.loads(tables.cleaning.rejected["row"][0])["rating"] == "four"


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("Neun ErzÃ?Â¤hlungen.", "Neun ErzÃ?Â¤hlungen."),  # a byte is gone: ftfy would write U+FFFD
        ("&#0;x", "&#0;x"),
        ("was \ufffd before, cafÃ©", "was \ufffd before, café"),
        ("line  one\r\n two\n\n\n\nthree", "line one\ntwo\n\nthree"),
        ("Tom &amp;amp; Jerry", "Tom & Jerry"),
        ("日本\u3000語 ｶﾅ ﬁ ‘q’ 10\u00a0€", "日本\u3000語 ｶﾅ ﬁ ‘q’ 10\u00a0€"),
        ("\x80 5", "€ 5"),
        ("IÌ‡stanbul", "İstanbul"),
    ],
)
def test_repair_never_makes_a_text_worse(text: str, repaired: str) -> None:
    assert repair_string(text) == repaired
    assert repair_string(repaired) == repaired


@given(st.text(max_size=20))
def test_what_is_repaired_stays_so(text: str) -> None:
    once = repair_string(text)
    assert repair_string(once) == once
    assert once.count("\ufffd") <= text.count("\ufffd")


@pytest.mark.parametrize(
    ("users", "others", "ids"),
    [
        (["14503.0", "7.0"], ["14503"], ["14503", "7"]),
        (["1.4503e4", "7"], ["14503.0"], ["14503", "7"]),
        (["1.4503E+04", "7"], ["14503"], ["14503", "7"]),
        (["9007199254740993.0", "7"], ["9007199254740993"], ["9007199254740993", "7"]),
        (["14503.0", "7.0"], ["14503.0", "guest"], ["14503", "7", "guest"]),
        (["1.0", "1.5"], ["1.0"], ["1.0", "1.5"]),  # versions
        (["14503.0", "7.0"], ["1.5"], ["14503.0", "7.0", "1.5"]),
        (["007", "1.0"], ["007"], ["007", "1.0"]),
        (["12E4", "2.0"], ["12E4"], ["12E4", "2.0"]),
        (["1.23457E+12", "2.0"], ["2.0"], ["1.23457E+12", "2.0"]),
    ],
)
def test_ids_that_became_floats_are_whole_numbers_again(users: list[str], others: list[str], ids: list[str]) -> None:
    kinds = [EdgeType("User", name, "Item") for name in ("VIEWED", "PURCHASED")]
    frames = [pd.DataFrame({"source_id": column, "target_id": "i"}) for column in (users, others)]
    tables = clean([], list(zip(kinds, frames, strict=True)), [SOURCE])
    assert tables.node("User").frame["id"].tolist() == ids


def test_floats_among_ids_are_told_once_and_link_rules_see_the_same() -> None:
    frame = pd.DataFrame({"id": ["100.0", "101.0"], "number": ["100.0", "101.0"], "name": ["1.0", "2.0"]})
    kind = NodeType("User", ("number", "name"))
    tables = clean([(kind, frame)], [], [SOURCE], links=[LinkRule("User", "exact", ("number",))])
    assert kept(tables) == [("100", "100", "1.0"), ("101", "101", "2.0")]
    (rule,) = only(tables).rules
    assert (rule.rule, rule.action, rule.rows, rule.examples[0]) == ("ids", "repaired", 2, "id: 100.0 → 100")
    copied = clean([(NodeType("User", ("number", "name")), frame)], [], [SOURCE])
    assert kept(copied) == kept(tables)
    lost = clean([(NodeType("User"), pd.DataFrame({"id": ["1.23457E+12"]}))], [], [SOURCE])
    (rule,) = only(lost).rules
    assert (rule.action, rule.hint) == ("noted", "digits are lost in ids with an exponent; export the column as text")


def test_numbers_as_a_table_writes_them() -> None:
    rules = CleaningRules(types={"rating": "float"}, decimal=",", thousands=".")
    values = ["4,5", "1.234,50", "7", "1.234", "-,5", "1.23", "4.5", "€ 4", "1.2345"]
    tables = rated([("u", str(at), value, MAY) for at, value in enumerate(values)], rules)
    assert tables.edges[0].frame["rating"].tolist() == [4.5, 1234.5, 7.0, 1234.0, -0.5]
    assert only(tables).dropped == 4


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (["4,5", "3,0", "x"], 'rating: if its numbers are written so, write decimal = ","'),
        (["1.234,5"], 'rating: if its numbers are written so, write decimal = "," and thousands = "."'),
        (["1,234.5"], 'rating: if its numbers are written so, write thousands = ","'),
        (["1\u00a0234"], 'rating: if its numbers are written so, write thousands = " "'),
        (["12 %"], "rating: a currency or a per cent sign is no part of a number; take it out of the file"),
        (["four"], ""),
    ],
)
def test_a_number_that_is_none_gets_a_hint(values: list[str], hint: str) -> None:
    tables = rated(
        [("u", str(at), value, MAY) for at, value in enumerate(values)], CleaningRules(types={"rating": "float"})
    )
    assert only(tables).rules[0].hint == hint
