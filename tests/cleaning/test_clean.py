"""Cleaning: each rule repairs, merges or rejects exactly what it says, and all of it is in the report."""

import cProfile
import json
import time
import warnings

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphrec.cleaning import CleaningRules, clean, require_nothing_rejected
from graphrec.cleaning_report import RuleCount, TableCount
from graphrec.errors import DataError, UnknownNameError
from graphrec.schema import EdgeType, LinkRule, NodeType
from graphrec.tables import GraphTables

from .cleaned_tables import MAY, RATED, SOURCE, edges, kept, nodes, only, rated


def test_a_clean_table_is_in_the_report_too() -> None:
    link = LinkRule("Item", "exact", ("name",))
    item = (NodeType("Item", ("name",)), pd.DataFrame({"id": ["a"], "name": ["A"]}))
    tables = clean([item], [], [SOURCE], links=[link])
    assert tables.cleaning.tables == (TableCount("Item", 1, 1),)
    assert tables.cleaning.rejected is not None
    assert tables.cleaning.rejected.columns.tolist() == ["table", "file", "line", "rule", "reason", "row"]
    assert (tables.links, tables.sources) == ((link,), (SOURCE,))
    require_nothing_rejected(tables.cleaning)


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


def test_the_work_of_cleaning_grows_with_the_columns_and_not_with_their_square() -> None:
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
        few, many = calls(50), calls(200)
    assert many < 4.6 * few
