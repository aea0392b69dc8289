"""Changes under a running server: a new publication, a rollback, and a database that goes away and comes back."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from graphrec.runs import TrainedRun
from graphrec.store import EmbeddedServer, Store
from tests.serving import shop

from .served import PATIENCE, Served


@contextmanager
def load(served: Served, responses: list[httpx.Response]) -> Iterator[None]:
    """Two clients that ask for changing users until the end of the context."""
    ended = threading.Event()

    def ask(number: int) -> None:
        headers = {"Authorization": f"Bearer {served.keys['read']}"}
        with httpx.Client(base_url=served.url, timeout=30) as client:
            while not ended.is_set():
                number = (number + 3) % shop.SIZE
                responses.append(client.get(f"/v1/users/u{number}/recommendations?k=3", headers=headers))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]  # a function
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_publication_and_a_rollback_are_taken_over_and_no_answer_mixes_two_runs(
    served: Served, shop_store: Store, shop_run: TrainedRun, embedded: EmbeddedServer
) -> None:
    other = shop.trained(shop_store, embedded.home / "runs", "item_knn")
    responses: list[httpx.Response] = []

    def active() -> str:
        return str(served.recommend("u0", k=1)["run"])

    assert active() == shop_run.run.id
    with load(served, responses):
        shop.publish(shop_store, other, 5)
        wait_for(lambda: active() == other.run.id)
        done = served.call("POST", f"/v1/runs/{shop_run.run.id}/activate", "admin")
        assert done.json() == {"run": shop_run.run.id, "instead_of": other.run.id}
        assert active() == shop_run.run.id, "the answer comes when the run is served"
    assert {response.status_code for response in responses} == {200}
    answers = [response.json() for response in responses]
    assert {answer["run"] for answer in answers} == {shop_run.run.id, other.run.id}
    for answer in answers:
        assert {each["run"] for each in answer["items"]} == {answer["run"]}
    states = {run["run"]: run["state"] for run in served.get("/v1/runs", "admin")["runs"]}
    states = {run: state for run, state in states.items() if state != "not published"}  # those of other tests
    assert states == {shop_run.run.id: "active", other.run.id: "kept"}
    unknown = served.call("POST", "/v1/runs/nothing/activate", "admin")
    assert unknown.status_code == 404


@pytest.mark.usefixtures("shop_run")
def test_without_a_database_requests_get_503_and_answers_come_back_by_themselves(
    served: Served, embedded: EmbeddedServer
) -> None:
    served.recommend("u7", k=2)
    embedded.stop()
    wait_for(lambda: served.client.get("/readyz").status_code == 503)
    refused = served.call("GET", "/v1/users/u8/recommendations?k=4")
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert "database" in refused.json()["detail"]
    assert served.client.get("/healthz").status_code == 200, "the process is fine"
    event = {"event": "lost", "behaviour": "PURCHASED", "user": "u8", "item": "i8"}
    assert served.call("POST", "/v1/events", "write", json={"events": [event]}).status_code == 503
    embedded.start()  # at another port
    wait_for(lambda: served.client.get("/readyz").status_code == 200)
    assert len(served.recommend("u8", k=4)["items"]) == 4
    assert served.post_events(event)["accepted"] == 1
