"""Bad input gets one clear sentence and exit code 1, and leaves the graph as it was."""

import socket
from pathlib import Path

import pytest

from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run


def snapshot(store: Store) -> object:
    edges = store.read("MATCH (a)-[r]->(b) RETURN a.id AS a, type(r) AS t, b.id AS b, r.count AS c")
    return store.read("MATCH (n) RETURN count(n) AS n"), {tuple(row.values()) for row in edges}


def fails(run: Run, *arguments: str) -> str:
    result = run(*arguments, exit_code=1)
    assert result.stdout == ""
    message = result.stderr.strip().splitlines()[-1]
    assert message.startswith("Error: ")
    assert "Traceback" not in result.stderr
    return message


def replace(path: Path, old: str, new: str, encoding: str = "utf-8") -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode(encoding))


#: What is replaced in a file by what, and what the error names.
BAD_FILES = {
    "missing column": ("user_artists.dat", "weight", "plays", ["user_artists.dat", "weight"]),
    "too few fields": ("user_artists.dat", "1\t3\t3\n", "1\t3\n", ["user_artists.dat", "line 2"]),
    "no number": ("user_artists.dat", "1\t3\t3\n", "1\t3\tmany\n", ["user_artists.dat", "line 2", "many"]),
    "dangling id": ("user_artists.dat", "1\t3\t3\n", "1\t99\t3\n", ["99", "Item"]),
    "doubled id": ("artists.dat", "2\tArtist 2", "1\tArtist 2", ["1", "more than once"]),
    "wrong encoding": ("artists.dat", "Artist 3", "Sigur Rós", ["artists.dat", "line 4", "latin-1"]),
}


@NEO4J_IS_SLOW
def test_bad_files(environment: Path, store: Store, run: Run, lastfm_folder: Path) -> None:
    assert environment
    run("load", "lastfm", str(lastfm_folder))
    before = snapshot(store)
    for name, (file, old, new, words) in BAD_FILES.items():
        whole = (lastfm_folder / file).read_bytes()
        replace(lastfm_folder / file, old, new, "latin-1" if "latin-1" in words else "utf-8")
        message = fails(run, "load", "lastfm", str(lastfm_folder))
        for word in words:
            assert word in message, name
        assert snapshot(store) == before, name
        (lastfm_folder / file).write_bytes(whole)


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_missing_things_are_named(run: Run, tmp_path: Path) -> None:
    assert "no folder" in fails(run, "load", "lastfm", str(tmp_path / "none"))
    assert "did you mean lastfm" in fails(run, "load", "lastfn")
    assert "did you mean graph_filter" in fails(run, "train", "--model", "graph_filtre")
    assert "no run 'mine'" in fails(run, "publish", "mine")
    assert "the graph is empty; load a source first" in fails(run, "train")
    assert "no folder" in fails(run, "export", "--out", str(tmp_path / "none" / "graph.pt"))
    assert "did you mean recommend_for_user" in fails(run, "query", "recommend_user")


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_unknown_runs_and_users_name_the_nearest(run: Run, lastfm_folder: Path) -> None:
    run("load", "lastfm", str(lastfm_folder))
    assert "there is no user '13'; did you mean" in fails(run, "recommend", "--user", "13")
    assert "nothing is published yet" in fails(run, "recommend", "--user", "1")
    name = run("train", "--model", "popularity", "--no-metrics").stdout.split()[1]
    assert f"did you mean {name}" in fails(run, "publish", name[:-5] + "x" + name[-4:])


def test_a_server_that_does_not_answer(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NEO4J_URI", f"bolt://127.0.0.1:{probe.getsockname()[1]}")
    monkeypatch.setenv("GRAPHREC_HOME", str(tmp_path))
    assert "no graph database answers" in fails(run, "export", "--out", str(tmp_path / "graph.pt"))


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_wrong_password(
    run: Run, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = request.getfixturevalue("address")
    for name, value in (("URI", address.uri), ("USERNAME", address.username), ("PASSWORD", "wrong"), ("DATABASE", "x")):
        monkeypatch.setenv(f"NEO4J_{name}", value)
    assert "refuses the login" in fails(run, "export", "--out", str(tmp_path / "graph.pt"))
    assert "refuses the login" in fails(run, "store", "status")


def test_wrong_usage_is_exit_code_two(run: Run) -> None:
    for arguments in (
        ("lod",),
        ("load",),
        ("query", "list_runs", "--param", "k"),
        ("recommend", "--user", "1", "-k", "0"),
    ):
        result = run(*arguments, exit_code=2)
        assert "Usage:" in result.stderr
