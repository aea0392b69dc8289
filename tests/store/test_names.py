"""No name is read as a part of a statement: of labels, types, properties, sources, rules, parameters; both stores."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphrec.doctor import data
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.ingest import write_source
from graphrec.reranking import require_applicable
from graphrec.reranking.predicate import require_expression
from graphrec.reranking.spec import parse_rules
from graphrec.schema import EdgeType, NodeType
from graphrec.schema_names import defect, is_usable, require_name
from graphrec.serving.fallbacks import Fallbacks
from graphrec.serving.user_context import read_user_context
from graphrec.store import Store, counts, queries
from graphrec.store.connection import quote
from graphrec.store.read import read_schema, read_tables
from graphrec.tables import EdgeTable, GraphTables, NodeTable, Source
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

#: Pieces of statements and of what servers decode, between which hypothesis puts anything.
PIECES = (
    "`", "``", "\\", "\\\\", "\\u0060", "\\u005c", "\\u", "\\U00000060", "\u0060", "}", "{", ")", "]", "->", "(b)",
    "//", "/*", "'", '"', "$", "$x", ":", ";", "|", "&", "%", "#", " ", "é", "名", "😀", "\u200b", "\ufeff",
    "\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\ud800",
    " MATCH (v:Victim) DETACH DELETE v ", " SET v.age = 'pwned' ", "RETURN 1 ", "WITH 1 AS x ", "name", "User", "x",
)  # fmt: skip
NAMES = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=8).map("".join)
EVIL = (
    "x\\u0060: 1}) WITH 1 AS one MATCH (v:Victim) DETACH DELETE v //",
    "x\\u0060\\u003a c0}]->(b) WITH count(r) AS number MATCH (v\\u003aVictim) SET v.age = 7 RETURN DISTINCT number //",
    "x`: 1}) WITH 1 AS one MATCH (v:Victim) DETACH DELETE v //",
    "x\\`: 1}) WITH 1 AS one MATCH (v:Victim) DETACH DELETE v //",
)


def victim(store: Store) -> None:
    store.write("MATCH (n) DETACH DELETE n")
    store.write("CREATE (:Victim {id: 'v', age: 30})")


def unharmed(store: Store) -> bool:
    return store.read("MATCH (v:Victim) RETURN properties(v) AS p") == [{"p": {"id": "v", "age": 30}}]


def tables(prop: str, edge_prop: str, source: str, label: str = "Item", relation: str = "VIEWED") -> GraphTables:
    """A user who viewed an item, with these names."""
    item, view = NodeType(label, (prop,)), EdgeType("User", relation, label, (edge_prop,))
    users = pd.DataFrame({"id": pd.Series(["u"], dtype="str")})
    items = pd.DataFrame({"id": pd.Series(["i"], dtype="str"), prop: pd.Series(["Heat"], dtype="str")})
    views = pd.DataFrame(
        {
            "source_id": pd.Series(["u"], dtype="str"),
            "target_id": pd.Series(["i"], dtype="str"),
            edge_prop: pd.Series(["now"], dtype="str"),
        }
    )
    return GraphTables(
        (NodeTable(NodeType("User"), users), NodeTable(item, items)),
        (EdgeTable(view, views),),
        (Source(source),),
    )


def loads_or_refuses(store: Store, prop: str, edge_prop: str, source: str) -> None:
    """A load with these names takes effect as they stand, or is refused with a sentence; nothing else is changed."""
    if not all(map(is_usable, (prop, edge_prop, source))):
        with pytest.raises(DataError) as refused:
            tables(prop, edge_prop, source)
        assert str(refused.value).isprintable()
        return
    made = tables(prop, edge_prop, source)
    write_source(store, made)
    (row,) = store.read("MATCH (:User)-[r]->(i:Item) RETURN keys(i) AS node, keys(r) AS edge")
    assert prop in row["node"]
    assert edge_prop in row["edge"]
    again = write_source(store, made)
    assert not any((each.created, each.changed, each.deleted) != (0, 0, 0) for each in again.written)
    assert counts.count_graph(store).edges == 1
    read_tables(store)


def _named(name: str) -> bool:
    """Names that the tables have a meaning for are no subject here."""
    return (
        name not in {"id", "keys", "source", "source_id", "target_id", "embedding", "embedding_run"} and ":" not in name
    )


@pytest.mark.parametrize("name", EVIL)
def test_an_injected_statement_changes_nothing(store: Store, name: str) -> None:
    every = name, name, name.replace(":", "")
    each_alone = (name, "at", "s"), ("title", name, "s"), ("title", "at", every[2])
    for parts in each_alone if EVERYTHING or not is_usable(name) else (every,):
        victim(store)
        loads_or_refuses(store, *parts)
        assert unharmed(store)
    with pytest.raises(GraphrecError):
        quote("\\u0060 x")


@NEO4J_IS_SLOW
@pytest.mark.parametrize("name", ["price.net", "x->y", "a<=b", "$a", "not a"])
def test_names_with_signs_are_written_and_read(store: Store, name: str) -> None:
    victim(store)
    loads_or_refuses(store, name, name, "s")
    assert unharmed(store)


def _any_names(store: Store, name: str) -> None:
    victim(store)
    if _named(name):
        loads_or_refuses(store, name, "at", "s")
        assert unharmed(store)
        store.write("MATCH (n) WHERE NOT n:Victim DETACH DELETE n")
        loads_or_refuses(store, "title", name, "s")
        assert unharmed(store)
    if is_usable(name):
        store.read(f"MATCH (n:{quote(name)})-[r:{quote(name)}]->() RETURN n.{quote(name)}, r.{quote(name)} LIMIT 1")
    assert unharmed(store)


@settings(
    max_examples=4 if EVERYTHING else 2,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=NAMES)
def test_any_name(store: Store, name: str) -> None:
    _any_names(store, name)


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(name=NAMES)
def test_any_name_at_length(store: Store, name: str) -> None:
    _any_names(store, name)


def test_names_that_others_wrote_are_left_out_and_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Parameters write properties of any name, also on a Neo4j that others share."""
    victim(store)
    evil, odd = EVIL[0], "ti\x1btle"
    store.write(
        "CREATE (u:User {id: 'u'}), (i:Item {id: 'i'}), (g:Genre {id: 'g'}) SET i += $p, u += $p "
        "CREATE (u)-[r:VIEWED]->(i), (u)-[:LIKES]->(g), (i)-[:LIKES]->(g) SET r += $p",
        {"p": {evil: "a", odd: "b", "title": "Heat"}},
    )
    found = counts.count_graph(store)
    names = {part.name for label in found.labels for part in label.properties}
    assert {evil, odd, "title"} <= names  # counted, for their names are values there
    schema = read_schema(store)
    assert {name for kind in schema.nodes for name in kind.properties} == {"title", "age"}
    assert {name for kind in schema.edges for name in kind.properties} == {"title"}
    assert "properties called" in caplog.text
    assert caplog.text.count("\x1b") == 0
    read_tables(store)
    list(Fallbacks(store, "VIEWED").candidates(read_user_context(store, "u"), set(), 5))
    assert data.check_orphans(store, counts.known_relations(store)).seen
    assert unharmed(store)


