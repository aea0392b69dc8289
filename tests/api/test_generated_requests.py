"""Requests generated from the OpenAPI description: none makes the server fail."""

import contextlib
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from .served import Served
from .test_access import SCOPES

#: Number of examples of each route; with GRAPHREC_TESTS=all 20,000 requests in all.
EXAMPLES = 20_000 // len(SCOPES) if os.environ.get("GRAPHREC_TESTS") == "all" else 60


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_no_generated_request_makes_the_server_fail(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.keys['read']}"}
    schema = schemathesis.openapi.from_url(f"{served.url}/v1/openapi.json", headers=headers)
    failures: list[str] = []
    seen: set[tuple[str, str]] = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        route = (operation.method.upper(), operation.path)
        seen.add(route)
        failures += send_generated(operation, served.keys[SCOPES[route] or "read"])
    assert failures == []
    assert seen | {("GET", "/v1/openapi.json")} == SCOPES.keys()  # the description itself is left out


def send_generated(operation: Any, key: str) -> list[str]:
    """The generated requests of a route that fail, shortened by hypothesis; the last is the shortest."""
    failures: list[str] = []

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        response = case.call(headers={"Authorization": f"Bearer {key}"})
        if response.status_code >= 500:
            failures.append(f"{response.status_code} {case.method} {response.request.url}: {response.text[:300]}")
        assert response.status_code < 500

    with contextlib.suppress(AssertionError):  # the failures of all routes are reported together
        send()
    return failures
