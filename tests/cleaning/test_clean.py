"""Cleaning: each rule repairs, merges or rejects exactly what it says, and all of it is in the report."""

import cProfile
import json
import time
import warnings
from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.cleaning import CleaningRules, clean, require_nothing_rejected
from graphrec.cleaning.text import repair_string
from graphrec.cleaning_report import RuleCount, TableCount
from graphrec.errors import DataError, UnknownNameError
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import GraphTables, Source

SOURCE = Source("test")
RATED = EdgeType("User", "RATED", "Item", ("rating", "timestamp"))
MAY = 1_400_000_000


def edges(columns: Mapping[str, object], rules: CleaningRules, kind: EdgeType = RATED) -> GraphTables:
    return clean([], [(kind, pd.DataFrame(columns))], [SOURCE], {kind.relation: rules})


def rated(rows: list[tuple[object, object, object, object]], rules: CleaningRules) -> GraphTables:
    names = ["source_id", "target_id", "rating", "timestamp"]
    return edges({name: [row[i] for row in rows] for i, name in enumerate(names)}, rules)


def nodes(columns: Mapping[str, object], rules: CleaningRules, properties: tuple[str, ...] = ("name",)) -> GraphTables:
    return clean([(NodeType("Item", properties), pd.DataFrame(columns))], [], [SOURCE], {"Item": rules})


def only(tables: GraphTables) -> TableCount:
    return tables.cleaning.tables[-1]


def kept(tables: GraphTables) -> list[tuple[object, ...]]:
    table = tables.edges[0] if tables.edges else tables.nodes[0]
    return list(table.frame.itertuples(index=False, name=None))


def test_a_clean_table_is_in_the_report_too() -> None:
    link = LinkRule("Item", "exact", ("name",))
    item = (NodeType("Item", ("name",)), pd.DataFrame({"id": ["a"], "name": ["A"]}))
    tables = clean([item], [], [SOURCE], links=[link])
    assert tables.cleaning.tables == (TableCount("Item", 1, 1),)
    assert tables.cleaning.rejected is not None
    assert tables.cleaning.rejected.columns.tolist() == ["table", "file", "line", "rule", "reason", "row"]
    assert (tables.links, tables.sources) == ((link,), (SOURCE,))
    require_nothing_rejected(tables.cleaning)


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


def test_text_is_unchanged_unless_a_rule_names_it() -> None:
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


def test_missing_ids_and_needed_values_are_rejected() -> None:
    tables = rated(
        [("u", "i", 1.0, MAY), (None, "i", 1.0, MAY), ("u", " ", 1.0, MAY), ("v", "i", None, MAY)],
        CleaningRules(needed=("rating",)),
    )
    assert kept(tables) == [("u", "i", 1.0, MAY)]
    assert only(tables).rules[-1] == RuleCount("missing", "dropped", 3, ("∅ → i", "u → ∅", "v → i: rating ∅"))
    assert tables.cleaning.rejected is not None
    assert tables.cleaning.rejected["reason"].tolist() == [
        "source_id is missing",
        "target_id is missing",
        "rating is missing",
    ]


def test_values_of_a_wrong_type_are_rejected_unchanged() -> None:
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


def test_values_outside_their_range_are_rejected() -> None:
    rows: list[tuple[object, object, object, object]] = [("u", str(r), r, MAY) for r in (0.4, 0.5, 5, 5.1, None)]
    tables = rated(rows, CleaningRules(ranges={"rating": (0.5, 5)}))
    assert tables.edges[0].frame["target_id"].tolist() == ["0.5", "5", "None"]
    assert only(tables).rules == (RuleCount("range", "dropped", 2, ("u → 0.4: rating 0.4", "u → 5.1: rating 5.1")),)
    assert tables.cleaning.rejected is not None
    assert tables.cleaning.rejected["reason"].unique().tolist() == ["rating is not between 0.5 and 5"]