def test_labels_and_types_that_others_wrote_are_left_out_and_told(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    victim(store)
    # how each server is brought to make them: Neo4j decodes the escape of a backslash, the embedded store nothing
    name = "x\\u0060" if store.embedded else "x\\u005cu0060"
    other = f"{name}T"
    store.write(
        f"CREATE (u:User {{id: 'u'}})-[:VIEWED]->(i:Item {{id: 'i'}}), (:`{name}` {{id: 'e'}}), (u)-[:`{other}`]->(i)"
    )
    assert not any("\\u" in each for each in (*counts.known_labels(store), *counts.known_relations(store)))
    found = counts.count_graph(store)
    assert found.left_out == ("x\\u0060", "x\\u0060T")
    assert [triple.triple for triple in found.triples] == [("User", "VIEWED", "Item")]
    assert {kind.label for kind in read_schema(store).nodes} == {"Item", "User", "Victim"}
    assert "relationships x" in caplog.text
    assert unharmed(store)


@pytest.mark.parametrize("name", EVIL)
def test_rules_and_parameters(store: Store, name: str) -> None:
    victim(store)
    store.write("CREATE (:User {id: 'u'})-[:VIEWED {timestamp: 1}]->(:Item {id: 'i'})")
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    for rule in (
        f'[[deny]]\nname = "a"\nwhere = "item.`{text}` = 1"',
        f'[[cap]]\nname = "a"\nproperty = "{text}"\nmost = 1',
        f'[[cap]]\nname = "a"\nlabel = "{text}"\nrelation = "{text}"\nmost = 1',
        f'[recency]\nhalf_life = 3\nbehaviour = "{text}"',
        f'[recency]\nhalf_life = 3\nproperty = "{text}"',
    ):
        with pytest.raises(GraphrecError):
            require_applicable(parse_rules(rule), store)
        assert unharmed(store)
    query = queries.get("list_history")
    with pytest.raises(UnknownNameError):
        queries.run(store, query, {name: "1"})
    with pytest.raises(UnknownNameError):
        queries.run(store, query, {"user_id": name})
    assert unharmed(store)


def test_a_predicate_has_no_escapes_and_no_comment_that_hides_a_clause() -> None:
    for where in ("item.title = '\\u0027 OR true //'", "item.x\\u0020= 1", "item.`a\\u0060` = 1"):
        with pytest.raises(DataError, match="no .u escapes"):
            require_expression("deny 'a'", where)
    with pytest.raises(DataError):
        require_expression("deny 'a'", "true // all\r) DETACH DELETE item")
    require_expression("deny 'a'", "item.title = 'C:\\\\users'")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        (" \u2003", "is empty"),
        ("a\x00b", "control character"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("a\u2028b", "line break"),
        ("a\ud800b", "lone surrogate"),
        ("DOMAIN\\user", "backslash before a u"),
        ("a" * 1001, "more than 1,000 characters"),
    ],
)
def test_what_no_honest_name_has(name: str, why: str) -> None:
    assert why in defect(name)
    for make in (
        lambda: NodeType(name),
        lambda: NodeType("Item", (name,)),
        lambda: EdgeType("User", name, "Item"),
        lambda: EdgeType(name, "VIEWED", "Item"),
        lambda: EdgeType("User", "VIEWED", "Item", (name,)),
        lambda: Source(name),
        lambda: quote(name),
    ):
        with pytest.raises(DataError) as told:
            make()
        assert str(told.value).isprintable()
        assert len(str(told.value)) < 300


def test_honest_names_are_names() -> None:
    for name in (
        "title",
        "Wie oft kaufen Sie ein?",
        "prix (€)",
        "名前",
        "a`b",
        "C:\\path",
        "100%",
        "naïve😀",
        "a'b\"c",
    ):
        require_name(name, "property")
    assert quote("a`b") == "`a``b`"
    with pytest.raises(DataError, match="more than 200 bytes"):
        require_name("X" * 201, "label")
