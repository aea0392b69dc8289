"""Who may: every route needs a key of its scope, and no key is found in logs, errors, addresses or the database."""

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from graphrec.api.application import create_routes
from graphrec.api.keys import KeyFile
from graphrec.api.limits import RateLimiter
from graphrec.api.logs import JsonFormatter
from graphrec.api.options import ServeOptions, is_loopback
from graphrec.api.repeated import RepeatedRequests
from graphrec.api.services import Services
from graphrec.config import Settings
from graphrec.errors import GraphrecError
from graphrec.store import EmbeddedServer, Store

from .served import Served, serve

#: The scope that each route needs; a new route is added here.
SCOPES = {
    ("GET", "/v1/users/{user_id}/recommendations"): "read",
    ("POST", "/v1/recommendations"): "read",
    ("GET", "/v1/users/{user_id}/recommendations/{item_id}/explanation"): "read",
    ("GET", "/v1/items/{item_id}/similar"): "read",
    ("GET", "/v1/items/{item_id}/audience"): "read",
    ("PUT", "/v1/items/{item_id}"): "write",
    ("POST", "/v1/events"): "write",
    ("GET", "/v1/users/{user_id}"): "read",
    ("PUT", "/v1/users/{user_id}"): "write",
    ("DELETE", "/v1/users/{user_id}"): "admin",
    ("GET", "/v1/queries"): "read",
    ("GET", "/v1/queries/{name}"): "read",
    ("GET", "/v1/schema"): "read",
    ("GET", "/v1/runs"): "admin",
    ("POST", "/v1/runs/{run_id}/activate"): "admin",
    ("GET", "/v1/openapi.json"): "read",
    ("GET", "/metrics"): "read",
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
}


