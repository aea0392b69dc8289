"""The commands consume and rejected, as users run them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.store import Address, connect
from tests.sizes import NEO4J_IS_SLOW
from tests.streams.events import make_items

from .conftest import Run

TOML = """
name = "clicks"
[input]
folder = "events"
[edges.CLICKED]
from = "User:user"
to = "Item:item"
id = "id"
"""


@pytest.fixture
def toml(address: Address, environment: Path, tmp_path: Path) -> Path:  # noqa: ARG001  # sets the environment
    """A stream of two events and one that is rejected."""
    with connect(address) as store:
        make_items(store, 3)
    (tmp_path / "events").mkdir()
    records = [{"id": str(n), "user": "u1", "item": item} for n, item in enumerate(("i0", "i1", "i9"))]
    (tmp_path / "events" / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    path = tmp_path / "clicks.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


@NEO4J_IS_SLOW
def test_a_stream_is_read_shown_and_its_rejected_records_are_retried(
    toml: Path, address: Address, run: Run, run_json: Callable[..., Any]
) -> None:
    assert run_json("consume", str(toml), "--status")["partitions"][0]["lag"] > 0
    done = run_json("consume", str(toml), "--once")
    assert (done["accepted"], done["rejected"]) == (2, 1)
    assert "a.jsonl" in run("consume", str(toml), "--status").stdout
    status = run_json("consume", str(toml), "--status")
    assert status["partitions"][0]["lag"] == 0
    (rejected,) = run_json("rejected", "list", "--stream", "clicks")
    assert json.loads(rejected["record"])["item"] == "i9"
    assert "there is no item i9" in run("rejected", "list").stdout
    with connect(address) as store:
        store.write("CREATE (:Item {id: 'i9'})")
    assert run_json("rejected", "retry", str(toml))["accepted"] == 1
    assert "nothing found" in run("rejected", "list").output
    assert run_json("rejected", "delete", "--all") == {"deleted": 0}
    assert "name a stream or a user" in run("rejected", "delete", exit_code=2).output
    assert "3 repeated" in run("consume", str(toml), "--once", "--from-start").stdout


@pytest.mark.parametrize("address", ["embedded"], indirect=True)
def test_a_wrong_description_is_an_error_of_one_sentence(toml: Path, run: Run) -> None:
    toml.write_text(TOML.replace("folder =", "foldr ="), encoding="utf-8")
    output = run("consume", str(toml), "--once", exit_code=1).output
    assert "folder, redis or kafka is needed" in output
    toml.write_text(TOML.replace('folder = "events"', 'folder = "nowhere"'), encoding="utf-8")
    assert "there is no folder" in run("consume", str(toml), "--once", exit_code=1).output
