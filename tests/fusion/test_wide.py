"""The work of fusion is linear in the number of properties."""

import cProfile
import warnings

import pandas as pd

from graphrec.fusion import fuse
from graphrec.fusion.fuse import GraphState
from graphrec.fusion.provenance import SourceManifest
from graphrec.schema import NodeType
from graphrec.tables import GraphTables, NodeTable, Source


def calls(columns: int) -> int:
    """The number of function calls to fuse a label with this number of properties with itself."""
    names = tuple(f"c{number}" for number in range(columns))
    values = {name: ["1", "2"] for name in names}
    table = NodeTable(NodeType("User", names), pd.DataFrame({"id": ["a", "b"], **values}))
    tables = GraphTables((table,), (), (Source("s"),))
    stored = pd.DataFrame({"id": ["a", "b"], "keys": [["s:a"], ["s:b"]], **values}, dtype=object)
    profile = cProfile.Profile()
    profile.runcall(fuse, GraphState((SourceManifest.of(tables),), {"User": stored}), tables)
    return sum(entry.callcount for entry in profile.getstats())


def test_cost_is_linear_in_the_number_of_properties() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.PerformanceWarning)
        few, many = calls(50), calls(200)
    assert many < 4.6 * few
