"""`graphrec explain` on both stores: JSON, text, Cypher and picture, the run that is meant, and errors that help."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphrec.store import Store
from tests.llm_server import Server
from tests.sizes import NEO4J_IS_SLOW

from .conftest import Run

Json = Callable[..., Any]  # any JSON


@pytest.fixture
def trained(environment: Path, run: Run, run_json: Json, lastfm_folder: Path) -> str:
    run("load", "lastfm", str(lastfm_folder))
    found: str = run_json("train", "--set", "rank=4", "--no-metrics")["run"]
    assert environment.exists()
    return found


@NEO4J_IS_SLOW
def test_a_score_is_explained_in_every_form_and_who_and_what_is_not_there_is_said(
    store: Store, trained: str, run: Run, run_json: Json, tmp_path: Path, llm_server: Server
) -> None:
    found = run_json("explain", "5", "5", "--top", "4")
    assert (found["user"], found["item"], found["run"], found["exact"]) == ("5", "5", trained, True)
    assert found["score"] == pytest.approx(
        sum(path["contribution"] for path in found["paths"]) + found["rest"], rel=1e-5
    )
    assert len(found["paths"]) == 4
    assert found["title"] == "Artist 5"
    assert "Artist " in found["sentence"]
    rows = store.read(run("explain", "5", "5", "--top", "4", "--cypher").stdout)
    assert {row["number"] for row in rows} == {1, 2, 3, 4}
    picture = tmp_path / "why.svg"
    told = run("explain", "lastfm:5", "5", "--svg", str(picture))
    assert "Because you listened to Artist" in told.stdout
    assert "exactly" in told.stdout
    assert "the item is not published for this user" in told.stderr
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    seen = run("explain", "5", "7")
    assert seen.stdout.startswith("You listened to Artist 7 already.")
    rewrite = ("explain", "5", "5", "--rewrite", "--url", llm_server.url, "--model")
    assert run(*rewrite, "good").stdout.startswith("We suggest Artist 5 because you listened to Artist")
    plain = run(*rewrite, "wrong")
    assert plain.stdout.startswith("Because you listened to Artist")
    assert "the sentence is the plain one: the endpoint" in plain.stderr

    assert "there is no user '55'" in run("explain", "55", "5", exit_code=1).stderr
    assert "there is no item '5x'; did you mean 5" in run("explain", "5", "5x", exit_code=1).stderr
    store.write("CREATE (:User {id: 'new'})")
    assert "train again" in run("explain", "new", "5", exit_code=1).stderr
    assert "--cypher and --json" in run("explain", "5", "5", "--json", "--cypher", exit_code=2).stderr


@NEO4J_IS_SLOW
def test_the_run_is_the_named_the_active_or_the_newest(
    store: Store, trained: str, run: Run, run_json: Json, environment: Path
) -> None:
    other = run_json("train", "--model", "popularity", "--no-metrics")["run"]
    assert run_json("explain", "5", "5")["run"] == other
    assert run_json("explain", "5", "5", "--run", trained)["run"] == trained
    store.write(
        "CREATE (:Run {id: $id, activated_at: 5, version: 2}), (:Run {id: 'old', activated_at: 4, version: 1})",
        {"id": trained},
    )
    assert run_json("explain", "5", "5")["run"] == trained
    assert environment.exists()
    store.write("CREATE (:Run {id: 'elsewhere', activated_at: 6, version: 3})")
    assert "the active run elsewhere is not in" in run("explain", "5", "5", exit_code=1).stderr
    assert "no run 'nothing'" in run("explain", "5", "5", "--run", "nothing", exit_code=1).stderr
