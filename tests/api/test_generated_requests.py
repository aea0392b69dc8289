"""Requests generated from the OpenAPI description: none makes the server fail, or gets an answer that it leaves out."""

import contextlib
import logging
import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from .served import Served
from .test_access import SCOPES

logger = logging.getLogger(__name__)

#: Number of requests in `make test-all`; the variable GRAPHREC_GENERATED_REQUESTS sets another one.
NUM_REQUESTS = int(os.environ.get("GRAPHREC_GENERATED_REQUESTS", "20000"))

#: Statuses of the gateway, which any route may answer: a body or a form that is too large.
EVERYWHERE = {413}


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("num_requests", [50, pytest.param(NUM_REQUESTS, marks=pytest.mark.slow)])
def test_no_generated_request_makes_the_server_fail(served: Served, num_requests: int) -> None:
    headers = {"Authorization": f"Bearer {served.keys['read']}"}
    schema = schemathesis.openapi.from_url(f"{served.url}/v1/openapi.json", headers=headers)
    found = [result for result in schema.get_all_operations() if isinstance(result, Ok)]
    operations = {(each.ok().method.upper(), each.ok().path): each.ok() for each in found}
    assert operations.keys() | {("GET", "/v1/openapi.json")} == SCOPES.keys()  # the description itself is left out
    failures: list[str] = []
    statuses: Counter[int] = Counter()
    # a route without parameters has one request; the others share what is left
    open_routes = list(operations)
    while open_routes and statuses.total() < num_requests and not failures:
        quota = -(-(num_requests - statuses.total()) // len(open_routes))
        for route in list(open_routes):
            before = statuses.total()
            failures += send_generated(operations[route], served.keys[SCOPES[route] or "read"], quota, statuses)
            if statuses.total() - before < quota:
                open_routes.remove(route)
    counted = dict(sorted(statuses.items()))
    logger.info("%d requests to %d routes, by status: %s", statuses.total(), len(operations), counted)
    assert failures == []
    assert statuses.total() >= num_requests


def send_generated(operation: Any, key: str, most: int, statuses: Counter[int]) -> list[str]:
    """The generated requests of a route that fail, shortened by hypothesis; the last is the shortest. At most `most`
    requests are sent unless one fails, and their statuses are counted."""
    failures: list[str] = []
    documented = {int(status) for status in operation.definition.raw["responses"] if status.isdigit()} | EVERYWHERE

    @settings(max_examples=most, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        response = case.call(headers={"Authorization": f"Bearer {key}"})
        statuses[response.status_code] += 1
        if statuses.total() % 500 == 0:
            logger.info("%d requests, now to %s: %s", statuses.total(), case.path, dict(sorted(statuses.items())))
        is_expected = response.status_code < 500 and response.status_code in documented
        if not is_expected:
            failures.append(f"{response.status_code} {case.method} {response.request.url}: {response.text[:300]}")
        assert is_expected

    with contextlib.suppress(AssertionError):  # the failures of all routes are reported together
        send()
    return failures
