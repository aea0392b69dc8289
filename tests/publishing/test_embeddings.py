"""Vectors on users and items, and that nobody takes them, or anything else that is published, for data."""

from pathlib import Path

import numpy as np
import pytest
import torch

from graphrec import hetero, ingest
from graphrec.models.base import Embeddings
from graphrec.publishing import Publication, publish
from graphrec.ranking.topk import Recommendations
from graphrec.store import Store, counts
from graphrec.store.read import read_schema, read_tables
from graphrec.vocabulary import Vocabulary
from tests.sizes import NEO4J_IS_SLOW

from .lists import lists, make_graph, run

SPEC = """
name = "mine"
[nodes.User]
file = "users.csv"
id = "id"
properties = [{ name = "age", type = "int" }]
[nodes.Item]
file = "items.csv"
id = "id"
properties = ["title"]
[edges.RATED]
file = "ratings.csv"
from = "User:user"
to = "Item:item"
"""

INDEXES = "SHOW VECTOR INDEXES YIELD id, name, state, options RETURN id, name, state, options ORDER BY name"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    files = {
        "users.csv": ["id,age", *(f"{k},{20 + k}" for k in range(5))],
        "items.csv": ["id,title", *(f"i{k},t{k}" for k in range(40))],
        "ratings.csv": ["user,item", *(f"{k},i{k + 20}" for k in range(5))],
        "mine.toml": SPEC.splitlines(),
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path / "mine.toml"


def publication(name: str, dim: int) -> Publication:
    rng = np.random.default_rng(dim)
    users = Vocabulary.of("User", [str(k) for k in range(5)])
    items = Vocabulary.of("Item", [f"i{k}" for k in range(40)])
    vectors = Embeddings(*(torch.from_numpy(rng.normal(size=(n, dim)).astype("float32")) for n in (5, 40)))
    vectors.items[7] = 0  # of which the model knows nothing
    similar = lists(users=40).rename(columns={"item_id": "similar_id"})
    similar = similar.assign(item_id="i" + similar["user_id"])
    return Publication(run(name), Recommendations(lists(users=5), "m", name), users, items, similar, vectors)


@NEO4J_IS_SLOW
def test_vectors_stand_on_the_nodes_with_their_run(store: Store) -> None:
    make_graph(store, users=5)
    for name, dim in (("one", 4), ("two", 3)):  # the second has another length
        wanted = publication(name, dim)
        assert publish(store, wanted).embeddings == 45
        need_vectors(store, wanted)
    store.write("CREATE (:User {id: 'new', embedding: [1.0], embedding_run: 'one'})")
    publish(store, publication("three", 3))
    assert store.read("MATCH (u:User {id: 'new'}) RETURN keys(u) AS names") == [{"names": ["id"]}]


def need_vectors(store: Store, wanted: Publication) -> None:
    """That every node has its vector and the id of the run."""
    assert wanted.embeddings is not None
    for vocabulary, vectors in ((wanted.users, wanted.embeddings.users), (wanted.items, wanted.embeddings.items)):
        rows = store.read(
            f"MATCH (n:{vocabulary.label}) RETURN n.id AS id, n.embedding AS vector, n.embedding_run AS run"
        )
        assert {row["run"] for row in rows} == {wanted.run.id}
        found = np.array([row["vector"] for row in rows])
        assert np.allclose(found, vectors.numpy()[vocabulary.index([row["id"] for row in rows])])


def test_neo4j_finds_neighbours_by_the_vectors(store: Store) -> None:
    """Also where there is an index of rounded vectors, which is made anew."""
    if store.embedded:
        pytest.skip("the embedded store has no vector index")
    make_graph(store, users=5)
    store.write("DROP INDEX Item_embedding IF EXISTS")
    store.write(
        "CREATE VECTOR INDEX Item_embedding FOR (n:Item) ON (n.embedding) "
        "OPTIONS {indexConfig: {`vector.dimensions`: 4, `vector.similarity_function`: 'cosine'}}"
    )
    for name, dim in (("one", 4), ("two", 3)):
        wanted = publication(name, dim)
        publish(store, wanted)
        need_vectors(store, wanted)
        configurations = [row["options"]["indexConfig"] for row in store.read(INDEXES)]
        assert [configuration["vector.quantization.enabled"] for configuration in configurations] == [False, False]
    made = store.read(INDEXES)
    store.write("CREATE (:User {id: 'new', embedding: [1.0], embedding_run: 'one'})")
    publish(store, wanted)
    assert store.read("MATCH (u:User {id: 'new'}) RETURN keys(u) AS names") == [{"names": ["id"]}]
    assert store.read(INDEXES) == made  # nothing of it is made anew
    assert [row["state"] for row in store.read(INDEXES)] == ["ONLINE", "ONLINE"]
    assert wanted.embeddings is not None
    items = torch.nn.functional.normalize(wanted.embeddings.items).numpy()
    cosine = items @ items[3]
    rows = store.read(
        "MATCH (i:Item {id: 'i3'}) CALL db.index.vector.queryNodes('Item_embedding', 4, i.embedding) YIELD node, score "
        "RETURN node.id AS id, score"
    )
    assert [row["id"] for row in rows] == [f"i{k}" for k in np.argsort(-cosine)[:4]]
    assert [row["score"] for row in rows] == pytest.approx((1 + np.sort(cosine)[:-5:-1]) / 2, abs=1e-6)


@NEO4J_IS_SLOW
def test_what_is_published_is_no_feature_and_no_load_takes_it_away(store: Store, spec: Path, tmp_path: Path) -> None:
    ingest.load(store, "table", spec, tmp_path)
    before = read_schema(store)
    graph = hetero.build(read_tables(store))
    publish(store, publication("one", 4))
    frame = lists(users=5)
    fewer = Recommendations(frame[frame["user_id"] != "3"], "m", "two")  # which writes a WITHDRAWN edge
    publish(store, Publication(run("two"), fewer, graph.users, graph.items))
    assert store.read("MATCH (:User)-[r:WITHDRAWN]->(:Run) RETURN count(r) AS n") == [{"n": 1}]
    assert read_schema(store) == before
    again = hetero.build(read_tables(store))
    assert (again.data.node_types, again.data.edge_types) == (graph.data.node_types, graph.data.edge_types)
    assert {name: list(again.data[name].keys()) for name in again.data.node_types} == {
        name: list(graph.data[name].keys()) for name in graph.data.node_types
    }
    everything = "MATCH (n) RETURN labels(n) AS labels, n.id AS id, n.embedding AS vector, n.embedding_run AS run"
    published = sorted(store.read(everything), key=str)
    (spec.parent / "users.csv").write_text("id,age\n" + "".join(f"{k},{30 + k}\n" for k in range(5)))
    ingest.load(store, "table", spec, tmp_path)
    assert sorted(store.read(everything), key=str) == published
    assert store.read("MATCH (u:User {id: '2'}) RETURN u.age AS age") == [{"age": 32}]
    assert store.read("MATCH ()-[r:RECOMMENDED|SIMILAR]->() RETURN count(r) AS n") == [{"n": 25 + 200}]
    assert all(counts.is_system(name) for name in ("embedding", "embedding_run", "WITHDRAWN", "SIMILAR"))
