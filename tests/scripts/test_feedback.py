"""`graphrec feedback` on both databases: what it counts, and what it says where there is nothing to count."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON

NOON = 1_767_225_600

#: Four users were shown two of three items; a day is 86,400 seconds.
GRAPH = f"""
UNWIND range(1, 4) AS k CREATE (:User {{id: 'u' + toString(k)}})
WITH count(*) AS made UNWIND range(1, 3) AS k CREATE (:Item {{id: 'i' + toString(k)}})
WITH count(*) AS made MATCH (u:User), (i:Item) WHERE i.id <> 'i3'
CREATE (u)-[:SHOWN {{
  run: CASE WHEN u.id IN ['u1', 'u2'] THEN 'ease-1' ELSE 'popularity-1' END,
  rank: toInteger(right(i.id, 1)), timestamp: {NOON}
}}]->(i)
"""
BEHAVIOUR = f"""
MATCH (a:User {{id: 'u1'}}), (b:User {{id: 'u2'}}), (c:User {{id: 'u3'}}), (x:Item {{id: 'i1'}}), (y:Item {{id: 'i2'}})
CREATE (a)-[:PURCHASED {{timestamp: {NOON + 60}}}]->(x), (b)-[:PURCHASED {{timestamp: {NOON + 90_000}}}]->(y),
       (c)-[:PURCHASED]->(x), (c)-[:VIEWED {{timestamp: {NOON}}}]->(y), (c)-[:RATED {{rating: 4.0}}]->(y)
"""


@pytest.fixture
def graph(store: Store) -> Store:
    store.write(GRAPH)
    store.write(BEHAVIOUR)
    return store


def clicks(told: Any) -> dict[str, int]:
    return {run["run"]: run["num_clicks"] for run in told["runs"]}


@pytest.mark.usefixtures("environment", "graph")
def test_clicks_of_each_run(run: Run, run_json: Json) -> None:
    told = run_json("feedback")
    assert (told["relations"], told["window"], told["cap"]) == (["PURCHASED"], 86_400, 10.0)
    assert clicks(told) == {"ease-1": 1, "popularity-1": 0}
    ease = told["runs"][0]
    assert (ease["num_shown"], ease["num_users"], ease["propensity"]) == (4, 2, "estimated")
    assert ease["click_rate"] == {"value": 0.25, "low": 0.0, "high": 0.5}
    assert clicks(run_json("feedback", "--window", "2d")) == {"ease-1": 2, "popularity-1": 0}
    both = run_json("feedback", "--relation", "VIEWED", "--relation", "PURCHASED", "--relation", "VIEWED")
    assert (both["relations"], clicks(both)) == (["VIEWED", "PURCHASED"], {"ease-1": 1, "popularity-1": 1})
    shown = run("feedback", "--relation", "PURCHASED", "--cap", "5")
    assert "PURCHASED after SHOWN" in shown.stdout
    assert re.search(r"ease-1 +4 +2 +1 +estimated", shown.stdout)
    assert re.search(r"ease-1 +click rate +0\.2500 +0\.0000 to 0\.5000", shown.stdout)
    assert re.search(r"popularity-1 +click rate +0\.0000 +0\.0000 to 0\.8419", shown.stdout)  # 2 users: 1 - √0.025
    assert re.search(r"popularity-1 +capped at 5 +0\.0000 +unknown", shown.stdout)
    assert "popularity-1: no impression was clicked" in shown.stderr
    assert "left out, as they have no timestamp: 1 of PURCHASED" in shown.stderr


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_a_logged_propensity_is_taken(graph: Store, run_json: Json) -> None:
    graph.write("MATCH ()-[r:SHOWN]->() SET r.propensity = 0.05")
    ease = run_json("feedback", "--cap", "8", "--seed", "3")["runs"][0]
    assert ease["propensity"] == "logged"
    assert (ease["ips"]["value"], ease["capped_ips"]["value"]) == (pytest.approx(5), pytest.approx(2))


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_without_showings_it_says_how_to_write_one(store: Store, run: Run) -> None:
    store.write("CREATE (:User {id: 'a'})-[:PURCHASED {timestamp: 1}]->(:Item {id: 'x'})")
    message = run("feedback", exit_code=1).stderr
    assert "the graph has no SHOWN edges" in message
    example = message.strip().split("to a user: ")[1]
    store.write(example, {"user": "a", "item": "x", "run": "ease-1"})
    assert "ease-1" in run("feedback").stdout


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_behaviour_that_cannot_be_counted_is_refused(graph: Store, run: Run) -> None:
    assert "RATED has no `timestamp`" in run("feedback", "--relation", "RATED", exit_code=1).stderr
    assert "name another: PURCHASED, VIEWED" in run("feedback", "--relation", "RATED", exit_code=1).stderr
    assert "there is no behaviour 'BOUGHT'" in run("feedback", "--relation", "BOUGHT", exit_code=1).stderr
    assert "there is no behaviour 'SHOWN'" in run("feedback", "--relation", "SHOWN", exit_code=1).stderr
    graph.write("MATCH ()-[r:PURCHASED|VIEWED]->() DELETE r")
    assert "load behaviour with times" in run("feedback", exit_code=1).stderr
    graph.write("MATCH ()-[r:RATED]->() DELETE r")
    assert "the graph has no relationships from User to Item" in run("feedback", exit_code=1).stderr


def test_wrong_options_are_wrong_usage(run: Run) -> None:
    assert "'7' is not a duration" in run("feedback", "--window", "7", exit_code=2).stderr
    assert "--cap" in run("feedback", "--cap", "0.5", exit_code=2).stderr
