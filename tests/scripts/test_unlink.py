"""`graphrec unlink` on both databases: what is left is what the other sources make."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from graphrec.ingest import Unlinked
from graphrec.store import Store
from graphrec.tables import ENRICHED_URL, JUDGED_URL, REPORTED_URL, Source
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run
from .test_load import Json, forum, shop, written

__all__ = ["forum", "shop"]


def stands(store: Store) -> Any:  # sorted records
    nodes = store.read("MATCH (n) RETURN labels(n) AS labels, properties(n) AS p")
    edges = store.read("MATCH (a)-[r]->(b) RETURN a.id AS a, type(r) AS t, b.id AS b, properties(r) AS p")
    for node in nodes:
        node["p"].pop("loaded_at", None)
    return sorted(json.dumps(row, sort_keys=True) for row in [*nodes, *edges])


def test_the_way_back_is_that_of_what_wrote_the_source() -> None:
    ways = {
        ENRICHED_URL: "`graphrec enrich` again",
        JUDGED_URL: "`graphrec judge --apply` again",
        REPORTED_URL: "report the events again",
        "https://a.shop": "load the source again",
    }
    for url, way in ways.items():
        assert way in Unlinked(Source("llm-x", url=url), [], 0.0).undo


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_unlink_gives_back_the_graph_without_the_source_and_names_the_sources_that_there_are(
    store: Store, shop: Path, forum: Path, run: Run, run_json: Json
) -> None:
    assert "'shop'; there is no loaded source yet" in run("unlink", "shop", exit_code=1).stderr
    run("load", str(shop))
    before = stands(store)
    run("load", str(forum))
    both = stands(store)
    assert "did you mean shop?" in run("unlink", "shopp", exit_code=1).stderr
    assert "there are 2: forum, shop" in run("unlink", "xyz", exit_code=1).stderr
    assert "Usage:" in run("unlink", exit_code=2).stderr
    told = run_json("unlink", "forum", "--dry-run")
    assert told["dry_run"] is True
    assert stands(store) == both
    done = run_json("unlink", "forum")
    assert written(told) == written(done) == {"User": (0, 1, 1), "Item": (0, 1, 1), "PURCHASED": (0, 0, 2)}
    assert done["source"]["name"] == "forum"
    assert stands(store) == before


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_tables_and_the_next_step(store: Store, shop: Path, run: Run) -> None:
    run("load", str(shop))
    store.write("MATCH (i:Item {id: 'a'}) CREATE (i)-[:OWNED_BY]->(:Shop)")
    assert "would keep 1 Item node because other programs' edges end there" in run("unlink", "shop", "--dry-run").stderr
    store.write("MATCH (s:Shop) DETACH DELETE s")
    dry = run("unlink", "shop", "--dry-run")
    assert "shop: nothing is changed; unlinking would" in dry.stdout
    assert "without --dry-run" in dry.stderr
    done = run("unlink", "shop")
    assert "shop removed in" in done.stdout
    assert "`graphrec schema` shows what is left" in done.stderr
    assert stands(store) == []


@NEO4J_IS_SLOW
@pytest.mark.usefixtures("environment")
def test_unlink_forgets_the_report_and_names_the_runs_that_know_the_source(
    shop: Path, forum: Path, environment: Path, run: Run, run_json: Json
) -> None:
    run("load", str(shop))
    run("load", str(forum))
    assert (environment / "loads" / "forum" / "report.json").exists()
    runs_folder = environment / "runs"
    others = {path.name for path in runs_folder.glob("*")}  # of other tests
    for name, sources in (("knows", ["forum", "shop"]), ("knows-not", ["shop"]), ("old", None)):
        record = {
            "id": name,
            "model": "popularity",
            "config": {},
            "metrics": {},
            "created_at": "2026-01-01T00:00:00Z",
            "target": ["User", "PURCHASED", "Item"],
            "seconds": 0.1,
        }
        (runs_folder / name).mkdir(parents=True)
        (runs_folder / name / "run.json").write_text(json.dumps(record | ({"sources": sources} if sources else {})))
    try:
        told = run_json("unlink", "forum", "--dry-run")
        silent = [name for name in told["runs_that_do_not_say"] if name not in others]
        assert (told["runs"], silent, told["report_deleted"]) == (["knows"], ["old"], False)
        assert (environment / "loads" / "forum").exists()
        result = run("unlink", "forum")
        assert (
            "these runs were trained on forum, and contain its users and items until you delete them from"
            in result.stderr
        )
        assert re.search(
            r"these runs were saved by an earlier version, and may contain forum too: .*\bold\b", result.stderr
        )
        assert not (environment / "loads" / "forum").exists()
        assert (environment / "loads" / "shop").exists()
    finally:
        for name in ("knows", "knows-not", "old"):
            shutil.rmtree(runs_folder / name)