def test_ranges_of_times_are_reported_as_times() -> None:
    kind = EdgeType("User", "RATED", "Item", ("timestamp",))
    frame = pd.DataFrame({"source_id": ["u"], "target_id": ["i"], "timestamp": [1500000000]})
    rules = {"RATED": CleaningRules(times=("timestamp",), ranges={"timestamp": (1600000000, None)})}
    report = clean([], [(kind, frame)], [SOURCE], rules).cleaning
    assert report.rejected is not None
    assert report.rejected["reason"].tolist() == ["timestamp is not at least 2020-09-13 12:26:40"]
    assert report.tables[0].rules[0].examples == ("u → i: timestamp 2017-07-14 02:40:00 (1500000000)",)


def test_impossible_times_are_rejected() -> None:
    now = int(time.time())
    times = [0, 631_152_000, now, now + 3 * 86_400, None]
    tables = rated([("u", str(i), 1.0, t) for i, t in enumerate(times)], CleaningRules(times=("timestamp",)))
    assert tables.edges[0].frame["target_id"].tolist() == ["1", "2", "4"]
    assert only(tables).rules[0].examples[0] == "u → 0: timestamp 0.0"
    early = rated([("u", "i", 1.0, 0)], CleaningRules(times=("timestamp",), earliest=0))
    assert kept(early) == [("u", "i", 1.0, 0)]


FOUR: list[tuple[object, object, object, object]] = [
    ("u", "i", 1.0, MAY + 2),
    ("u", "j", 9.0, MAY),
    ("u", "i", 5.0, MAY),
    ("u", "i", 2.0, MAY + 1),
]


@pytest.mark.parametrize(
    ("rules", "rating", "timestamp"),
    [
        (CleaningRules(repeated="first"), 1.0, MAY + 2),
        (CleaningRules(repeated="last"), 2.0, MAY + 1),
        (CleaningRules(repeated="first", by="timestamp"), 5.0, MAY),
        (CleaningRules(repeated="last", by="timestamp"), 1.0, MAY + 2),
        (CleaningRules(repeated="max", by="rating"), 5.0, MAY),
        (CleaningRules(repeated="sum", combined=("rating",)), 8.0, MAY + 1),
        (CleaningRules(repeated="sum", combined=("rating",), by="timestamp"), 8.0, MAY + 2),
    ],
)
def test_repeated_rows_are_merged(rules: CleaningRules, rating: float, timestamp: int) -> None:
    tables = rated(FOUR, rules)
    assert sorted(kept(tables)) == [("u", "i", rating, timestamp), ("u", "j", 9.0, MAY)]
    assert only(tables) == TableCount("RATED", 4, 2, (RuleCount("repeated", "merged", 2, ("u → i: 3 rows",)),))
    require_nothing_rejected(tables.cleaning)


def test_repeated_rows_are_refused_by_default() -> None:
    with pytest.raises(DataError, match=r"RATED: 2 edges occur more than once .* \(u → i, u → i\)"):
        rated(FOUR, CleaningRules())


def test_sums_skip_missing_values() -> None:
    rows: list[tuple[object, object, object, object]] = [
        ("u", "i", 1.0, MAY),
        ("u", "i", None, MAY),
        ("u", "j", None, MAY),
    ]
    tables = rated([*rows, ("u", "j", None, MAY)], CleaningRules(repeated="sum", combined=("rating",)))
    assert tables.edges[0].frame["rating"].isna().tolist() == [False, True]
    assert tables.edges[0].frame["rating"][0] == 1


def test_a_key_distinguishes_edges() -> None:
    kind = EdgeType("User", "TAGGED", "Item", ("tag",), ("tag",))
    frame = {"source_id": ["u"] * 4, "target_id": ["i"] * 4, "tag": ["a", "b", "a", None]}
    tables = edges(frame, CleaningRules(repeated="first"), kind)
    assert tables.edges[0].frame["tag"].fillna("-").tolist() == ["a", "b", "-"]
    every = EdgeType("User", "TAGGED", "Item", ("tag",), None)
    assert len(edges(frame, CleaningRules(repeated="first"), every).edges[0].frame) == 4


