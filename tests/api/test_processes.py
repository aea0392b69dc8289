"""`graphrec serve` as processes: two workers with a common cache, SIGTERM, and refusals to start."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from graphrec.api.keys import KeyFile
from graphrec.runs import TrainedRun
from graphrec.store import EmbeddedServer

from .served import PATIENCE


def environment(home: Path) -> dict[str, str]:
    hidden = {"NEO4J_URI", "GRAPHREC_CACHE_URL"}
    return {**{k: v for k, v in os.environ.items() if k not in hidden}, "GRAPHREC_HOME": str(home)}


@pytest.fixture
def key(embedded: EmbeddedServer) -> Iterator[str]:
    """The text of a key with all scopes."""
    file = KeyFile(embedded.home)
    name = secrets.token_hex(4)
    yield file.create(name, ("read", "write", "admin"), rate=0).text
    file.revoke(name)


@pytest.mark.slow
def test_two_workers_share_a_cache_and_sigterm_ends_them_after_the_requests_in_progress(
    shop_run: TrainedRun,  # noqa: ARG001  # something is published
    embedded: EmbeddedServer,
    key: str,
    tmp_path: Path,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path / "log").open("w+", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "graphrec", "serve", "--port", str(port), "--workers", "2"],
        env=environment(embedded.home),
        stderr=log,
        stdout=subprocess.PIPE,
    )
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {key}"}

    def get(path: str) -> httpx.Response:
        return httpx.get(url + path, headers=headers, timeout=30)  # a new connection, to any worker

    try:
        deadline = time.monotonic() + 4 * PATIENCE  # three processes import the server at once
        ready = 0
        while ready < 20:  # both workers, by chance
            assert time.monotonic() < deadline
            assert process.poll() is None
            try:
                parts = get("/readyz").json().get("parts", {})  # none if a busy machine takes longer than 10 s
                ready = ready + 1 if parts.get("model") == "ok" else 0
            except httpx.TransportError:
                time.sleep(0.2)
        assert get("/readyz").json()["parts"]["cache"] == "ok (valkey)"
        for number in range(5):
            get("/v1/users/u4/recommendations?k=5")
            assert get("/v1/users/u4/recommendations?k=5").headers["x-cache"] == "hit", "by any worker"
            item = f"i{2 * number + 1}"
            event = {"event": f"e{number}", "behaviour": "PURCHASED", "user": "u4", "item": item}
            done = httpx.post(f"{url}/v1/events", json={"events": [event]}, headers=headers, timeout=30)
            assert done.json()["accepted"] == 1
            for _ in range(6):
                answer = get("/v1/users/u4/recommendations?k=5").json()
                assert item not in [each["item"] for each in answer["items"]], "read your own writes, on any worker"
                assert answer["strategy"] == "fold_in"
        counts = get("/metrics").text
        assert 'graphrec_events_total{behaviour="PURCHASED",outcome="accepted"} 5.0' in counts, "of all workers"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)
        log.seek(0)
        text = log.read()
        log.close()
    records = [json.loads(line) for line in text.splitlines()]
    assert {record["level"] for record in records} <= {"info", "warning"}, text[-3000:]
    assert any(record.get("route") == "/v1/users/{user_id}/recommendations" for record in records)
    assert key[12:] not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there is no key yet"),
        (["--host", "0.0.0.0", "--open"], "--open serves without keys, which is allowed on a loopback address only"),
        (["--rules", "x=/no/such/file.toml", "--open"], "no/such/file.toml"),
        (["--rules", "x", "--open"], "NAME=VALUE"),
    ],
)
def test_a_server_that_would_be_unusable_or_unsafe_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(import_module("graphrec.scripts").cli, ["serve", *arguments])
    assert done.exit_code in (1, 2)
    assert message in done.output
    assert not (tmp_path / "store").exists(), "nothing was started"


@pytest.mark.parametrize("url", ["memory", "redis://:secret-word@127.0.0.1:notaport/0"])
def test_an_invalid_address_of_the_cache_is_an_error_without_its_password(
    embedded: EmbeddedServer, key: str, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert key
    for name, value in {**environment(embedded.home), "GRAPHREC_CACHE_URL": url}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(import_module("graphrec.scripts").cli, ["serve", "--port", "0"])
    assert done.exit_code == 1
    assert "GRAPHREC_CACHE_URL is no address of a cache; use redis://HOST:PORT/0" in done.output
    assert "secret-word" not in done.output


def test_a_port_in_use_is_named(embedded: EmbeddedServer, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert key
    for name, value in environment(embedded.home).items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = CliRunner().invoke(import_module("graphrec.scripts").cli, ["serve", "--port", port])
    assert done.exit_code == 1
    assert f"cannot listen at 127.0.0.1:{port} (Address already in use)" in done.output
    assert "--port" in done.output
