"""Tables cleaned by one set of rules, and what the tests of cleaning read from them."""

from collections.abc import Mapping

import pandas as pd

from graphrec.cleaning import CleaningRules, clean
from graphrec.cleaning_report import TableCount
from graphrec.schema import EdgeType, NodeType
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
