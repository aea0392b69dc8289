"""Brokers that live as long as the session, and a graph with items."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from graphrec.cache import open_cache
from graphrec.store import Store, connect
from graphrec.streams import Consumed, ConsumeOptions, Consumer, parse_mapping

from . import brokers
from .events import make_items

Consume = Callable[..., Consumed]


@pytest.fixture
def shop(store: Store) -> Store:
    """A store with items, on each of the two databases."""
    make_items(store)
    return store


@pytest.fixture
def consume(tmp_path: Path) -> Consume:
    """Read a stream until its end into the database of a store."""

    def run(store: Store, description: Mapping[str, Any], **options: Any) -> Consumed:
        spec = parse_mapping(description, tmp_path / "shop.toml", tmp_path)
        return Consumer(
            spec, lambda: connect(store.address), open_cache("none"), ConsumeOptions(once=True, **options)
        ).run()

    return run


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with brokers.valkey() as url:
        yield url


@pytest.fixture(scope="session", params=["valkey", "redis"])
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a Valkey, and of a Redis."""
    if request.param == "valkey":
        yield request.getfixturevalue("valkey_url")
        return
    with brokers.redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def mock_kafka() -> Iterator[str]:
    with brokers.kafka("mock") as servers:
        yield servers
