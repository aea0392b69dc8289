"""Preconditions: what a command requires, what the graph has, and which loaders provide the rest."""

import time
from pathlib import Path

import pytest

from graphrec import preconditions
from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.preconditions import Requirements
from graphrec.schema import EdgeType, GraphSchema, NodeType
from graphrec.store import Store, queries
from tests.sizes import EVERYTHING, NEO4J_IS_SLOW

USER, ITEM = NodeType("User"), NodeType("Item")


def schema(*edges: tuple[str, str, str]) -> GraphSchema:
    return GraphSchema((USER, ITEM) if edges else (), tuple(EdgeType(*edge) for edge in edges))


def query(statement: str) -> queries.Query:
    return queries.parse("mine", f"// Does it.\n// returns n\n{statement}")


def test_behaviour_is_needed() -> None:
    preconditions.require_behaviour(schema(("User", "RATED", "Item")))
    preconditions.require_behaviour(schema(("User", "RATED", "Item")), "RATED")
    with pytest.raises(
        DataError, match=r"^the graph is empty; load a source first: `graphrec sniff FILES…`.*load movielens` loads .*$"
    ):
        preconditions.require_behaviour(schema())
    with pytest.raises(DataError, match=r"it has User, Item, FRIEND; .*load one: `graphrec load movielens`$"):
        preconditions.require_behaviour(schema(("User", "FRIEND", "User")))


def test_labels_of_ones_own_are_told_of_roles_and_an_empty_graph_of_sniff() -> None:
    own = GraphSchema((NodeType("Customer"), NodeType("Product")), (EdgeType("Customer", "BOUGHT", "Product"),))
    with pytest.raises(
        DataError, match=r'your edges go from Customer to Product: .*role = "user" in \[nodes.Customer\]'
    ):
        preconditions.require_behaviour(own)
    with pytest.raises(DataError, match=r"`graphrec sniff FILES…` describes files of your own"):
        preconditions.require_behaviour(schema())


def test_a_behaviour_that_the_graph_lacks_names_its_loaders_or_the_nearest() -> None:
    rated = schema(("User", "RATED", "Item"))
    with pytest.raises(
        UnknownNameError, match=r"LISTENED is provided by lastfm; load one: `graphrec load lastfm FOLDER`"
    ):
        preconditions.require_behaviour(rated, "LISTENED")
    with pytest.raises(UnknownNameError, match=r"no behaviour 'RATD'; did you mean RATED\?$"):
        preconditions.require_behaviour(rated, "RATD")


@pytest.mark.parametrize(
    ("statement", "labels", "relations"),
    [
        ("MATCH (u:User {id: 'a'})-[:RATED|:VIEWED]->(i:Item:Film) RETURN u", "User Item Film", "RATED|VIEWED"),
        ("MATCH (u)-[r:TAGGED {tag: $t}]->(i)<-[:`IN X`]-() RETURN u", "", "TAGGED IN_X"),
        ("MATCH (u:User) OPTIONAL MATCH (u)-[:FRIEND]->(f:Person) RETURN u", "User", ""),
        ("MATCH (u:User) WHERE (u)-[:FRIEND]->(:Person) RETURN u", "User", ""),
        ("MATCH (u:User) WHERE NOT EXISTS { MATCH (u)-[:RATED]->(:Item) } RETURN u", "User", ""),
        ("MATCH (u:User) CALL (u) { MATCH (u)-[:RATED]->(i:Item) RETURN i } RETURN u", "User", ""),
        ("MATCH (u:User)-[:FRIEND*0..2]->(f:Person) RETURN u", "", ""),
        ("MATCH (u:User)-[:FRIEND*1..2]->(f) RETURN u", "User", "FRIEND"),
        ("MATCH (u:User) (()-[:FRIEND]->()){0,3} (f) RETURN u", "", ""),
        ("MATCH (u:User) (()-[:FRIEND]->()){1,3} (f) RETURN u", "User", "FRIEND"),
        ("MATCH (u:User|Person) RETURN u", "", ""),
        ("MATCH (u:!User) RETURN u", "", ""),
        ("MATCH (u:User) RETURN u UNION MATCH (u:Person)-[:KNOWS]->() RETURN u", "", ""),
        ("MATCH (u:User)-[:A]->() RETURN u UNION ALL MATCH (u:User)-[:B]->() RETURN u", "User", ""),
        ("MATCH (u:User {name: 'MATCH (x:Film)-[:LIKES]-()'}) // MATCH (:Star)\nRETURN u", "User", ""),
        ("UNWIND [1] AS x MERGE (u:User)-[:MADE]->(:Thing) RETURN u", "", ""),
    ],
)
def test_needs_of_a_statement(statement: str, labels: str, relations: str) -> None:
    groups = frozenset(frozenset(g.replace("IN_X", "IN X").split("|")) for g in relations.split())
    assert preconditions.find_requirements(statement) == Requirements(frozenset(labels.split()), groups)