def test_friendships_of_both_directions_are_one() -> None:
    kind = EdgeType("User", "FRIEND", "User")
    frame = {"source_id": ["b", "a", "c", "d"], "target_id": ["a", "b", "c", "e"]}
    tables = edges(frame, CleaningRules(itself="drop", repeated="first"), kind)
    assert kept(tables) == [("a", "b"), ("d", "e")]
    assert {rule.rule: rule.rows for rule in only(tables).rules} == {"itself": 1, "repeated": 1}


def dangling(rules: CleaningRules) -> GraphTables:
    items = pd.DataFrame({"id": ["i", "x"], "year": [1999, 9999]})
    rows = pd.DataFrame({"source_id": ["u", "u", "v"], "target_id": ["i", "j", "x"], "rating": 1.0, "timestamp": MAY})
    both = {"RATED": rules, "Item": CleaningRules(ranges={"year": (None, 2100)})}
    return clean([(NodeType("Item", ("year",)), items)], [(RATED, rows)], [SOURCE], both)


def test_dangling_edges_are_refused_rejected_or_given_a_node() -> None:
    with pytest.raises(DataError, match=r"2 edges point at Item ids that no row of Item has \(j, x\)"):
        dangling(CleaningRules())
    dropped = dangling(CleaningRules(dangling="drop"))
    assert dropped.edges[0].frame["target_id"].tolist() == ["i"]
    assert dropped.node("User").frame["id"].tolist() == ["u"]  # v has no edge left
    assert only(dropped).rules == (RuleCount("dangling", "dropped", 2, ("u → j", "v → x")),)
    added = dangling(CleaningRules(dangling="add"))
    assert added.node("Item").frame["id"].tolist() == ["i", "j", "x"]
    assert str(added.node("Item").frame["year"].dtype) == "Int64"  # 1999 stays a whole number
    assert added.cleaning.tables[0].kept == 3


def test_strict_names_table_rule_count_and_examples() -> None:
    report = dangling(CleaningRules(dangling="drop")).cleaning
    with pytest.raises(
        DataError,
        match=r"Item lost 1 of 2 rows by rule 'range' \(x: year 9999\); "
        r"RATED lost 2 of 3 rows by rule 'dangling' \(u → j, v → x\); correct these rows",
    ):
        require_nothing_rejected(report)


def test_rules_that_fit_no_table_are_errors() -> None:
    frame = pd.DataFrame({"id": ["a"], "name": ["A"]})
    with pytest.raises(UnknownNameError, match="there is no table 'Itm'; did you mean Item"):
        clean([(NodeType("Item", ("name",)), frame)], [], [SOURCE], {"Itm": CleaningRules()})
    with pytest.raises(DataError, match="Item: the rules name column year, but the table has id, name"):
        nodes({"id": ["a"], "name": ["A"]}, CleaningRules(needed=("year",)))
    with pytest.raises(DataError, match="Item: the table has no column title; it has id, name"):
        nodes({"id": ["a"], "name": ["A"]}, CleaningRules(), ("title",))
    with pytest.raises(DataError, match="label Item has two tables"):
        clean([(NodeType("Item"), frame), (NodeType("Item"), frame)], [], [SOURCE])


def test_the_frames_are_not_changed() -> None:
    frame = pd.DataFrame({"id": [1, 1, 2], "name": [" a ", "b", None]})
    before = frame.copy(deep=True)
    clean(
        [(NodeType("Item", ("name",)), frame)], [], [SOURCE], {"Item": CleaningRules(text=("name",), repeated="last")}
    )
    pd.testing.assert_frame_equal(frame, before)


ID = st.one_of(st.none(), st.integers(0, 4), st.sampled_from(["a", " a", "b\x00", "", "é"]))
VALUE = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.text(max_size=4))


