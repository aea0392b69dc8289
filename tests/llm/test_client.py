"""Calls of a real server process: repetitions, deadlines, budget, and what goes over the wire."""

import time

import pytest

from graphrec.errors import GraphrecError
from graphrec.llm import Endpoint, EndpointConfig, EndpointError, Usage, client
from tests.llm_server import Server


def endpoint(server: Server, model: str, **options: float | str) -> Endpoint:
    config = EndpointConfig(server.url, model, **{"timeout": 5.0, "retries": 1, **options})  # type: ignore[arg-type]
    return Endpoint(config, sleep=lambda _: None)


def test_vectors_come_in_the_order_of_the_texts(llm_server: Server) -> None:
    good = endpoint(llm_server, "good", key="secret-key")
    apple, pear, both = good.embed(["apple", "pear", "apple pear"])
    assert [a + b for a, b in zip(apple, pear, strict=True)] == both != apple
    assert (good.usage.calls, good.usage.retries, good.usage.failures) == (1, 0, 0)
    last = llm_server.log()[-1]
    assert (last["path"], last["key"]) == ("/v1/embeddings", "Bearer secret-key")
    assert "secret-key" not in repr(good.config)
    assert good.embed([]) == []


def test_a_passing_failure_is_repeated_and_counted(llm_server: Server) -> None:
    flaky = endpoint(llm_server, "flaky")
    assert flaky.chat("echo", "hello", str) == "hello"
    assert (flaky.usage.calls, flaky.usage.retries, flaky.usage.failures) == (1, 1, 0)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("wrong", "no JSON"),
        ("rude", "no answer"),
        ("short", "other vectors"),
        ("busy", "status 429 .*; wait, or send fewer requests"),
        ("huge", "more than 4 MiB"),
        *((model, "no answer within .* longer timeout") for model in ("slow", "dripping", "dawdling")),
    ],
)
def test_a_failing_server_costs_counted_repetitions_within_the_deadline(
    llm_server: Server, model: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 4 << 20)
    failing = endpoint(llm_server, model, timeout=5.0 if model == "huge" else 0.4)
    begin = time.monotonic()
    with pytest.raises(EndpointError, match=f"failed 2 times: .*{reason}"):
        failing.embed(["a", "b"])
    assert time.monotonic() - begin < 12
    assert (failing.usage.calls, failing.usage.retries, failing.usage.failures) == (0, 1, 1)


@pytest.mark.parametrize(("model", "status"), [("forbidden", "401"), ("moved", "302")])
def test_a_refusal_is_not_repeated(llm_server: Server, model: str, status: str) -> None:
    refused = endpoint(llm_server, model)
    with pytest.raises(EndpointError, match=f"failed: status {status}"):
        refused.embed(["a"])
    assert refused.usage.retries == 0


def test_a_key_that_a_server_repeats_is_not_shown(llm_server: Server) -> None:
    with pytest.raises(EndpointError, match=r"no such key: Bearer \(key\).*; set GRAPHREC_LLM_KEY") as raised:
        endpoint(llm_server, "forbidden", key="hush-hush/+=").embed(["a"])
    assert "hush" not in str(raised.value)
    assert llm_server.log()[-1]["key"] == "Bearer hush-hush/+="


def test_a_server_that_is_down_is_an_endpoint_error() -> None:
    down = Endpoint(EndpointConfig("http://127.0.0.1:9/v1", "m", retries=2), sleep=lambda _: None)
    with pytest.raises(EndpointError, match="failed 3 times: no answer .*; check that a server runs"):
        down.embed(["a"])
    assert down.usage.retries == 2


def test_an_answer_that_cannot_be_parsed_is_repeated(llm_server: Server) -> None:
    good = endpoint(llm_server, "good")
    with pytest.raises(EndpointError, match="not of the expected form"):
        good.chat("echo", "no number", int)
    assert good.usage.retries == 1


def test_the_budget_ends_calls_before_they_are_sent(llm_server: Server) -> None:
    poor = endpoint(llm_server, "good", max_tokens=50)
    poor.embed(["a" * 60])
    assert poor.usage == Usage(calls=1, tokens=21)
    before = len(llm_server.log())
    with pytest.raises(EndpointError, match="budget of 50 tokens is spent"):
        poor.embed(["a" * 90])
    assert len(llm_server.log()) == before


@pytest.mark.parametrize(
    ("url", "options"),
    [
        *((url, {}) for url in ("ftp://x/v1", "localhost:8000", "http://user:pw@host/v1", "http://host:99999/v1")),
        *(("http://h/v1", option) for option in ({"key": "a\nb"}, {"key": "ключ"}, {"timeout": 0}, {"retries": -1})),
        *((url, {}) for url in ("http://host/v 1", "http://host/é")),
    ],
)
def test_invalid_endpoints_are_refused(url: str, options: dict[str, object]) -> None:
    with pytest.raises(GraphrecError):
        EndpointConfig(url, "m", **options)  # type: ignore[arg-type]  # of any type
