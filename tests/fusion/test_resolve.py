"""Entity resolution: groups of records, ids and values of nodes."""

from typing import Any

import pandas as pd
import pytest

from graphrec.fusion.provenance import SourceManifest
from graphrec.fusion.records import KEY, NATIVE_ID, SHARED, SOURCE_NAME
from graphrec.fusion.resolve import Resolved, resolve
from graphrec.schema import LinkRule, NodeType
from graphrec.tables import Source

SKU = LinkRule("Item", "exact", ("sku",))
NAMES = ("sku", "title", "year")


def make_manifest(
    name: str, *links: LinkRule, precedence: int = 0, label: str = "Item", shared: bool = False
) -> SourceManifest:
    return SourceManifest(Source(name, precedence=precedence), (NodeType(label, NAMES, shared),), (), links)


def records(*rows: tuple[str, str | None], **columns: list[Any]) -> pd.DataFrame:
    """Records of keys and skus; a key that ends with ! is shared."""
    keys = pd.Series([key.removesuffix("!") for key, _ in rows], dtype="str")
    parts = keys.str.partition(":")
    frame = pd.DataFrame({KEY: keys, SOURCE_NAME: parts[0], NATIVE_ID: parts[2]})
    frame[SHARED] = [key.endswith("!") for key, _ in rows]
    cells = {"sku": [sku for _, sku in rows], **columns}
    return frame.assign(
        **{name: pd.Series(cells.get(name, [None] * len(rows)), dtype=object, index=frame.index) for name in NAMES}
    )


def named(resolved: Resolved) -> dict[str, list[str]]:
    return dict(zip(resolved.nodes["id"], resolved.nodes["keys"], strict=True))


def node(resolved: Resolved, id_: str) -> dict[str, Any]:
    (row,) = resolved.nodes[resolved.nodes["id"] == id_].to_dict("records")
    return {str(name): value for name, value in row.items() if value is not None}


def test_a_node_has_the_id_of_its_first_record() -> None:
    three = records(("b:7", "x"), ("a:5", "x"), ("b:6", "y"))
    assert named(resolve("Item", three, [make_manifest("a", SKU), make_manifest("b")], NAMES)) == {
        "5": ["a:5", "b:7"],
        "6": ["b:6"],
    }
    higher = resolve("Item", three, [make_manifest("a", SKU), make_manifest("b", precedence=1)], NAMES)
    assert named(higher) == {"6": ["b:6"], "7": ["a:5", "b:7"]}
    assert [higher.nodes["id"][at] for at in higher.node] == ["7", "7", "6"]  # in the order of the records


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        (["a:1", "b:1"], ["a:1", "b:1"]),
        (["a:1", "b:1", "c:a:1"], ["a:a:1", "b:1", "a:1"]),
        (["a:1", "b:1", "c:2"], ["a:1", "b:1", "2"]),
        ([":1", "a:1", "b:1"], ["1", "a:1", "b:1"]),
        ([":1", ":a:1", "a:1"], ["1", "a:1", "a:a:1"]),
    ],
)
def test_nodes_with_clashing_ids(keys: list[str], ids: list[str]) -> None:
    sources = [make_manifest(name) for name in "abc"]
    found = resolve("Item", records(*((key, None) for key in keys)), sources, NAMES)
    assert [found.nodes["id"][at] for at in found.node] == ids


def test_the_first_value_by_precedence_counts_and_each_source_keeps_its_value() -> None:
    both = records(("a:1", "x"), ("b:2", "x"), title=["Heat", "The Heat"], year=[None, 1995])
    assert node(resolve("Item", both, [make_manifest("a", SKU), make_manifest("b")], NAMES), "1") == {
        **{"id": "1", "keys": ["a:1", "b:2"], "sku": "x", "title": "Heat", "year": 1995},
        **{"a:sku": "x", "a:title": "Heat", "b:sku": "x", "b:title": "The Heat", "b:year": 1995},
    }
    higher = resolve("Item", both, [make_manifest("a", SKU), make_manifest("b", precedence=1)], NAMES)
    assert node(higher, "2")["title"] == "The Heat"


def test_a_node_of_one_source_has_no_values_by_source() -> None:
    single = resolve("Item", records(("a:1", "x")), [make_manifest("a")], NAMES)
    assert node(single, "1") == {"id": "1", "keys": ["a:1"], "sku": "x"}


def test_properties_may_be_called_rank_and_at() -> None:
    frame = records(("b:7", None), ("a:5", None)).assign(rank=[40, 50], at=["home", "work"])
    found = resolve("Item", frame, [make_manifest("a"), make_manifest("b")], ("rank", "at"))
    assert (node(found, "7")["rank"], node(found, "7")["at"]) == (40, "home")
    assert (node(found, "5")["rank"], node(found, "5")["at"]) == (50, "work")


def test_by_hand_comes_before_every_source_and_keeps_its_id() -> None:
    both = records(("a:1", "x"), (":z", "x"), title=["Heat", "Mine"])
    found = node(resolve("Item", both, [make_manifest("a", SKU, precedence=9)], NAMES), "z")
    assert (found["keys"], found["title"], found[":title"], found["a:title"]) == ([":z", "a:1"], "Mine", "Mine", "Heat")
    assert named(resolve("Item", records((":z", None)), [make_manifest("a")], NAMES)) == {"z": []}


