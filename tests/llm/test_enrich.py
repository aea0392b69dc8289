"""Attributes drawn from texts by a server process, on both stores: what is written, undone, cached and refused."""

import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import graphrec
from graphrec import EnrichConfig, Graph, LlmConfig
from graphrec.errors import DataError, RefusedError, UnknownNameError
from graphrec.ingest import LoadConfig, write_source
from graphrec.store import Store
from graphrec.store.read import read_schema
from tests.ingest.films import source
from tests.ingest.snapshot import graph_of
from tests.llm.planted import PHRASES
from tests.llm_server import Server
from tests.sizes import NEO4J_IS_SLOW

FILMS = [("1", "War in space", 1979, None), ("2", "A love story", 1995, None), ("3", "Night heist", 2001, None)]
SOURCE = source("shop", FILMS, [("u", "1", 4.0, 10)], users=[("u", "u@x")])


@pytest.fixture
def graph(environment: Path, store: Store) -> Graph:  # noqa: ARG001  # the environment names the store
    """Three films and a user who rated one."""
    write_source(store, SOURCE)
    return graphrec.connect()


@pytest.fixture
def llm(llm_server: Server) -> LlmConfig:
    """The server process, which answers well."""
    return LlmConfig(llm_server.url, "good", timeout=5.0, retries=1)


@pytest.fixture(autouse=True)
def _empty_cache(environment: Path) -> None:
    """No answers of other tests; the embedded store has one home for all."""
    shutil.rmtree(environment / "answers", ignore_errors=True)


def drawn(store: Store) -> set[tuple[Any, ...]]:
    rows = store.read(
        "MATCH (i:Item)-[r]->(n) WHERE r.model IS NOT NULL "
        "RETURN i.id AS item, type(r) AS relation, labels(n)[0] AS label, n.id AS value, r.confidence AS confidence, "
        "r.model AS model, r.source AS source"
    )
    return {tuple(row.values()) for row in rows}


@NEO4J_IS_SLOW
def test_attributes_are_nodes_of_a_source_that_can_be_removed(graph: Graph, store: Store, llm: LlmConfig) -> None:
    before = graph_of(store)
    config = EnrichConfig(("genre", "mood"))
    with graph:
        enriched = graph.enrich("Item", ["title"], llm, config)
        assert drawn(store) == {
            ("1", "IN_GENRE", "Genre", "science fiction", 0.9, "good", "llm-good"),
            ("1", "IN_GENRE", "Genre", "war", 0.9, "good", "llm-good"),
            ("2", "IN_GENRE", "Genre", "romance", 0.9, "good", "llm-good"),
            ("3", "IN_GENRE", "Genre", "crime", 0.9, "good", "llm-good"),
            ("3", "HAS_MOOD", "Mood", "dark", 0.9, "good", "llm-good"),
        }
        assert (enriched.nodes, enriched.answered, enriched.requests) == (3, 3, 3)
        assert enriched.values == {"genre": 4, "mood": 1}
        assert ("Item", "IN_GENRE", "Genre") in {edge.triple for edge in read_schema(store).edges}
        after = graph_of(store)
        again = graph.enrich("Item", ["title"], llm, config)
        assert (again.requests, again.cached, again.answered) == (0, 3, 3)
        assert all(not (each.created or each.changed or each.deleted) for each in again.written)
        assert graph_of(store) == after
        graph.unlink("llm-good")
        assert graph_of(store) == before


def test_a_later_load_may_delete_and_merge_enriched_nodes(graph: Graph, store: Store, llm: LlmConfig) -> None:
    with graph:
        graph.enrich("Item", ["title"], llm)
        write_source(store, source("shop", FILMS[:2], [("u", "1", 4.0, 10)], users=[("u", "u@x")]))
        assert store.read("MATCH (i:Item) RETURN i.id AS id ORDER BY id") == [{"id": "1"}, {"id": "2"}]
        write_source(store, source("more", [("9", "Love Story, A", 1995, 99)]), LoadConfig(precedence=1))
        graph.enrich("Item", ["title"], llm)
        assert {(row[0], row[3]) for row in drawn(store)} == {("1", "science fiction"), ("1", "war"), ("9", "romance")}
        values = store.read("MATCH (g:Genre) RETURN g.id AS id ORDER BY id")
        assert [row["id"] for row in values] == ["romance", "science fiction", "war"]  # crime has no film any more
        with pytest.raises(DataError, match="attributes that a language model drew"):
            write_source(store, source("llm-good", FILMS))
        with pytest.raises(DataError, match="another source 'shop'"):
            graph.enrich("Item", ["title"], llm, EnrichConfig(source="shop"))


@NEO4J_IS_SLOW
def test_values_are_those_of_other_sources_or_of_the_option(graph: Graph, store: Store, llm: LlmConfig) -> None:
    store.write("CREATE (:Genre {id: 'Science Fiction', keys: ['shop:Science Fiction']}), (:Genre {id: 'Romance'})")
    with graph:
        store.write(
            "MATCH (s:Source {id: 'shop'}) SET s.schema = replace(s.schema, '\"nodes\": [', $kind)",
            {"kind": '"nodes": [{"label": "Genre", "properties": [], "shared": true}, '},
        )
        for _ in range(2):
            graph.enrich("Item", ["title"], llm)
            assert {(row[0], row[3]) for row in drawn(store)} == {("1", "Science Fiction"), ("2", "Romance")}
        graph.enrich("Item", ["title"], llm, EnrichConfig(values={"genre": ["WAR"]}))
        assert {(row[0], row[3]) for row in drawn(store)} == {("1", "WAR")}


