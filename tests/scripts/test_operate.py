"""The commands operate and experiment, as users run them."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.operation.leader import lead
from graphrec.store import Store
from tests.operation import shop
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON

POLICY = """
model = "item_knn"
every = "1s"
[retrain]
events = 100
apart = "0s"
[watch]
clicks = ["CLICKED"]
window = "1h"
users = 50
"""


@pytest.fixture
def policy(store: Store, environment: Path, tmp_path: Path) -> str:  # noqa: ARG001  # sets the environment
    """The path of a policy for a graph that has the shop."""
    shop.build(store)
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, encoding="utf-8")
    return str(path)


@NEO4J_IS_SLOW
def test_a_week_of_events_is_published_logged_and_compared_with_the_run_before(
    store: Store, policy: str, run: Run, run_json: Json
) -> None:
    assert "no decisions are in the journal" in run("operate", "--log").output
    first = run("operate", policy, "--once").stdout.splitlines()
    assert [line.split()[2].rstrip(":") for line in first] == ["retrain", "train", "publish"]
    with lead(store):
        waiting = run("operate", policy, "--once").output
        assert "as another process leads: operator" in waiting
        assert "no decisions are in the journal" not in waiting
    shop.buy(store, range(28, 35), range(60), range(12, 14))
    done = run_json("operate", policy, "--once")
    assert done["leader"] is None
    assert [each["kind"] for each in done["decisions"]] == ["retrain", "train", "publish"]
    journal = run("operate", "--log").stdout.splitlines()
    assert len(journal) == 6, "the oldest first, one line each"
    assert "retrain: 120 new events reach 100" in journal[3]
    assert run_json("operate", "--log", "--limit", "1")[0] == done["decisions"][-1]
    assert "--log prints the journal" in run("operate", policy, "--log", exit_code=2).output

    new, old = (run_json("runs")[place]["run"] for place in (0, 1))
    started = run_json("experiment", "start", "--share", "0.5")
    assert (started["active"], started["other"]) == (new, old)
    assert "running" in run("experiment", "list").stdout
    begin = started["started_at"] // 1000 - 10 * shop.DAY
    store.write("MATCH (e:Experiment) SET e.started_at = $begin", {"begin": begin * 1000})
    shop.show(store, new, begin, 5, 0.05, range(shop.NUM_USERS))
    shop.show(store, old, begin, 5, 0.3, range(shop.NUM_USERS), seed=1)
    later = "MATCH (u:User {id: 'u1'}), (i:Item {id: 'i1'}) CREATE (u)-[:CLICKED {timestamp: $at}]->(i)"
    store.write(later, {"at": begin + 8 * shop.DAY})  # events have come since, so that all clicks are there
    measured = run_json("feedback", "--relation", "CLICKED", "--window", "1h")["experiment"]
    split = measured["split"]
    assert split["first"]["run"] == old
    assert split["first"]["num_users"] + split["second"]["num_users"] == shop.NUM_USERS
    assert split["first"]["num_shown"] + split["second"]["num_shown"] == shop.NUM_USERS * 10
    assert measured["num_outside"] == shop.NUM_USERS * 10
    assert split["difference"]["high"] < 0
    assert "Experiment e-" in run("feedback", "--relation", "CLICKED", "--window", "1h").stdout
    last = run("operate", policy, "--once").stdout.splitlines()[-1]
    assert f"wait: experiment {started['id']} compares {old}: nothing is published meanwhile" in last
    assert run_json("experiment", "stop") == {"ended": started["id"]}
    assert "no experiment is running" in run("experiment", "stop").output


@pytest.mark.slow
@NEO4J_IS_SLOW
def test_a_process_runs_cycles_until_it_is_ended(policy: str) -> None:
    command = [sys.executable, "-m", "graphrec", "operate", policy, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        kinds = []
        while "wait" not in kinds:
            kinds.append(json.loads(process.stdout.readline())["kind"])
        assert kinds == ["retrain", "train", "publish", "wait"]
        time.sleep(1.5)  # at least one more cycle
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert {json.loads(line)["kind"] for line in rest.splitlines()} <= {"wait"}
