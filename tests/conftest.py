"""Fixtures for everybody: both databases, real and started here, the folder of real data, and users of towns."""

import os
import re
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded; scripts/__init__.py says why
# Servers that live for a few minutes start in half the CPU time without the optimising compiler.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")

from graphrec.interactions import Interactions
from graphrec.store import Address, EmbeddedServer, Store, connect
from tests.llm_server import llm_server  # noqa: F401  # a fixture
from tests.sizes import num_examples

# On a busy machine an example of 40 ms may take 300.
settings.register_profile("unhurried", deadline=None, max_examples=num_examples(100))
settings.load_profile("unhurried")

ROOT = Path(__file__).parent.parent
SECONDS_TO_START = 90


class OneNeo4j(LoadFileScheduling):
    """The tests of a file in one process, but all tests on Neo4j in the same, so that one Neo4j is started."""

    def _split_scope(self, nodeid: str) -> str:
        return "neo4j" if re.search(r"[\[-]neo4j[\]-]", nodeid) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """How `make test` distributes tests among its processes."""
    return OneNeo4j(config, log)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets: GRAPHREC_DATA, or `shared/data` beside the project."""
    return Path(os.environ.get("GRAPHREC_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """An embedded server in a home of its own, for the whole session."""
    server = EmbeddedServer(tmp_path_factory.mktemp("home"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def neo4j_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A real Neo4j: NEO4J_URI if set, else one started by GRAPHREC_NEO4J_START for the session."""
    if uri := os.environ.get("NEO4J_URI"):
        names = ("NEO4J_USERNAME", "neo4j"), ("NEO4J_PASSWORD", ""), ("NEO4J_DATABASE", "neo4j")
        username, password, database = (os.environ.get(name, default) for name, default in names)
        yield Address(uri, username, password, database)
        return
    start = Path(os.environ.get("GRAPHREC_NEO4J_START", ROOT.parent / "shared" / "neo4j" / "start"))
    if not start.exists():
        reason = f"no Neo4j: NEO4J_URI is not set and there is no {start.name} (GRAPHREC_NEO4J_START)"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; under CI the store is tested on it")
        pytest.skip(reason)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_hex(12)
    home = tmp_path_factory.mktemp("neo4j")
    options = f"{os.environ['JAVA_TOOL_OPTIONS']} -XX:+UseSerialGC"
    process = subprocess.Popen(
        [start, home, str(port), password],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "JAVA_TOOL_OPTIONS": options},
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        if not any(line.strip() == b"ready" for line in lines):
            pytest.fail(f"{start.name} ended without a word of being ready")
        yield Address(f"bolt://127.0.0.1:{port}", "neo4j", password)
    finally:
        process.terminate()
        process.wait(SECONDS_TO_START)


@pytest.fixture(params=["embedded", "neo4j"])
def address(request: pytest.FixtureRequest) -> Address:
    """The address of each of the two databases in turn, emptied."""
    if request.param == "neo4j":
        found: Address = request.getfixturevalue("neo4j_address")
    else:
        server: EmbeddedServer = request.getfixturevalue("embedded")
        found = server.start()
    with connect(found) as store:
        store.write("MATCH (n) DETACH DELETE n")
    return found


@pytest.fixture
def store(address: Address) -> Iterator[Store]:
    """An open, empty store on each of the two databases in turn."""
    with connect(address) as opened:
        yield opened


@pytest.fixture
def environment(
    address: Address, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The environment of a command that uses the store of `address`; returns GRAPHREC_HOME."""
    monkeypatch.setenv("COLUMNS", "160")
    if request.node.callspec.params["address"] == "neo4j":
        home = tmp_path / "home"
        for name, value in (
            ("NEO4J_URI", address.uri),
            ("NEO4J_USERNAME", address.username),
            ("NEO4J_PASSWORD", address.password),
            ("NEO4J_DATABASE", address.database),
        ):
            monkeypatch.setenv(name, value)
    else:
        home = request.getfixturevalue("embedded").home
        monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("GRAPHREC_HOME", str(home))
    return Path(home)


@pytest.fixture
def travellers() -> Interactions:
    """240 users of four towns of 25 items, who know ten items of their own town and ten of another one."""
    rng = np.random.default_rng(0)
    home = np.repeat(np.arange(4), 60)
    towns = np.stack([home, (home + 1 + rng.integers(3, size=len(home))) % 4], axis=1)
    places = np.stack([rng.permutation(25)[:10] for _ in range(2 * len(home))]).reshape(len(home), 2, 10)
    item = (towns[:, :, None] * 25 + places).ravel()
    return Interactions(np.repeat(np.arange(len(home)), 20), item, len(home), 100)