@pytest.mark.parametrize(
    ("statement", "behaviour"),
    [
        ("MATCH (u:User)-[:!RECOMMENDED&!SHOWN]->(i:Item) RETURN u", True),
        ("MATCH (i:Item)<-[edge:!RECOMMENDED & !`SHOWN` {rating: 5}]-(u:User) RETURN u", True),
        ("MATCH (u:User)-[:RATED]->(i:Item) RETURN u", False),
        ("MATCH (u:User) WHERE NOT EXISTS { (u)-[:!RECOMMENDED&!SHOWN]->(:Item) } RETURN u", False),
        ("OPTIONAL MATCH (u:User)-[:!RECOMMENDED&!SHOWN]->(i:Item) RETURN u", False),
    ],
)
def test_behaviour_of_any_type_is_a_need_of_its_own(statement: str, behaviour: bool) -> None:
    assert preconditions.find_requirements(statement).behaviour == behaviour


@pytest.mark.parametrize("name", queries.names())
def test_every_query_file_needs_something(name: str) -> None:
    any_graph = {"check_graph", "summarise_graph", "find_items_by_attributes"}  # these answer on every graph
    assert (preconditions.find_requirements(queries.get(name).statement) != Requirements()) == (name not in any_graph)


def test_a_query_on_an_empty_graph_says_so(store: Store) -> None:
    with pytest.raises(
        DataError, match=r"query find_similar_items needs Item and User nodes.*it is empty; .*movielens"
    ):
        preconditions.require_query(store, queries.get("find_similar_items"))
    preconditions.require_query(store, queries.get("list_runs"))  # that nothing is published is its answer


def test_what_graphrec_writes_itself_is_no_behaviour(store: Store) -> None:
    store.write(
        "CREATE (u:User {id: 'a'})-[:RECOMMENDED]->(i:Item {id: 'x'}), (u)-[:SHOWN]->(i), "
        "(u)-[:FRIEND]->(:User {id: 'b'}), (i)-[:IN_GENRE]->(:Genre {id: 'g'})"
    )
    with pytest.raises(DataError, match="query list_history needs behaviour of users, such as PURCHASED"):
        preconditions.require_query(store, queries.get("list_history"))
    store.write("MATCH (u:User {id: 'a'}), (i:Item {id: 'x'}) CREATE (u)-[:BORROWED]->(i)")  # of nobody's list
    preconditions.require_query(store, queries.get("list_history"))
    store.write("CREATE (:Run {id: 'r'})")
    with pytest.raises(GraphrecError, match="the published run has no SIMILAR edges.*`graphrec publish --help`"):
        preconditions.require_query(store, queries.get("find_published_similar_items"))