@NEO4J_IS_SLOW
@pytest.mark.parametrize(
    "model", ["rude", "liar", *(pytest.param(m, marks=pytest.mark.slow) for m in ("wrong", "forbidden"))]
)
def test_a_bad_server_leaves_the_graph_as_it_is(graph: Graph, store: Store, llm: LlmConfig, model: str) -> None:
    with graph:
        graph.enrich("Item", ["title"], llm, EnrichConfig(("brand",), source="x"))
        store.write("MATCH (i:Item {id: '3'}) SET i.title = 'Night heist by Acme'")
        graph.enrich("Item", ["title"], llm, EnrichConfig(("brand",), source="x"))
        assert {(row[0], row[3]) for row in drawn(store)} == {("3", "Acme")}
        before = graph_of(store)
        enriched = graph.enrich("Item", ["title"], replace(llm, model=model), EnrichConfig(("brand",), source="x"))
        if model == "liar":  # its values are words of no text, so it answered, and nothing of it is allowed
            assert (enriched.answered, enriched.values) == (3, {"brand": 0})
            assert drawn(store) == set()
        else:
            assert (enriched.answered, enriched.unanswered, enriched.written) == (0, 3, [])
            assert enriched.failures == 3
            assert enriched.retries == (0 if model == "forbidden" else 3)
            assert graph_of(store) == before


@NEO4J_IS_SLOW
def test_the_budget_of_requests_keeps_what_other_nodes_have(graph: Graph, store: Store, llm: LlmConfig) -> None:
    with graph:
        graph.enrich("Item", ["title"], llm)
        full = drawn(store)
        poor = replace(llm, max_requests=1, parallel=1)
        enriched = graph.enrich("Item", ["title", "id"], poor)
        assert (enriched.answered, enriched.unanswered, enriched.requests) == (1, 2, 1)
        assert "budget of 1 requests" in enriched.problem
        assert drawn(store) == full


@NEO4J_IS_SLOW
def test_a_dry_run_sends_and_writes_nothing(graph: Graph, store: Store, llm: LlmConfig, llm_server: Server) -> None:
    before, sent = graph_of(store), len(llm_server.log())
    with graph:
        estimated = graph.enrich("Item", ["title"], llm, EnrichConfig(dry_run=True))
        assert (estimated.requests, estimated.cached) == (3, 0)
        assert (graph_of(store), len(llm_server.log())) == (before, sent)
        done = graph.enrich("Item", ["title"], llm)
        assert done.tokens == estimated.tokens
    options = ["--properties", "title", "--url", llm.url, "--model", "good", "--dry-run"]
    shown = CliRunner().invoke(import_module("graphrec.scripts").cli, ["enrich", *options])
    assert shown.stdout == "3 Item nodes with a text: 0 requests with about 0 tokens, 3 answers from before\n"


@NEO4J_IS_SLOW
def test_nothing_is_sent_without_an_address_or_if_it_is_personal(
    graph: Graph, llm: LlmConfig, llm_server: Server
) -> None:
    sent = len(llm_server.log())
    with graph:
        with pytest.raises(DataError, match="no language model is given"):
            graph.enrich("Item", ["title"])
        with pytest.raises(RefusedError, match="User: email may be personal"):
            graph.enrich("User", ["email"], llm)
        with pytest.raises(UnknownNameError, match="no attribute 'genres'; did you mean genre"):
            graph.enrich("Item", ["title"], llm, EnrichConfig(("genres",)))
        with pytest.raises(UnknownNameError, match="no property 'titel'"):
            graph.enrich("Item", ["titel"], llm)
        assert len(llm_server.log()) == sent
        graph.enrich("User", ["email"], replace(llm, allow_personal=True))
        assert len(llm_server.log()) == sent + 1


@NEO4J_IS_SLOW
def test_planted_instructions_change_no_attribute_of_any_item(
    graph: Graph, store: Store, llm: LlmConfig, llm_server: Server
) -> None:
    titles = {f"p{k}": f"A kids film {phrase}" for k, phrase in enumerate(PHRASES)}
    store.write(
        "UNWIND range(0, size($ids) - 1) AS k CREATE (:Item {id: $ids[k], title: $titles[k]})",
        {"ids": [*titles], "titles": [*titles.values()]},
    )
    config = EnrichConfig(("brand", "audience"))
    sent = len(llm_server.log())
    with graph:
        enriched = graph.enrich("Item", ["title"], replace(llm, model="obedient"), config)
    assert enriched.withheld == 14
    assert len(llm_server.log()) - sent == 3 + 6
    # Six phrases reach the model, which obeys them and invents a brand; it is no word of their text.
    assert drawn(store) == set()
    assert (enriched.answered, enriched.values) == (9, {"brand": 0, "audience": 0})


@NEO4J_IS_SLOW
def test_brands_that_differ_in_case_are_one_node(graph: Graph, store: Store, llm: LlmConfig) -> None:
    store.write(
        "UNWIND range(0, size($titles) - 1) AS k CREATE (:Item {id: 's' + toString(k), title: $titles[k]})",
        {"titles": ["A film by ACME", "One by Acme", "by Acme"]},
    )
    with graph:
        enriched = graph.enrich("Item", ["title"], llm, EnrichConfig(("brand",)))
        assert (enriched.values, {row[3] for row in drawn(store)}) == ({"brand": 3}, {"Acme"})


@NEO4J_IS_SLOW
def test_a_call_without_any_answer_is_an_error_of_the_command(graph: Graph, llm: LlmConfig) -> None:
    graph.close()
    options = ["--url", llm.url, "--model", "forbidden", "--retries", "0"]
    cli = import_module("graphrec.scripts").cli
    failed = CliRunner().invoke(cli, ["enrich", "--properties", "title", *options])
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "none of 3 nodes has an answer, so nothing is written: the endpoint" in failed.stderr
    assert "unlink" not in failed.stderr
