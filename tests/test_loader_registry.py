"""Loaders are found by name, distinguished and listed without importing what they need."""

import subprocess
import sys
from pathlib import Path

import pytest

from graphrec import loader_registry
from graphrec.errors import GraphrecError, UnknownNameError


def test_our_loaders_are_there() -> None:
    assert {"imdb", "lastfm", "movielens"} <= set(loader_registry.names())
    assert not any(name.startswith("_") for name in loader_registry.names())


@pytest.mark.parametrize("name", loader_registry.names())
def test_every_loader_has_load_and_a_summary(name: str) -> None:
    assert callable(loader_registry.get(name).load)
    assert len(loader_registry.summaries()[name]) > 20


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="there is no source 'movilens'; did you mean movielens"):
        loader_registry.get("movilens")


def test_listing_loads_no_pandas() -> None:
    code = "import sys; from graphrec import loader_registry as r; r.summaries(); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def plugin(folder: Path, text: str) -> None:
    """A package with an entry point, as pip would install it."""
    (folder / "their_loader.py").write_text(text)
    metadata = folder / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[graphrec.loaders]\ntheirs = their_loader\nmovielens = their_loader\n")


def test_other_packages_bring_loaders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, '"""Their data.\n\nMore."""\ndef load(folder=None):\n    return "tables"\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_loader", raising=False)
    assert "theirs" in loader_registry.names()
    assert loader_registry.summaries()["theirs"] == "Their data."
    assert "their_loader" not in sys.modules
    assert str(loader_registry.get("theirs").load(None)) == "tables"
    assert loader_registry.summaries()["movielens"].startswith("MovieLens")  # ours goes first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import not_installed_anywhere", r"their_loader, which cannot be imported \(No module named"),
        ("x = 1", r"source 'theirs' has no function load\(folder\)"),
    ],
)
def test_a_broken_loader_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    plugin(tmp_path, text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_loader", raising=False)
    with pytest.raises(GraphrecError, match=message):
        loader_registry.get("theirs")


def test_a_hyphen_is_an_underscore() -> None:
    assert loader_registry.get("bitcoin-otc") is loader_registry.get("bitcoin_otc")
