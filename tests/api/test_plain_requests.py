"""Plain requests for recommendations get the same answers and errors as those that FastAPI validates."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from graphrec.api.plain_requests import _parse

from .served import Served

USERS = ["u8", "u9", "nobody", "a/b", "new\nline", "Zoë 日本", "%2F", "x" * 1_001]


def essence(response: httpx.Response) -> tuple[int, Any]:
    """Status and content without what differs between two equal requests."""
    hidden = ("recommendation_id", "request_id")
    return response.status_code, {k: v for k, v in response.json().items() if k not in hidden}


@pytest.mark.parametrize("user", USERS)
def test_answers_and_errors_are_those_of_the_validated_route(served: Served, user: str) -> None:
    path = f"/v1/users/{quote(user, safe='')}/recommendations"
    for query in ("", "?k=3", "?k=100"):
        plain = served.call("GET", path + query)
        validated = served.call("GET", f"{path}{query}{'&' if query else '?'}explain=false")
        assert essence(plain) == essence(validated)
        assert plain.headers["content-type"] == validated.headers["content-type"]
        assert plain.headers["x-content-type-options"] == "nosniff"
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {served.keys['write']}"}):
            assert served.client.get(path + query, headers=headers).status_code in (401, 403)


@pytest.mark.parametrize("query", ["k=0", "k=101", "k=x", "k=1&k=2", "k=", "k=03", "k=%31", "k=3&", "K=3"])
def test_unusual_queries_are_left_to_the_validation(served: Served, query: str) -> None:
    scope = {"type": "http", "method": "GET", "path": "/v1/users/u8/recommendations", "query_string": query.encode()}
    assert _parse(scope) is None
    expected = 422 if query in ("k=0", "k=101", "k=x", "k=") else 200
    assert served.call("GET", f"/v1/users/u8/recommendations?{query}").status_code == expected


def test_paths_that_are_no_text_are_left_to_the_validation(served: Served) -> None:
    for path in ("/v1/users/%FF/recommendations", "/v1/users//recommendations", "/v1/users/a/b/recommendations"):
        assert _parse({"type": "http", "method": "GET", "path": path, "query_string": b""}) is None
        assert served.call("GET", path).status_code in (404, 422)
