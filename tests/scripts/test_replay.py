"""The commands replay and recommend --as-of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.store import Address, connect
from tests.serving import shop

from .conftest import Run


@pytest.mark.parametrize("address", ["embedded"], indirect=True)
def test_replay_and_as_of(
    address: Address, environment: Path, run: Run, run_json: Callable[..., Any], tmp_path: Path
) -> None:
    with connect(address) as store:
        shop.build(store)
        made = shop.trained(store, environment / "runs")
        shop.publish(store, made, 3)
    period = ("--from", "1970-03-27", "--to", "1970-04-11")
    found = run_json("replay", *period, "--model", "popularity", "--model", "item_knn", "-k", "5")
    assert (found["relation"], found["step"], found["k"]) == ("PURCHASED", "week", 5)
    assert {step["model"] for step in found["steps"]} == {"popularity", "item_knn"} == set(found["overall"])
    picture = tmp_path / "replay.svg"
    assert "replayed by month" in run("replay", *period, "--every", "month", "--plot", str(picture)).stdout
    assert picture.stat().st_size > 1_000
    assert "'soon' is no time" in run("replay", "--from", "soon", exit_code=2).output
    past = run_json("recommend", "--user", "u4", "--as-of", "2099-01-01", "-k", "2")
    assert (past["run"], len(past["items"]), past["source"]) == (made.run.id, 2, "published")
    text = run("recommend", "--user", "u4", "--as-of", "2099-01-01").output
    assert "Published to user u4 at 2099-01-01 23:59:59 UTC" in text
    assert "no run was active at 1999" in run("recommend", "--user", "u4", "--as-of", "1999-01-01", exit_code=1).output
    assert "--as-of needs --user" in run("recommend", "--all", "--as-of", "1999-01-01", exit_code=2).output
