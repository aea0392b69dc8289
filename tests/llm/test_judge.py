"""Verdicts on proposed links, on both stores: what is kept, made, undone, and what planted instructions cannot do."""

import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

import graphrec
from graphrec import Graph, JudgeConfig, LlmConfig
from graphrec.errors import DataError, RefusedError, UnknownNameError
from graphrec.fusion.verdicts import Verdict
from graphrec.ingest import write_source
from graphrec.ingest.verdicts import write_verdicts
from graphrec.llm import Endpoint, EndpointConfig, judging
from graphrec.llm.answer_cache import AnswerCache
from graphrec.llm.screening import find_instruction
from graphrec.llm.worker import Worker
from graphrec.store import Store
from graphrec.store.sources import read_sources
from tests.ingest.films import source
from tests.ingest.snapshot import graph_of
from tests.llm.planted import PHRASES
from tests.llm_server import Server
from tests.sizes import NEO4J_IS_SLOW

#: A part of the title at a colon, in one year: proposed with 0.86. The fake model compares first words.
LEFT = [("1", "Voyage", 1979, 100), ("2", "Harbour", 1985, 90), ("3", "Alien", 1979, 117)]
RIGHT = [("7", "Voyage: The Long Return", 1979, None), ("8", "Salt: Harbour", 1985, None), ("9", "Alien", 1979, None)]
B = source("b", RIGHT, [("v", "7", 5.0, 11), ("v", "8", 1.0, 12)], users=[("v", "v@x")])
APPLY = JudgeConfig(apply=True)


@pytest.fixture
def graph(environment: Path, store: Store) -> Graph:
    """Two sources with one link that is made and two that are proposed, and no kept answers."""
    shutil.rmtree(environment / "answers", ignore_errors=True)
    write_source(store, source("a", LEFT, [("u", "1", 4.0, 10)], users=[("u", "u@x")]))
    write_source(store, B)
    return graphrec.connect()


@pytest.fixture
def llm(llm_server: Server) -> LlmConfig:
    return LlmConfig(llm_server.url, "good", timeout=5.0, retries=1)


def fused(store: Store) -> set[tuple[str, ...]]:
    """The keys of nodes of several records."""
    rows = store.read("MATCH (i:Item) WHERE size(i.keys) > 1 RETURN i.keys AS keys")
    return {tuple(sorted(row["keys"])) for row in rows}


MADE = {("a:3", "b:9")}


@NEO4J_IS_SLOW
def test_a_verdict_is_kept_and_a_yes_makes_the_link_only_if_applied(graph: Graph, store: Store, llm: LlmConfig) -> None:
    before = graph_of(store)
    with graph:
        judged = graph.judge("Item", llm)
        assert [(each.left_key, each.right_key, each.verdict) for each in judged.links] == [
            ("a:1", "b:7", "yes"),
            ("a:2", "b:8", "no"),
        ]
        assert judged.links[0].reason == "their first words are compared"
        assert (judged.requests, judged.written[0].changed) == (2 + 2, 0)
        assert fused(store) == MADE
        again = graph.judge("Item", llm, APPLY)
        assert (again.requests, [each.confirmed for each in again.links]) == (0, [True, False])
        assert fused(store) == MADE | {("a:1", "b:7")}
        rated = store.read("MATCH (:User)-[r:RATED]->(i:Item {id: '1'}) RETURN r.rating AS rating ORDER BY rating")
        assert [row["rating"] for row in rated] == [4.0, 5.0]
        # It stays made in a later load, whose report has the verdicts, and in a later judgement without --apply.
        loaded = write_source(
            store, source("b", RIGHT, [("v", "7", 5.0, 11), ("v", "8", 1.0, 12)], users=[("v", "v@x")])
        )
        evidence = dict(zip(loaded.links["left_key"], loaded.links["evidence"], strict=True))
        assert evidence["a:1"].endswith("judged yes by good: their first words are compared")
        assert "judged no by good" in evidence["a:2"]
        graph.judge("Item", llm)
        assert fused(store) == MADE | {("a:1", "b:7")}
        with pytest.raises(DataError, match="verdicts of a language model"):
            write_source(store, source("judge-good", LEFT))
        graph.unlink("judge-good")
        assert graph_of(store) == before


@NEO4J_IS_SLOW
def test_a_yes_makes_no_link_that_fusion_does_not_propose(graph: Graph, store: Store, llm: LlmConfig) -> None:
    with graph:
        graph.judge("Item", llm, replace(APPLY, min_confidence=0.87))
        assert fused(store) == MADE
        (manifest,) = [each for each in read_sources(store) if each.source.name == "judge-good"]
        invented = [Verdict("Item", "a:2", "b:7", "yes", "", "m", confirmed=True)]
        invented += [Verdict("Item", "a:1", "a:2", "yes", "", "m", confirmed=True)]
        write_verdicts(store, replace(manifest, verdicts=tuple(invented)))
        assert fused(store) == MADE


@NEO4J_IS_SLOW
@pytest.mark.parametrize(
    "model", ["forbidden", *(pytest.param(m, marks=pytest.mark.slow) for m in ("wrong", "slow", "rude"))]
)
def test_a_bad_server_changes_nothing(graph: Graph, store: Store, llm: LlmConfig, model: str) -> None:
    with graph:
        graph.judge("Item", llm, APPLY)
        before = graph_of(store)
        bad = replace(llm, model=model, timeout=0.3)
        judged = graph.judge("Item", bad, replace(APPLY, source="judge-good"))
        assert (judged.unanswered, judged.failures, judged.written) == (2, 2, [])
        assert judged.retries == (0 if model == "forbidden" else 2)
        assert graph_of(store) == before
        down = graph.judge(
            "Item", replace(llm, url="http://127.0.0.1:9/v1", retries=0), replace(APPLY, source="judge-good")
        )
        assert (down.unanswered, "no answer" in down.problem) == (2, True)
        assert graph_of(store) == before


