"""A behaviour type is described once: one entry gives it a rank, a weight, a verb and its words in files."""

import subprocess
import sys
from pathlib import Path

import pytest

from graphrec.behaviours import BEHAVIOUR_TYPES, BEHAVIOURS, WEIGHT_PROPERTIES, behaviour_type
from graphrec.schema import EdgeType, GraphSchema

#: A program that loads `graphrec.behaviours` with one more entry, and uses the new type in all rooms.
NEW_TYPE = """
import importlib.util, sys

spec = importlib.util.find_spec("graphrec.behaviours")
with open(spec.origin, encoding="utf-8") as file:
    source = file.read()
start = "BEHAVIOUR_TYPES: tuple[BehaviourType, ...] = (\\n"
entry = '    BehaviourType("TASTED", strength=95, verb="tasted", weight_properties=("sips",), stems=("tasting",)),\\n'
assert start in source
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
exec(source.replace(start, start + entry), module.__dict__)

import pandas as pd
from graphrec import hetero
from graphrec.explanation.text import verb
from graphrec.schema import EdgeType, NodeType
from graphrec.tables import EdgeTable, GraphTables, NodeTable
from  import relation_of

nodes = [NodeTable(NodeType(label), pd.DataFrame({"id": ["1", "2"]})) for label in ("User", "Item")]
ends = {"source_id": ["1", "2"], "target_id": ["2", "1"]}
edges = [
    EdgeTable(EdgeType("User", name, "Item", (weight,)), pd.DataFrame(ends | {weight: [3.0, 7.0]}))
    for name, weight in (("RATED", "rating"), ("TASTED", "sips"))
]
graph = hetero.build(GraphTables(tuple(nodes), tuple(edges)))
print(graph.target[1], hetero.interactions(graph).weight.tolist(), verb(["TASTED"]), relation_of("wine_tastings"))
"""


def test_one_entry_makes_a_new_type(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", NEW_TYPE], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.strip() == "TASTED [3.0, 7.0] tasted TASTED", done.stderr


def test_types_are_ranked_by_strength() -> None:
    edges = [EdgeType("User", name, "Item") for name in ("UNHEARD_OF", "VIEWED", "RATED", "PURCHASED", "LIKED")]
    found = [edge.relation for edge in GraphSchema((), tuple(edges)).behaviours()]
    assert found == ["PURCHASED", "RATED", "VIEWED", "LIKED", "UNHEARD_OF"]
    assert BEHAVIOURS[0] == "PURCHASED"
    assert BEHAVIOURS[-1] == "TAGGED"


def test_every_type_is_listed_once_with_a_strength_of_its_own() -> None:
    names = [each.relation for each in BEHAVIOUR_TYPES]
    strengths = [each.strength for each in BEHAVIOUR_TYPES if each.strength is not None]
    stems = [stem for each in BEHAVIOUR_TYPES for stem in each.stems]
    for found in (names, strengths, stems):
        assert len(set(found)) == len(found)


@pytest.mark.parametrize(("relation", "verb"), [("PURCHASED", "bought"), ("UNHEARD_OF", "")])
def test_an_unlisted_type_has_the_defaults(relation: str, verb: str) -> None:
    found = behaviour_type(relation)
    assert (found.relation, found.verb, found.weight_properties) == (relation, verb, WEIGHT_PROPERTIES)
