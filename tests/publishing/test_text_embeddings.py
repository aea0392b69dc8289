"""Vectors of texts on nodes: only what changed is encoded, an interrupted call continues, and models see them."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import graphrec
from graphrec import EmbedConfig, Graph
from graphrec.encoding import TextEncoder
from graphrec.encoding.encoder import Vectors
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from graphrec.publishing.text_embeddings import embed_texts, read_texts
from graphrec.relations import build_relations
from graphrec.store import Store
from graphrec.store.read import read_schema
from tests.llm_server import Server
from tests.sizes import NEO4J_IS_SLOW

TITLES = {
    "a": "Space war",
    "b": "War in space",
    "c": "A love story",
    "d": "Love \"in\" <script>alert('x')</script> Zürich",
    "e": "   ",
    "f": "Space war",
}


@pytest.fixture
def graph(environment: Path, store: Store) -> Graph:  # noqa: ARG001  # the environment names the store
    """Six items, one of them without words, and a user who rated one."""
    store.write(
        "UNWIND range(0, size($ids) - 1) AS k CREATE (i:Item {id: $ids[k], title: $titles[k], note: ['x', 'y']})",
        {"ids": [*TITLES], "titles": [*TITLES.values()]},
    )
    store.write("CREATE (:Item {id: 'n'}), (:Genre {id: 'g', title: 'none'}), (u:User {id: 'u'})")
    store.write("MATCH (u:User), (i:Item {id: 'a'}) CREATE (u)-[:RATED {rating: 5.0}]->(i)")
    return graphrec.connect()


def vectors_of(store: Store) -> dict[str, list[float]]:
    rows = store.read("MATCH (i:Item) WHERE i.text_embedding IS NOT NULL RETURN i.id AS id, i.text_embedding AS vector")
    return {row["id"]: row["vector"] for row in rows}


class Counting(TextEncoder):
    """The lengths and first letters of texts; it notes what it encodes, and may fail at a text."""

    name = "counting"

    def __init__(self, fails_at: str = "") -> None:
        self.encoded: list[str] = []
        self.fails_at = fails_at

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.fails_at in texts and self.fails_at:
            raise GraphrecError("the encoder went away")
        self.encoded += texts
        return np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32)


def test_only_new_and_changed_texts_are_encoded(graph: Graph, store: Store) -> None:
    with graph:
        first = Counting()
        done = embed_texts(store, read_texts(store, "Item", ["title"]), first)
        assert sorted(first.encoded) == sorted({text for text in TITLES.values() if text.strip()})  # equal ones once
        assert (done.nodes, done.encoded, done.kept, done.without_text) == (5, 5, 0, 2)
        assert vectors_of(store)["a"] == vectors_of(store)["f"]
        store.write("MATCH (i:Item {id: 'a'}) SET i.title = 'Peace'")
        store.write("MATCH (i:Item {id: 'b'}) REMOVE i.title")
        store.write("CREATE (:Item {id: 'z', title: 'new'})")
        second = Counting()
        done = embed_texts(store, read_texts(store, "Item", ["title"]), second)
        assert sorted(text for text in second.encoded) == ["Peace", "new"]
        assert (done.nodes, done.encoded, done.kept, done.removed) == (5, 2, 3, 1)
        assert "b" not in vectors_of(store)


def test_an_interrupted_call_continues(graph: Graph, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.publishing.text_embeddings.TEXTS_A_BATCH", 2)
    with graph:
        with pytest.raises(GraphrecError, match="went away"):
            embed_texts(store, read_texts(store, "Item", ["title"]), Counting(fails_at=TITLES["d"]))
        before = vectors_of(store)
        assert before.keys() == {"a", "b", "f"}
        rest = Counting()
        embed_texts(store, read_texts(store, "Item", ["title"]), rest)
        assert sorted(rest.encoded) == sorted([TITLES["c"], TITLES["d"]])
        assert before.items() <= vectors_of(store).items()


@NEO4J_IS_SLOW
def test_tfidf_searches_and_is_seen_by_models(graph: Graph, store: Store) -> None:
    schema = read_schema(store)
    with graph:
        embedded = graph.embed("Item", ["title"], EmbedConfig(similar=2, dimensions=8))
        assert embedded.model.startswith("tfidf-")
        assert embedded.similar == 6 + 1 + 2  # a, b and f to each other, c to d by 'love', d to c and by 'in' to b
        found = graph.query("find_items_like_text", text="war", k=3)
        assert set(found["item"]) == {"a", "b", "f"}
        assert found["similarity"].iloc[0] > 0.3
        with pytest.raises(DataError, match="no word"):
            graph.query("find_items_like_text", text="xyzzy")
        exported = graph.export()
        x = exported.data["Item"].text_embedding.numpy()
        position = exported.items.find
        assert x.shape == (8 - 1, embedded.dimensions)
        assert np.allclose(x[position("a")], vectors_of(store)["a"], atol=1e-6)
        assert not x[position("n")].any()
        relation = build_relations(exported).item_items["SIMILAR_TEXT"]
        assert relation[position("a"), position("f")] == pytest.approx(1, abs=1e-4)
        assert 0.1 < relation[position("c"), position("d")] == relation[position("d"), position("c")] < 0.9
        # once more: nothing is encoded, no edge is written, and the properties stay out of the schema
        edges = store.read("MATCH (:Item)-[r:SIMILAR_TEXT]->(:Item) RETURN elementId(r) AS id ORDER BY id")
        again = graph.embed("Item", ["title"], EmbedConfig(similar=2, dimensions=8))
        assert (again.encoded, again.kept, again.model) == (0, 5, embedded.model)
        assert store.read("MATCH (:Item)-[r:SIMILAR_TEXT]->(:Item) RETURN elementId(r) AS id ORDER BY id") == edges
        assert read_schema(store).nodes == schema.nodes
        # a text of unknown words does not change the encoder unless it is fitted again
        store.write("CREATE (:Item {id: 'q', title: 'quokka'})")
        assert graph.embed("Item", ["title"]).model == embedded.model
        assert graph.embed("Item", ["title"], EmbedConfig(refit=True)).model != embedded.model
        assert graph.query("find_items_like_text", text="quokka", k=1)["item"].tolist() == ["q"]
        assert graph.embed("Item", ["title"], EmbedConfig(similar=0)).similar == 0
        assert store.read("MATCH ()-[r:SIMILAR_TEXT]->() RETURN count(r) AS n") == [{"n": 0}]


def test_neo4j_has_an_index_of_the_vectors(graph: Graph, store: Store) -> None:
    if store.embedded:
        pytest.skip("the embedded store has no vector index")
    with graph:
        assert graph.embed("Item", ["title"], EmbedConfig(dimensions=8, similar=2)).similar == 6 + 1 + 2
        rows = store.read(
            "MATCH (i:Item {id: 'a'}) "
            "CALL db.index.vector.queryNodes('Item_text_embedding', 3, i.text_embedding) YIELD node "
            "RETURN node.id AS id"
        )
    assert {row["id"] for row in rows} == {"a", "b", "f"}
    assert store.read("MATCH ()-[r:SIMILAR_TEXT]->() RETURN count(r) AS n") == [{"n": 9}]


@NEO4J_IS_SLOW
def test_an_endpoint_embeds_and_its_key_stays_in_the_environment(
    graph: Graph, llm_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHREC_LLM_KEY", "very-secret")
    config = EmbedConfig("endpoint", llm_server.url, "good")
    with graph:
        embedded = graph.embed("Item", ["title", "note"], config)
        assert (embedded.model, embedded.dimensions) == (f"good@{llm_server.url}", 16)
        sent = llm_server.log()[-1]
        assert sent["key"] == "Bearer very-secret"
        assert "Space war\nx, y" in sent["body"]["input"]
        assert graph.query("find_items_like_text", text="love story x y", k=1)["item"].tolist() == ["c"]
        files = [
            path.read_bytes() for path in graph.settings.home.rglob("*") if "encoders" in str(path) and path.is_file()
        ]
        assert files
        assert not any(b"very-secret" in content for content in files)
        if os.name == "posix":
            assert not any(path.stat().st_mode & 0o077 for path in graph.settings.encoders.rglob("*"))


def test_wrong_names_say_what_there_is(graph: Graph) -> None:
    with graph:
        with pytest.raises(UnknownNameError, match="Item has no property 'titel'; did you mean title"):
            graph.embed("Item", ["titel"])
        with pytest.raises(UnknownNameError, match="no label 'Itm'; did you mean Item"):
            graph.embed("Itm", ["title"])
        with pytest.raises(UnknownNameError, match="no text encoder 'tfid'"):
            graph.embed("Item", ["title"], EmbedConfig("tfid"))
        with pytest.raises(GraphrecError, match="no Item has the vector of a text"):
            graph.query("find_items_like_text", text="war")
        with pytest.raises(GraphrecError, match="address of an endpoint"):
            graph.embed("Item", ["title"], EmbedConfig("endpoint"))
