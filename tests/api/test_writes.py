"""Writes outlive the requests that ask for them, and a graph without behaviour says so."""

import asyncio
import threading
from typing import Any

import pytest

from graphrec.api.options import ServeOptions
from graphrec.api.problems import ApiError
from graphrec.api.services import Services
from graphrec.config import Settings
from graphrec.events import Event, EventPolicy, EventSink, delete_user
from graphrec.serving.fallbacks import Fallbacks
from graphrec.store import EmbeddedServer, Store, connect


def services_of(server: EmbeddedServer) -> Services:
    arguments: dict[str, Any] = {"graphrec_home": server.home, "neo4j_uri": None, "graphrec_cache_url": None}
    return Services(Settings(**arguments), ServeOptions(open=True))


@pytest.mark.usefixtures("shop_store")
def test_no_answer_is_cached_while_a_write_goes_on_whose_request_has_ended(embedded: EmbeddedServer) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work(_: Store) -> str:
        begun.set()
        may_end.wait(20)
        return "written"

    async def check() -> None:
        services = services_of(embedded)
        await services.start()
        request = asyncio.create_task(services.write("u1", work))
        await asyncio.to_thread(begun.wait, 20)
        request.cancel()  # as the time limit does
        with pytest.raises(asyncio.CancelledError):
            await request
        assert (await services.cache.look_up("u1", "f")).version is None, "an old answer would be stored"
        may_end.set()
        for _ in range(200):
            if (await services.cache.look_up("u1", "f")).version is not None:
                break
            await asyncio.sleep(0.05)
        assert (await services.cache.look_up("u1", "f")).version is not None
        await services.close()

    asyncio.run(check())


def test_an_event_of_the_far_future_does_not_make_all_others_old(shop_store: Store) -> None:
    before = [each.item for each in Fallbacks(shop_store, "PURCHASED").trending()]
    assert before
    sink = EventSink(EventPolicy())
    sink.write(shop_store, [Event("f", "PURCHASED", "someone", "i19", 253_402_300_799)])
    assert [each.item for each in Fallbacks(shop_store, "PURCHASED").trending()] == before
    delete_user(shop_store, "someone")


def test_an_empty_graph_is_named_as_the_reason_why_nothing_is_answered(embedded: EmbeddedServer) -> None:
    with connect(embedded.start()) as store:
        store.write("MATCH (n) DETACH DELETE n")

    async def check() -> None:
        services = services_of(embedded)
        await services.start()
        for _ in range(200):
            if services.live.problem:
                break
            await asyncio.sleep(0.05)
        with pytest.raises(ApiError, match="the graph has no behaviour of users"):
            services.snapshot()
        await services.close()

    asyncio.run(check())