@NEO4J_IS_SLOW
def test_personal_properties_are_sent_only_if_allowed(
    graph: Graph, store: Store, llm: LlmConfig, llm_server: Server
) -> None:
    sent = len(llm_server.log())
    store.write("MATCH (n:Item) SET n.description = 'x'")
    with graph:
        with pytest.raises(DataError, match="no language model is given"):
            graph.judge("Item")
        with pytest.raises(RefusedError, match="User: email may be personal"):
            graph.judge("User", llm, JudgeConfig(("email",)))
        with pytest.raises(DataError, match="no rule of User compares titles"):
            graph.judge("User", llm)
        with pytest.raises(UnknownNameError, match="no property 'titel'"):
            graph.judge("Item", llm, JudgeConfig(("titel",)))
        with pytest.raises(UnknownNameError, match="no label of a source 'Film'"):
            graph.judge("Film", llm)
    assert len(llm_server.log()) == sent


@NEO4J_IS_SLOW
def test_the_command_shows_verdicts_and_estimates(graph: Graph, llm: LlmConfig, llm_server: Server) -> None:
    graph.close()
    cli = import_module("graphrec.scripts").cli
    options = ["judge", "--url", llm.url, "--model", "good"]
    sent = len(llm_server.log())
    estimated = CliRunner().invoke(cli, [*options, "--dry-run"])
    assert estimated.stdout.startswith("2 proposed links: at most 4 requests with about ")
    assert len(llm_server.log()) == sent
    shown = CliRunner().invoke(cli, options)
    assert "1 of 2 proposed links have a yes" in shown.stdout
    assert "no link is changed; with --apply" in shown.stderr


def plant(store: Store, titles: list[str]) -> None:
    """Two sources: names of one film a year, and the same with a planted text as a part of the title."""
    names = [f"{word} {word[::-1].capitalize()}" for word in WORDS]
    write_source(store, source("a", [(str(k), name, 1950 + k, None) for k, name in enumerate(names)]))
    planted = [
        (str(k), f"{name}: {text}", 1950 + k, None) for k, (name, text) in enumerate(zip(names, titles, strict=True))
    ]
    write_source(store, source("b", planted))


WORDS = (
    *("Abend", "Bakery", "Cinder", "Domino", "Ermine", "Fjord", "Garnet", "Hamlet", "Indigo", "Jasmin"),
    *("Kernel", "Lagoon", "Marble", "Nectar", "Orchid", "Pepper", "Quartz", "Ribbon", "Saddle", "Timber"),
)


@pytest.fixture
def planted(environment: Path, store: Store) -> Graph:
    """Twenty proposed links, each with a planted text."""
    shutil.rmtree(environment / "answers", ignore_errors=True)
    plant(store, list(PHRASES))
    return graphrec.connect()


@NEO4J_IS_SLOW
def test_twenty_planted_instructions_make_no_link_with_a_model_that_obeys(
    planted: Graph, store: Store, llm: LlmConfig
) -> None:
    before = graph_of(store)
    with planted as graph:
        judged = graph.judge("Item", replace(llm, model="obedient"), APPLY)
        assert len(judged.links) == 20
        assert {each.verdict for each in judged.links} == {"withheld", "unsure"}
        assert fused(store) == set()
        assert (judged.controlled, judged.count("withheld")) == (6, 14)
        graph.unlink("judge-obedient")
        assert graph_of(store) == before


def test_the_control_questions_hold_alone(llm_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All twenty reach the obedient model, as if none were known; then a pair without a planted text gets its yes."""
    monkeypatch.setattr(judging, "find_instruction", lambda _: "")
    worker = Worker(Endpoint(EndpointConfig(llm_server.url, "obedient")), AnswerCache(tmp_path))
    titles = [(word, f"{word}: {phrase}") for word, phrase in zip(WORDS, PHRASES, strict=True)]

    def judge(titles: list[tuple[str, str]]) -> list[str | None]:
        pairs = [
            judging.RecordPair(
                f"a:{k}", f"b:{k}", {"title": left, "year": 1950 + k}, {"title": right, "year": 1950 + k}
            )
            for k, (left, right) in enumerate(titles)
        ]
        found = judging.judge(worker, pairs)
        assert found.num_controlled == sum(each is not None and each.verdict == "unsure" for each in found.results)
        return [each.verdict if each else None for each in found.results]

    assert judge(titles) == ["unsure"] * 20
    assert judge([("Voyage", "Voyage: The Return"), ("Harbour", "Salt: Harbour")]) == ["yes", "no"]


def test_a_verdict_has_a_known_kind_and_only_a_yes_is_confirmed() -> None:
    with pytest.raises(DataError, match="only a yes can be confirmed"):
        Verdict("Item", "a:1", "b:1", "unsure", confirmed=True)
    with pytest.raises(DataError, match="yes, no, unsure or withheld"):
        Verdict("Item", "a:1", "b:1", "maybe")  # type: ignore[arg-type]  # of a file
    assert find_instruction("Voyage: The Long Return") == ""