def test_a_query_names_the_relation_that_is_missing_and_its_loaders(store: Store) -> None:
    store.write("CREATE (:User {id: 'a'})-[:TRUSTED_ONCE]->(:User {id: 'b'}), (:Item {id: 'x'})")
    store.write("MATCH ()-[r:TRUSTED_ONCE]->() DELETE r")  # the embedded store still knows the type
    has = "the graph has none: it has Item, User"
    with pytest.raises(
        DataError, match=f"needs TRUSTED_ONCE relationships, and {has}; no installed loader provides TRUSTED_ONCE"
    ):
        preconditions.require_query(store, query("MATCH (n:User)-[:TRUSTED_ONCE]->() RETURN n"))
    with pytest.raises(DataError, match=f"needs FOLLOWS or FRIEND .*{has}; .*FRIEND (is provided )?by .*lastfm"):
        preconditions.require_query(store, query("MATCH (n:User)-[:FRIEND|FOLLOWS]-() RETURN n"))
    with pytest.raises(DataError, match=f"needs behaviour of users, such as PURCHASED.*{has}"):
        preconditions.require_query(store, query(f"MATCH (n:User)-[:{'|'.join(BEHAVIOURS)}]->() RETURN n"))
    with pytest.raises(DataError, match=r"needs Genre nodes.*provided by .*movielens.*`graphrec load movielens`"):
        preconditions.require_query(store, query("MATCH (n:Genre) RETURN n"))


def test_one_of_several_alternatives_is_enough(store: Store) -> None:
    store.write("CREATE (:User {id: 'a'})-[:RATED]->(:Item {id: 'x'})-[:IN_GENRE]->(:Genre {id: 'g'})")
    for name in ("find_similar_items", "list_history", "explain_recommendation"):
        preconditions.require_query(store, queries.get(name))
    preconditions.require_query(store, query("MATCH (n:Item)-[:IN_GENRE]->(:Genre)<-[:IN_GENRE]-(:Item) RETURN n"))
    with pytest.raises(DataError, match="list_liked_by_friends needs FOLLOWS or FRIEND or TRUSTS"):
        preconditions.require_query(store, queries.get("list_liked_by_friends"))
    with pytest.raises(
        GraphrecError, match=r"nothing is published yet, and query recommend_for_user .*graphrec publish"
    ):
        preconditions.require_query(store, queries.get("recommend_for_user"))


def test_recommendations_are_needed(store: Store) -> None:
    store.write("CREATE (:User {id: 'a'})-[:RECOMMENDED {version: 1}]->(:Item {id: 'x'})")
    preconditions.require_recommendations(store)
    preconditions.require_labels(store, "recommend", ("User", "Item"))
    store.write("MATCH ()-[r:RECOMMENDED]->() DELETE r")
    with pytest.raises(GraphrecError, match="nothing is published yet"):
        preconditions.require_recommendations(store)


@NEO4J_IS_SLOW
def test_the_cost_of_the_guard_does_not_grow_with_the_graph(store: Store) -> None:
    wanted = queries.get("find_similar_items")

    def seconds() -> float:
        start = time.perf_counter()
        preconditions.require_query(store, wanted)
        return time.perf_counter() - start

    def add_pairs(first: int, last: int) -> None:
        pairs = f"UNWIND range({first}, {last}) AS k"
        store.write(f"{pairs} CREATE (:User {{id: toString(k)}})-[:RATED]->(:Item {{id: toString(k)}})")

    add_pairs(1, 10)
    few = min(seconds() for _ in range(10))
    add_pairs(11, 20_000 if EVERYTHING else 5_000)
    assert min(seconds() for _ in range(10)) < 3 * few + 0.01


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody else's with two loaders, of which one cannot be imported."""
    (tmp_path / "theirs.py").write_text(
        "from graphrec.schema import EdgeType, NodeType\n"
        "EDGES = (EdgeType('User', 'BAKED', 'Cake'),)\n"
        "class Loader:\n    nodes = {'cake': NodeType('Oven')}\n    def load(self, folder=None): ...\n"
        "loader = Loader()\n"
    )
    (tmp_path / "broken.py").write_text("raise RuntimeError('not today')\n")
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[graphrec.loaders]\nbakery = theirs\nkitchen = theirs:loader\nbroken = broken\n".replace(
            "bakery = theirs\n", ""
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("package")
def test_what_loaders_provide_is_read_from_their_constants() -> None:
    found = preconditions.find_loaders()
    assert found["LISTENED"] == ["lastfm"]
    assert "movielens" in found["RATED"]
    assert {"imdb", "movielens"} <= set(found["Genre"])
    assert found["Oven"] == found["BAKED"] == ["kitchen"]  # of an entry point's object, and of its module
    assert not any("broken" in loaders for loaders in found.values())