@given(rows=st.lists(st.tuples(ID, ID, VALUE, VALUE), max_size=12), repeated=st.sampled_from(["first", "last", "max"]))
def test_every_row_is_kept_merged_or_rejected(rows: list[tuple[object, ...]], repeated: str) -> None:
    frame = pd.DataFrame(rows, columns=["source_id", "target_id", "rating", "timestamp"], dtype=object)
    rules = CleaningRules(
        types={"rating": "float", "timestamp": "int"},
        ranges={"rating": (0, 5)},
        times=("timestamp",),
        repeated=repeated,  # type: ignore[arg-type]  # one of three of its choices
        by="rating",
    )
    tables = clean([], [(RATED, frame)], [SOURCE], {"RATED": rules})
    found = only(tables)
    merged = sum(rule.rows for rule in found.rules if rule.action == "merged")
    assert found.rows == len(rows) == found.kept + merged + found.dropped
    assert tables.cleaning.rejected is not None
    assert len(tables.cleaning.rejected) == found.dropped
    assert all(json.loads(row) is not None for row in tables.cleaning.rejected["row"])


def test_each_property_of_a_node_has_the_first_value_that_is_not_missing() -> None:
    rows = {"id": ["a", "a", "a", "b"], "name": [None, "Pot", "Tea", "Cup"], "n": [1, 2, 3, None]}

    def merged(rules: CleaningRules) -> tuple[object, object]:
        tables = nodes(rows, rules, ("name", "n"))
        return {row["id"]: (row["name"], row["n"]) for row in tables.nodes[0].frame.to_dict("records")}["a"]

    assert merged(CleaningRules(repeated="first")) == ("Pot", 1)
    assert merged(CleaningRules(repeated="last")) == ("Tea", 3)
    assert merged(CleaningRules(repeated="first", by="n")) == ("Pot", 1)
    assert merged(CleaningRules(repeated="max", by="n")) == ("Tea", 3)
    assert merged(CleaningRules(repeated="sum", combined=("n",))) == ("Tea", 6)
    rows["name"] = ["Pot", "", None, "Cup"]
    assert merged(CleaningRules(repeated="last")) == ("Pot", 3)


def test_conflicting_values_of_one_node_are_noted() -> None:
    rows = {"id": ["a", "a", "b", "b", "c"], "name": ["Pot", "Tea", "Cup", None, "Jug"]}
    report = only(nodes(rows, CleaningRules(repeated="first")))
    assert report.rules[-1] == RuleCount("conflict", "noted", 1, ("a: name 'Pot' stays, not 'Tea'",))
    assert report.dropped == 0


def test_an_edge_keeps_one_of_its_rows_whole() -> None:
    tables = rated([("u", "i", None, MAY), ("u", "i", 2.0, MAY + 1)], CleaningRules(repeated="first"))
    assert tables.edges[0].frame["rating"].isna().tolist() == [True]


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
def test_repair_is_idempotent(text: str) -> None:
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


def test_floats_among_ids_are_reported_once_and_link_rules_see_the_same() -> None:
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
def test_an_invalid_number_gets_a_hint(values: list[str], hint: str) -> None:
    tables = rated(
        [("u", str(at), value, MAY) for at, value in enumerate(values)], CleaningRules(types={"rating": "float"})
    )
    assert only(tables).rules[0].hint == hint


def test_the_work_of_cleaning_is_linear_in_the_columns() -> None:
    def calls(columns: int) -> int:
        names = tuple(f"c{number}" for number in range(columns))
        frame = pd.DataFrame({"id": ["a", "b", "a"], **{name: ["1", "2 ", None] for name in names}})
        rules = CleaningRules(
            types=dict.fromkeys(names, "int"), text=names, repeated="first", ranges={names[0]: (0, 9)}
        )
        profile = cProfile.Profile()
        profile.runcall(nodes, dict(frame), rules, names)
        return sum(entry.callcount for entry in profile.getstats())

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.PerformanceWarning)
        few, many = calls(100), calls(400)
    assert many < 4.6 * few
