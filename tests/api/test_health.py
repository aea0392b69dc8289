"""Health and readiness: HEAD, and what they say of a damaged model and of a cache that is not there."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from graphrec.api.options import ServeOptions
from graphrec.api.services import Services
from graphrec.config import Settings
from graphrec.runs import TrainedRun
from graphrec.serving.live_recommender import LOADING, LiveRecommender
from graphrec.store import EmbeddedServer, Store, connect

from .served import PATIENCE, Served


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_ask_by_head(served: Served, path: str) -> None:
    response = served.client.head(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == served.client.get(path).headers["content-type"]


@pytest.mark.usefixtures("shop_store")
def test_a_damaged_model_is_reported_without_the_path_of_its_folder(
    shop_run: TrainedRun, embedded: EmbeddedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / shop_run.run.id).mkdir()
    (tmp_path / shop_run.run.id / "run.json").write_text("{", encoding="utf-8")

    def open_store() -> Store:
        return connect(embedded.start())

    live = LiveRecommender(open_store, tmp_path)
    live.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while live.snapshot is None or live.snapshot.model_note == LOADING:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        note = live.snapshot.model_note
    finally:
        live.close()
    assert f"the model of run {shop_run.run.id} cannot be read" in note
    assert str(tmp_path) not in note
    assert str(tmp_path) in caplog.text, "the operator learns which folder it is"


@pytest.mark.usefixtures("shop_run")
def test_a_cache_that_does_not_answer_at_the_start_is_warned_about(
    embedded: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = "redis://:secret-word@127.0.0.1:9/0"  # the discard port: nothing listens
    arguments: dict[str, Any] = {"graphrec_home": embedded.home, "neo4j_uri": None, "graphrec_cache_url": url}

    async def start() -> None:
        services = Services(Settings(**arguments), ServeOptions(open=True))
        await services.start()
        await services.close()

    with caplog.at_level(logging.WARNING, "graphrec"):
        asyncio.run(start())
    assert "GRAPHREC_CACHE_URL does not answer at the start" in caplog.text
    assert "secret-word" not in caplog.text
