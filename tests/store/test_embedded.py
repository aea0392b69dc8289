"""The embedded server: shared, recovered after SIGKILL, stopped cleanly, its password kept to its owner."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from graphrec.errors import StoreError
from graphrec.store import EmbeddedServer, connect
from graphrec.store.embedded import _LOGGING, MAX_LOG

ONE_COMMAND = (
    "import sys; from pathlib import Path; from graphrec.store import EmbeddedServer; "
    "print(EmbeddedServer(Path(sys.argv[1])).start().uri)"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    made = EmbeddedServer(tmp_path / "a home")  # a blank in the path, as on many machines
    yield made
    made.stop()


def java(server: EmbeddedServer) -> list[psutil.Process]:
    mark = str(server.folder / "java.args")
    return [p for p in psutil.process_iter(["cmdline"]) if any(mark in part for part in p.info["cmdline"] or [])]


def test_start_find_and_stop(server: EmbeddedServer) -> None:
    """At the port that is asked for, and with a password that nobody else can read."""
    assert server.address() is None
    assert server.stop() is False
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    first = server.start(port)
    assert first.uri == f"bolt://127.0.0.1:{port}"
    assert server.start() == first
    assert server.address() == first
    with pytest.raises(StoreError, match="already runs at"):
        server.start(1)
    for name in ("password", "java.args"):
        assert stat.S_IMODE((server.folder / name).stat().st_mode) == 0o600
    assert first.password not in " ".join(java(server)[0].cmdline())
    assert server.stop() is True
    assert server.address() is None
    assert java(server) == []


def test_nothing_committed_is_lost_when_the_server_is_killed(server: EmbeddedServer) -> None:
    with connect(server.start()) as store:
        store.write("UNWIND range(1, 5000) AS k CREATE (:Kept {id: toString(k)})")
        java(server)[0].send_signal(signal.SIGKILL)
    with connect(server.start()) as store:
        assert store.read("MATCH (n:Kept) RETURN count(n) AS number") == [{"number": 5000}]


@pytest.mark.parametrize("kills", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_two_commands_at_once_share_one_server(server: EmbeddedServer, kills: bool) -> None:
    """Also if a command was killed while it started the server."""
    command = [sys.executable, "-c", ONE_COMMAND, str(server.home)]
    if kills:
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        while not java(server):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        process.wait()
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    uris = {process.communicate(timeout=120)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(uris) == 1
    assert len(java(server)) == 1


@pytest.mark.slow
def test_a_server_that_hangs_is_replaced(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    hung = java(server)[0]
    hung.suspend()
    monkeypatch.setattr("graphrec.store.embedded.SECONDS_TO_START", 20)
    monkeypatch.setattr("graphrec.store.embedded.SECONDS_TO_STOP", 1)
    connect(server.start()).close()
    assert hung.pid not in {process.pid for process in java(server)}


def test_a_standstill_ends_the_wait_long_before_the_limit_which_the_message_names(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = psutil.Popen(["sleep", "60"])
    monkeypatch.setattr("graphrec.store.embedded.SECONDS_OF_STANDSTILL", 0.5)
    try:
        begun = time.monotonic()
        assert server._wait_until_ready([asleep]) is None
        assert time.monotonic() - begun < 20
        server._make_folder()
        told = server._explain_failure(None)
        assert "180 s in all and 0.5 s without progress" in told
        assert str(server.folder / "console.log") in told
    finally:
        asleep.kill()
        asleep.wait()


def test_a_port_in_use_is_said(server: EmbeddedServer) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(StoreError, match=f"port {port} is in use"):
            server.start(port)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="set GRAPHREC_HOME"):
        EmbeddedServer(locked / "home").start()


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="set GRAPHREC_HOME"):
        EmbeddedServer(tmp_path / "home").start()


def test_the_log_and_what_the_runtime_prints_are_bounded(embedded: EmbeddedServer) -> None:
    """The server begins a file anew at its limit; what Java prints is emptied by the next command."""
    settings = (embedded.folder / "logging.properties").read_text()
    assert f"FileHandler.limit = {MAX_LOG}" in settings
    assert "FileHandler.count = 2" in settings
    assert "ConsoleHandler" not in settings
    assert embedded.logs[1].exists()
    console = embedded.logs[-1]
    os.truncate(console, MAX_LOG + 1)
    embedded.start()
    assert console.stat().st_size == 0


@pytest.mark.slow
def test_the_log_is_bounded_while_the_server_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphrec.store.embedded._LOGGING", _LOGGING.replace(str(MAX_LOG), "100000"))
    server = EmbeddedServer(tmp_path / "home")
    try:
        with connect(server.start()) as store:
            for number in range(300):  # each is an error with its stack in the log
                with pytest.raises(StoreError):
                    store.write(f"RETURN 1 / 0 + wrong{number}")
                assert sum(log.stat().st_size for log in server.logs if log.exists()) < 300_000
    finally:
        server.stop()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_all_that_the_server_writes_is_its_owners(embedded: EmbeddedServer) -> None:
    with connect(embedded.start()) as store:
        store.write("CREATE (n:Secret) DELETE n")
    found = [path for path in embedded.folder.rglob("*") if path.exists()]
    assert any(path.suffix == ".bucket" for path in found)
    assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