#: Routes outside the API that anybody may ask; the other ones outside it are pages, which need a session.
OPEN = {
    ("HEAD", "/healthz"),
    ("HEAD", "/readyz"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/files/{name}"),
    ("GET", "/favicon.ico"),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the server logs, as it would be written to stderr."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("graphrec")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def list_routes() -> set[tuple[str, str]]:
    """Method and path of every route of the application, also of those that its description leaves out."""
    arguments: dict[str, Any] = {"neo4j_uri": None, "graphrec_cache_url": None}
    services = Services(Settings(**arguments), ServeOptions(open=True))
    app = create_routes(services, RepeatedRequests(services))
    groups = [getattr(route, "original_router", route) for route in app.routes]  # FastAPI keeps included routers
    found = set()
    for route in [each for group in groups for each in getattr(group, "routes", [group])]:
        assert isinstance(route, APIRoute), f"{route} has neither methods nor a scope"
        found |= {(method, route.path) for method in route.methods or ()}
    return found


def test_every_route_needs_a_key_of_its_scope(served: Served) -> None:
    description = served.get("/v1/openapi.json")
    routes = {(method.upper(), path) for path, methods in description["paths"].items() for method in methods}
    assert routes == SCOPES.keys()
    for (method, template), scope in SCOPES.items():
        path = re.sub(r"\{\w+\}", "x", template)
        described = description["paths"][template][method.lower()]
        if scope is None:
            assert served.client.request(method, path).status_code == 200
            continue
        assert described["security"] == [{"key": []}], template
        without = served.client.request(method, path)
        assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer"), template
        for other in {"read", "write", "admin"} - {scope}:
            refused = served.call(method, path, other)
            assert refused.status_code == 403, (template, other)
            assert f"this route needs {scope}" in refused.json()["detail"]
        assert served.call(method, path, scope).status_code not in (401, 403), template


def test_every_route_that_the_description_leaves_out_needs_a_session(served: Served) -> None:
    undescribed = list_routes() - SCOPES.keys()
    assert undescribed >= OPEN
    assert len(undescribed) > len(OPEN), "the pages"
    for method, path in undescribed - OPEN:
        assert method in ("GET", "POST")
        answer = served.client.request(method, path, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code in (303, 401, 403), (method, path)
        assert answer.status_code != 303 or answer.headers["location"].startswith("/login"), (method, path)
        bearer = served.call(method, path, "admin", headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert bearer.status_code in (303, 401, 403), "a key is for the API"


def test_a_cached_answer_needs_a_key_of_its_scope_too(served: Served) -> None:
    path = "/v1/users/u12/recommendations?k=2"
    assert [served.call("GET", path).headers["x-cache"] for _ in range(3)] == ["miss", "hit", "hit"]
    assert served.client.get(path).status_code == 401
    assert served.call("GET", path, "write").status_code == 403
    assert served.client.get(path, headers={"Authorization": "Bearer gr_00000000_" + "a" * 43}).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic gr_00000000_x", "Bearer gr_00000000_" + "a" * 43])
def test_other_headers_are_no_keys(served: Served, header: str) -> None:
    assert served.client.get("/v1/users/u1", headers={"Authorization": header}).status_code == 401


def test_a_wrong_secret_an_expired_and_a_revoked_key_are_refused(served: Served) -> None:
    file = KeyFile(served.home)
    made, short = file.create("for a while"), file.create("expired", days=1e-9)

    def status(text: str) -> int:
        return served.client.get("/v1/users/u1", headers={"Authorization": f"Bearer {text}"}).status_code

    deadline = time.monotonic() + 5
    while status(made.text) != 200:
        assert time.monotonic() < deadline, "the server notices a new key within a second"
        time.sleep(0.1)
    assert status(short.text) == 401
    wrong = made.text[:-1] + ("a" if made.text[-1] != "a" else "b")
    assert status(wrong) == 401
    file.revoke("for a while")
    file.revoke("expired")
    while status(made.text) != 401:
        assert time.monotonic() < deadline + 5
        time.sleep(0.1)


def test_the_rate_of_a_key_is_limited(served: Served) -> None:
    text = KeyFile(served.home).create("slow", rate=0.5).text
    headers = {"Authorization": f"Bearer {text}"}
    deadline = time.monotonic() + 5
    while (response := served.client.get("/v1/queries", headers=headers)).status_code == 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    statuses = [response.status_code]
    statuses += [served.client.get("/v1/queries", headers=headers).status_code for _ in range(3)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    limited = served.client.get("/v1/queries", headers=headers)
    assert int(limited.headers["retry-after"]) >= 1
    assert "limited to 0.5 requests a second" in limited.json()["detail"]


def test_a_bucket_fills_at_its_rate() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: now)
    assert [limiter.take("a", 10) for _ in range(20)] == [0.0] * 20, "two seconds of requests at once"
    assert limiter.take("a", 10) == pytest.approx(0.1)
    assert limiter.take("b", 10) == 0
    now = 0.1
    assert limiter.take("a", 10) == 0
    assert limiter.take("a", 10) > 0
    assert limiter.take("a", 0) == 0, "no limit"


def test_no_key_is_in_logs_errors_or_the_database(served: Served, shop_store: Store, log: io.StringIO) -> None:
    texts = []
    for scope in served.keys:
        texts += [
            served.call("GET", path, scope).text for path in ("/v1/users/u1", "/v1/users/none", "/v1/x", "/metrics")
        ]
    wrong = "gr_00000000_" + "s" * 43
    texts.append(served.client.get("/v1/runs", headers={"Authorization": f"Bearer {wrong}"}).text)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert len([line for line in lines if line["message"] == "request"]) == len(texts)
    assert {line["status"] for line in lines if line["message"] == "request"} >= {200, 401, 403, 404}
    database = json.dumps(shop_store.read("MATCH (n) RETURN properties(n) AS properties"), default=str)
    stored = KeyFile(served.home).path.read_text(encoding="utf-8")
    for key in [*served.keys.values(), wrong]:
        secret = key.rsplit("_", 1)[1] if key is wrong else key[12:]
        for place in (log.getvalue(), "".join(texts), database, stored):
            assert secret not in place
    assert "u1" not in log.getvalue(), "a log has routes, not the ids in them"


def test_every_response_has_security_headers(served: Served) -> None:
    for response in (served.client.get("/healthz"), served.client.get("/v1/runs"), served.call("GET", "/v1/users/u1")):
        headers = response.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert served.client.options("/v1/events", headers=preflight).status_code == 405


def test_an_open_server_listens_to_its_own_machine_only(
    shop_store: Store,  # noqa: ARG001  # a graph must be there
    embedded: EmbeddedServer,
) -> None:
    with pytest.raises(GraphrecError, match="--open serves without keys, which is allowed on a loopback address only"):
        ServeOptions(host="0.0.0.0", open=True)
    assert [is_loopback(host) for host in ("127.0.0.2", "::1", "localhost", "0.0.0.0", "example.org")] == [
        *[True] * 3,
        *[False] * 2,
    ]
    with serve(embedded.home, ServeOptions(open=True)) as running:
        assert running.client.get("/v1/queries").status_code == 200
        other_name = running.client.get("/v1/queries", headers={"Host": "evil.example"})
        assert other_name.status_code == 403, "a page of another host cannot reach it by rebinding its name"
