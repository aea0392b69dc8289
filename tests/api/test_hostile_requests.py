"""Requests that are malformed, extreme or made to do harm: each is refused or answered, and nothing leaks."""

import secrets
import socket
import time
from collections.abc import Iterator

import pytest

from graphrec.api import keys
from graphrec.store import Store

from .served import Served


@pytest.fixture
def user(served: Served) -> Iterator[str]:
    """The id of a new user."""
    name = f"guest {secrets.token_hex(4)}"
    assert served.call("PUT", f"/v1/users/{name}", "write", json={}).status_code == 200
    yield name
    served.call("DELETE", f"/v1/users/{name}", "admin")


def raw(served: Served, request: bytes) -> bytes:
    """The first bytes of the response to a request as text."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(1 << 16)


@pytest.mark.parametrize("name", ["{num_same}", "{same}", "{relation}", "{label}", "a`b", "$p0", "{num_same}` = 1 //"])
def test_the_name_of_a_property_never_becomes_a_part_of_a_statement(served: Served, user: str, name: str) -> None:
    body = {"properties": {name: "x", "z": "y"}}
    assert served.call("PUT", f"/v1/users/{user}", "write", json=body).status_code == 200
    answer = served.call("GET", f"/v1/users/{user}/recommendations?k=100")
    assert answer.status_code == 200, answer.text
    assert served.get(f"/v1/users/{user}")["properties"] == body["properties"]


def test_a_rejected_event_creates_no_node(served: Served, shop_store: Store) -> None:
    name = f"stranger {secrets.token_hex(4)}"
    event = {"event": "e", "behaviour": "PURCHASED", "user": name, "item": "no such item"}
    assert len(served.post_events(event)["rejected"]) == 1
    assert shop_store.read("MATCH (u:User {id: $id}) RETURN u.id", {"id": name}) == []


@pytest.mark.parametrize("value", ["9223372036854775808", '"\\ud800"', '["\\ud800"]', "NaN", "Infinity"])
def test_a_property_that_no_database_can_store_is_refused(served: Served, user: str, value: str) -> None:
    body, headers = f'{{"properties": {{"p": {value}}}}}', {"content-type": "application/json"}
    response = served.call("PUT", f"/v1/users/{user}", "write", content=body, headers=headers)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["in"].startswith("body.properties.p")


@pytest.mark.parametrize("recent", ["-1", "0", "101", "99999999999999999999", "x"])
def test_a_parameter_of_a_query_out_of_range_is_the_fault_of_the_request(served: Served, recent: str) -> None:
    response = served.call("GET", "/v1/queries/recommend_because_liked", params={"user_id": "u8", "recent": recent})
    assert response.status_code == 422, response.text
    assert "recent" in response.json()["detail"]


@pytest.mark.parametrize("value", ["1e308", "-1e308", "-3", "0", "1e-300"])
def test_extreme_ratings_do_not_break_the_next_answer(served: Served, user: str, value: str) -> None:
    for behaviour, name in (("RATED", "rating"), ("PURCHASED", "count"), ("PLAYED", "hours")):
        event = {"event": secrets.token_hex(4), "behaviour": behaviour, "user": user, "item": "i3", name: float(value)}
        assert served.post_events(event)["accepted"] == 1
    answer = served.recommend(user, k=5)
    assert len(answer["items"]) == 5
    assert all(isinstance(each["score"], int | float) for each in answer["items"])


def test_a_body_is_not_read_without_a_key(served: Served) -> None:
    headers = {"content-type": "application/json"}
    for body in (b"{", b"[" * 100_000, b'{"events": []}'):
        assert served.client.post("/v1/events", content=body, headers=headers).status_code == 401


def test_deeply_nested_and_odd_json_is_invalid(served: Served) -> None:
    for body in (b"[" * 100_000, b'{"events":' * 20_000, b"\xff", b"nul", b'{"events": 3}', b"[]"):
        headers = {"content-type": "application/json"}
        response = served.call("POST", "/v1/events", "write", content=body, headers=headers)
        assert response.status_code in (400, 422), (body[:20], response.text)
        assert response.json()["detail"]


def test_methods_and_paths_that_nobody_sends_are_problems(served: Served) -> None:
    key = served.keys["read"]
    for line in (
        b"OPTIONS * HTTP/1.1",
        b"GET /v1/users/..%2f..%2fetc%2fpasswd HTTP/1.1",
        b"GET /v1/users/%00 HTTP/1.1",
        b"GET /v1/users/%ED%A0%80 HTTP/1.1",
        b"GET //v1/users/u1 HTTP/1.1",
        b"GET http://evil.example/v1/users/u1 HTTP/1.1",
        b"GET /v1/users/" + b"x" * 5000 + b" HTTP/1.1",
        b"PROPFIND /v1/users/u1 HTTP/1.1",
        b"TRACE /v1/users/u1 HTTP/1.1",
    ):
        head = line + f"\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode()
        answer = raw(served, head)
        assert answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4")), (line[:50], answer[:300])
        assert key.encode() not in answer
        assert b"Traceback" not in answer


def test_a_header_is_not_split(served: Served) -> None:
    answer = raw(
        served, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: a b%0d%0aX-Evil: 1\r\nConnection: close\r\n\r\n"
    )
    assert b"evil" not in answer.lower()


def test_nulls_in_ids_reach_the_graph_and_come_back(served: Served, shop_store: Store) -> None:
    name = f"a\x00b{secrets.token_hex(4)}"
    event = {"event": "n", "behaviour": "PURCHASED", "user": name, "item": "i3"}
    assert served.post_events(event)["accepted"] == 1
    assert served.recommend(name, k=1)["user"] == name
    shop_store.write("MATCH (u:User {id: $id}) DETACH DELETE u", {"id": name})


def test_an_error_of_the_database_shows_clients_no_address(served: Served, user: str) -> None:
    body = {"properties": {"p" * 100: "x" * 10}, "attributes": {"IN_GENRE": ["x\x00"]}}
    for response in (
        served.call("PUT", f"/v1/users/{user}", "write", json=body),
        served.call("GET", "/v1/queries/list_history?user_id=u8&k=100"),
    ):
        assert "bolt://" not in response.text


def test_keys_that_cannot_be_read_are_no_keys_and_show_clients_no_folder(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SECONDS_TO_NOTICE", 0.1)
    file = served.home / "keys.json"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text("{", encoding="utf-8")
        time.sleep(keys.SECONDS_TO_NOTICE + 0.1)
        for _ in range(2):
            response = served.call("GET", "/v1/queries")
            assert response.status_code == 401
            assert str(served.home) not in response.text
    finally:
        file.write_text(text, encoding="utf-8")
        time.sleep(keys.SECONDS_TO_NOTICE + 0.1)
    assert served.call("GET", "/v1/queries").status_code == 200
