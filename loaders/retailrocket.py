"""RetailRocket: items that visitors of a shop viewed, put into the cart and bought, and properties of items.

The folder contains either Kaggle's events.csv, with item_properties_part1.csv, item_properties_part2.csv and
category_tree.csv optional; or the training files of SSLRec: train_view.csv, train_cart.csv, train_buy.csv
(user,item,value: the time), with kg.txt optional. All plain or gzip-compressed. test.csv contains the test interactions
and is not read; `graphrec benchmark` is for published splits.

The last of several events of one kind between a visitor and an item counts, and so does the last value of an item's
property. A value of only one item connects nothing and gives no edge. The lines of kg.txt ("6 0 285") are links
between items that share a property, in both directions, and links of items to themselves. SHARES_PROPERTY keeps both
directions and drops the links of items to themselves.
"""

from pathlib import Path

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.errors import DataError, GraphrecError, first_few
from graphrec.reading import Kind, find, has, read_table
from graphrec.schema import ITEM, USER, EdgeType, NodeType
from graphrec.tables import ENDS, GraphTables, Source

_TIME = ("timestamp",)
VIEWED = EdgeType(USER, "VIEWED", ITEM, _TIME)
CARTED = EdgeType(USER, "CARTED", ITEM, _TIME)
PURCHASED = EdgeType(USER, "PURCHASED", ITEM, _TIME)
SHARES_PROPERTY = EdgeType(ITEM, "SHARES_PROPERTY", ITEM, ("property",), key=("property",))
#: Not shared: the names and values are hashed, so they mean nothing in another source.
PROPERTY = NodeType("Property", ("property", "value"))
HAS_PROPERTY = EdgeType(ITEM, "HAS_PROPERTY", PROPERTY.label, ("property",), key=("property",))
CATEGORY = NodeType("Category")
IN_CATEGORY = EdgeType(ITEM, "IN_CATEGORY", CATEGORY.label)
CHILD_OF = EdgeType(CATEGORY.label, "CHILD_OF", CATEGORY.label)
SOURCE = Source(
    "retailrocket",
    "",
    "https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset",
    "RetailRocket (Kaggle): CC BY-NC-SA 4.0",
)

_EVENTS = {"view": VIEWED, "addtocart": CARTED, "transaction": PURCHASED}
_TRAIN = {"train_view.csv": VIEWED, "train_cart.csv": CARTED, "train_buy.csv": PURCHASED}
_PARTS = ("item_properties_part1.csv", "item_properties_part2.csv")
_LAST = CleaningRules(times=_TIME, repeated="last", by="timestamp")
_RULES = {
    **{kind.relation: _LAST for kind in _TRAIN.values()},
    "SHARES_PROPERTY": CleaningRules(itself="drop", repeated="first"),
}
_Edges = list[tuple[EdgeType, pd.DataFrame]]


def load(folder: Path | None = None) -> GraphTables:
    """Users and items with VIEWED, CARTED and PURCHASED edges, and edges to properties of items.

    From Kaggle's files these are HAS_PROPERTY to Property nodes (`property` and `value` as hashed by the source),
    IN_CATEGORY to categories and CHILD_OF between categories; from SSLRec's files SHARES_PROPERTY between items.

    Raises:
        DataError: the folder has neither format, or a file is defective.
        GraphrecError: folder is None; this source includes no data.
    """
    if folder is None:
        raise GraphrecError(
            f"source retailrocket needs a folder: download events.csv, item_properties_part1.csv, "
            f"item_properties_part2.csv and category_tree.csv from {SOURCE.url} and give their folder"
        )
    if has(folder, "events.csv"):
        nodes, edges = _read_kaggle(folder)
    elif any(has(folder, name) for name in _TRAIN):
        nodes, edges = [], _read_sslrec(folder)
    else:
        raise DataError(
            f"folder {folder} holds no RetailRocket data: it needs events.csv, or {', '.join(_TRAIN)} (each may end in "
            f".gz); download the first from {SOURCE.url}"
        )
    present = {kind.relation for kind, _ in edges}
    return clean(nodes, edges, [SOURCE], {name: rules for name, rules in _RULES.items() if name in present})


def _read_sslrec(folder: Path) -> _Edges:
    columns: dict[str, Kind] = {"user": "str", "item": "str", "value": "int"}
    edges: _Edges = [
        (kind, read_table(find(folder, name), columns).set_axis([*ENDS, "timestamp"], axis=1))
        for name, kind in _TRAIN.items()
    ]
    if has(folder, "kg.txt"):
        columns = {"source_id": "str", "property": "str", "target_id": "str"}
        links = read_table(find(folder, "kg.txt"), columns, separator=" ", header=list(columns), quoting=False)
        edges.append((SHARES_PROPERTY, links))
    return edges


def _read_kaggle(folder: Path) -> tuple[list[tuple[NodeType, pd.DataFrame]], _Edges]:
    path = find(folder, "events.csv")
    rows = read_table(path, {"visitorid": "str", "itemid": "str", "timestamp": "int", "event": "str"})
    rows = rows.rename(columns={"visitorid": "source_id", "itemid": "target_id"})
    rows["timestamp"] //= 1000  # the source has milliseconds
    other = rows.loc[~rows["event"].isin(_EVENTS), "event"]
    if len(other):
        raise DataError(
            f"{path}: {len(other):,} events are not one of {', '.join(_EVENTS)} ({first_few(other.unique())}); correct "
            "these lines"
        )
    kinds = [(kind, rows[rows["event"] == name]) for name, kind in _EVENTS.items()]
    edges: _Edges = [(kind, frame) for kind, frame in kinds if len(frame)]
    nodes: list[tuple[NodeType, pd.DataFrame]] = []
    if any(has(folder, name) for name in _PARTS):
        nodes, more = _read_properties(folder)
        edges += more
    if has(folder, "category_tree.csv"):
        tree = read_table(find(folder, "category_tree.csv"), {"categoryid": "str", "parentid": "str?"})
        edges.append((CHILD_OF, tree.dropna().set_axis(ENDS, axis=1)))  # a category without a parent is a root
    return nodes, edges


def _read_properties(folder: Path) -> tuple[list[tuple[NodeType, pd.DataFrame]], _Edges]:
    """Property nodes, and HAS_PROPERTY and IN_CATEGORY edges for the newest value of each property of each item."""
    columns: dict[str, Kind] = {"timestamp": "int", "itemid": "str", "property": "str", "value": "str"}
    rows = pd.concat([read_table(find(folder, name), columns) for name in _PARTS], ignore_index=True)
    rows = rows.sort_values("timestamp", kind="stable").drop_duplicates(["itemid", "property"], keep="last")
    category = rows["property"] == "categoryid"
    categories = rows.loc[category, ["itemid", "value"]].set_axis(ENDS, axis=1)
    rows = rows[~category & rows.duplicated(["property", "value"], keep=False)]
    rows = rows.assign(id=rows["property"] + "=" + rows["value"])
    values = rows.drop_duplicates("id")[["id", "property", "value"]]
    edges = rows.rename(columns={"itemid": "source_id", "id": "target_id"})
    return [(PROPERTY, values)], [(HAS_PROPERTY, edges), (IN_CATEGORY, categories)]
