"""Small real files and a way to run commands as a user does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from graphrec import loader_registry

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run `graphrec` with arguments; the exit code must be as expected (0 unless said)."""
    from importlib import import_module

    cli = import_module("graphrec.scripts").cli

    def invoke(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:  # any JSON
    """Run `graphrec … --json`; the whole of stdout is one JSON value."""

    def invoke(*arguments: str) -> Any:  # any JSON
        return json.loads(run(*arguments, "--json").stdout)

    return invoke


@pytest.fixture
def lastfm_folder(tmp_path: Path) -> Path:
    """Twelve listeners in two blocks of taste, some friendships and tags, in the HetRec form."""
    folder = tmp_path / "lastfm"
    folder.mkdir()
    artists = [f"{k}\tArtist {k}\thttp://x/{k}\thttp://x/{k}.jpg" for k in range(1, 13)]
    listens = [
        f"{user}\t{artist}\t{user * artist}"
        for user in range(1, 13)
        for artist in range(1, 13)
        if (user - artist) % 2 == 0 and user != artist
    ]
    files = {
        "artists.dat": ["id\tname\turl\tpictureURL", *artists],
        "tags.dat": ["tagID\ttagValue", "1\trock", "2\ttropicália"],
        "user_artists.dat": ["userID\tartistID\tweight", *listens],
        "user_friends.dat": ["userID\tfriendID", "1\t3", "3\t1", "2\t4", "4\t2"],
        "user_taggedartists.dat": [
            "userID\tartistID\ttagID\tday\tmonth\tyear",
            "1\t3\t1\t1\t4\t2009",
            "1\t3\t2\t1\t4\t2009",
        ],
    }
    for name, lines in files.items():
        encoding = "latin-1" if name == "tags.dat" else "utf-8"
        (folder / name).write_text("\n".join(lines) + "\n", encoding=encoding)
    assert loader_registry.get("lastfm")
    return folder