def test_two_records_of_one_source_stay_two() -> None:
    three = records(("a:1", "x"), ("b:1", "x"), ("b:2", "y"), ("c:1", "x"), title=[None, None, "Heat", "Heat"])
    three["year"] = pd.Series([None, None, 1995, 1995], dtype=object)
    sources = [
        make_manifest("a", SKU, LinkRule("Item", "title", ("title", "year"), threshold=0.9)),
        make_manifest("b"),
        make_manifest("c"),
    ]
    found = resolve("Item", three, sources, NAMES)
    assert sorted(map(tuple, found.nodes["keys"])) == [("a:1", "b:1", "c:1"), ("b:2",)]


def test_a_chain_that_would_join_two_records_of_one_source_is_refused() -> None:
    rules = [LinkRule("Item", "exact", (name,)) for name in ("sku", "title", "year")]
    chain = records(("a:1", "x"), ("b:1", "x"), ("c:1", None), ("a:2", None), title=[None, "t", "t", None])
    chain["year"] = pd.Series([None, None, 1995, 1995], dtype=object)
    found = resolve("Item", chain, [make_manifest("a", *rules), make_manifest("b"), make_manifest("c")], NAMES)
    assert len(found.decisions.refused) == 1
    assert all(len({key[0] for key in keys}) == len(keys) for keys in found.nodes["keys"])


def test_a_rule_that_is_not_one_to_one_joins_records_of_a_source_but_none_made_by_hand() -> None:
    several = LinkRule("Item", "exact", ("sku",), one_to_one=False)
    rows = records((":p", "x"), (":q", "x"), ("a:1", "x"), ("a:2", "x"))
    found = named(resolve("Item", rows, [make_manifest("a", several)], NAMES))
    assert found == {"p": [":p", "a:1", "a:2"], "q": []}


def test_shared_ids_are_one_with_those_made_by_hand() -> None:
    rows = records(("a:Crime!", None), ("b:Crime!", None), (":Crime", None), ("c:Crime", None), ("b:War!", None))
    sources = [make_manifest(name, label="Genre", shared=name != "c") for name in "abc"]
    assert named(resolve("Genre", rows, sources, NAMES)) == {
        "Crime": [":Crime", "a:Crime", "b:Crime"],
        "c:Crime": ["c:Crime"],
        "War": ["b:War"],
    }


def test_a_link_to_a_shared_node_made_by_hand_merges_all_its_records() -> None:
    rule = LinkRule("Genre", "exact", ("sku",))
    rows = records((":Crime", "x"), ("a:Crime!", None), ("c:1", "x"), ("b:1", "x"))
    sources = [
        make_manifest("a", label="Genre", shared=True),
        make_manifest("b", rule, label="Genre"),
        make_manifest("c", label="Genre"),
    ]
    assert named(resolve("Genre", rows, sources, NAMES)) == {"Crime": [":Crime", "a:Crime", "b:1", "c:1"]}


def test_only_rules_of_sources_with_the_label_are_applied() -> None:
    rows = records(("a:1", "x"), ("b:1", "x"))
    other = SourceManifest(Source("c"), (NodeType("User"),), (), (SKU,))
    assert len(resolve("Item", rows, [make_manifest("a"), make_manifest("b"), other], NAMES).nodes) == 2


def test_the_lowest_threshold_counts() -> None:
    rows = records(("a:1", None), ("b:1", None), title=["Star Wars", "Star Wars: A New Hope"], year=[1977, 1977])
    strict, lax = (LinkRule("Item", "title", ("title", "year"), threshold) for threshold in (0.95, 0.8))
    for links, count in (((strict,), 2), ((lax,), 1), ((strict, lax), 1)):
        found = resolve("Item", rows, [make_manifest("a", *links), make_manifest("b")], NAMES)
        assert len(found.nodes) == count
        assert len(found.decisions.proposed) == (count == 2)
        assert len(found.decisions.made) == (count == 1)


def test_a_confidence_at_the_threshold_is_enough() -> None:
    certain = LinkRule("Item", "exact", ("sku",), threshold=1.0)
    found = resolve(
        "Item", records(("a:1", "x"), ("b:1", "x")), [make_manifest("a", certain), make_manifest("b")], NAMES
    )
    assert (len(found.nodes), len(found.decisions.proposed)) == (1, 0)


def test_the_surest_links_are_made_first() -> None:
    """b:1 is a:1 by its sku and c:1 by title and year; the film of the year before, a:2, would join c:1 to it."""
    titles = [None, "Midnight Special", "Midnight Special", "Midnight Special"]
    rows = records(
        ("a:1", "x"), ("b:1", "x"), ("c:1", None), ("a:2", None), title=titles, year=[None, 2016, 2016, 2015]
    )
    found = resolve("Item", rows, [make_manifest("a", SKU), make_manifest("b"), make_manifest("c")], NAMES)
    assert sorted(map(tuple, found.nodes["keys"])) == [("a:1", "b:1", "c:1"), ("a:2",)]
    assert found.decisions.refused[["left_key", "right_key"]].to_numpy().tolist() == [["a:2", "c:1"]]
