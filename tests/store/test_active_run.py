"""The rule for the active run: the same run in Python and in Cypher, and the rule is written once for each."""

import re
from itertools import permutations
from pathlib import Path

import pytest

import graphrec
from graphrec.publishing import read_versions
from graphrec.serving.published_list import read_published_list
from graphrec.store import Store, queries
from graphrec.store.active_run import ACTIVE_RUN, find_active_run
from tests.sizes import EVERYTHING

MODULES = [path for path in Path(graphrec.__file__).parent.rglob("*.py") if path.name != "active_run.py"]

#: Queries that compare runs that the caller names, or list all of them.
WITHOUT_ACTIVE_RUN = {"compare_runs", "list_run_changes", "list_runs"}


def plain(text: str) -> str:
    """A statement with single spaces."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", queries.names())
def test_queries_that_read_published_lists_contain_the_rule_word_for_word(name: str) -> None:
    statement = plain(queries.get(name).statement)
    reads_lists = re.search(r":(RECOMMENDED|SIMILAR)\]", statement) is not None
    rules = statement.count(plain(ACTIVE_RUN))
    assert rules == (reads_lists and name not in WITHOUT_ACTIVE_RUN)
    if name != "list_runs":
        assert "activated_at" not in statement.replace(plain(ACTIVE_RUN), "")


def test_no_other_module_of_the_library_states_the_rule() -> None:
    stated = re.compile(r"activated_at[^\n]*(DESC|LIMIT)|(max|min|sort|sorted)\([^\n]*activated_at", re.IGNORECASE)
    texts = {path.name: path.read_text(encoding="utf-8").replace("*sort_key(v.activated_at", "") for path in MODULES}
    found = {name: stated.findall(text) for name, text in texts.items()}
    # `activate` looks for the latest time of all runs, to set a later one.
    assert {name: len(hits) for name, hits in found.items() if hits} == {"versions.py": 1}


#: id, activated_at, version: ties, a run that is being published, one of an earlier version of graphrec.
CANDIDATES = [("b", 7, 3), ("a", 7, 1), ("c", 5, 4), ("d", None, 5), ("e", 9, None)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_python_and_cypher_find_the_same_run(store: Store, count: int) -> None:
    store.write("CREATE (:User {id: 'u'}), (:Item {id: 'i'})")
    step = 1 if EVERYTHING else {1: 1, 2: 3}.get(count, 7)  # with these every candidate is first in some order
    for candidates in list(permutations(CANDIDATES, count))[::step]:
        published = [each for each in candidates if each[1] is not None and each[2] is not None]
        if not published or (count == 5 and candidates[0][0] != "e"):  # five in 24 of the 120 orders
            continue
        store.write("MATCH (run:Run) DETACH DELETE run")
        store.write(
            "UNWIND $rows AS row CREATE (run:Run {id: row[0], relation: 'RATED', model: 'm'}) "
            "SET run.activated_at = row[1], run.version = row[2], run.layers = [coalesce(row[2], 1)]",
            {"rows": [list(each) for each in candidates]},
        )
        expected = min(published, key=lambda each: (-(each[1] or 0), each[0]))
        assert expected[0] in "abc"
        active = find_active_run(store)
        version = read_versions(store).active
        listed = read_published_list(store, "u").run
        assert {each and each.id for each in (active, version, listed)} == {expected[0]}
        store.write(
            "MATCH (run:Run {id: $id}), (user:User), (item:Item) "
            "CREATE (user)-[:RECOMMENDED {version: run.version, rank: 1, score: 1.0}]->(item)",
            {"id": expected[0]},
        )
        rows = queries.run(store, queries.get("recommend_for_user"), {"user_id": "u"})
        assert [row["run"] for row in rows] == [expected[0]]
        store.write("MATCH (:User)-[edge:RECOMMENDED]->() DELETE edge")


def test_no_run_is_active_if_none_is_published(store: Store) -> None:
    assert find_active_run(store) is None
    store.write("CREATE (:Run {id: 'r', status: 'publishing', version: 1, layers: [1]})")
    assert find_active_run(store) is None
