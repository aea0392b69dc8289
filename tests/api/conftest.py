"""A served shop, shared by the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from graphrec.api.options import ServeOptions
from graphrec.runs import TrainedRun
from graphrec.store import EmbeddedServer, Store, connect
from tests.serving import shop

from .served import Served, serve
from .visits import log_in

RULES = "[[deny]]\nname = 'sold out'\nwhere = 'item.stock = 0'"


@pytest.fixture(scope="module")
def shop_store(embedded: EmbeddedServer) -> Iterator[Store]:
    """The embedded store with the shop, and nothing published."""
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")
        shop.build(store)
        yield store


@pytest.fixture(scope="module")
def shop_run(shop_store: Store, embedded: EmbeddedServer) -> TrainedRun:
    """A run on the shop, published with lists of five items."""
    run = shop.trained(shop_store, embedded.home / "runs")
    shop.publish(shop_store, run, 5)
    return run


@pytest.fixture(scope="module")
def served(
    shop_run: TrainedRun,  # noqa: ARG001  # the run must be there
    embedded: EmbeddedServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """A server of the shop in this process, with its cache in memory."""
    rules: Path = tmp_path_factory.mktemp("rules") / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    with serve(embedded.home, ServeOptions(rules={"stock": str(rules)})) as running:
        yield running


@pytest.fixture
def visitor(served: Served) -> Iterator[httpx.Client]:
    """A browser in which a visitor has logged in with a key of the scope read."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        assert log_in(client, served.keys["read"]).status_code == 303
        yield client
