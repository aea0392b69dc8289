"""What routes share: the services of the worker, the responses of errors, and answers as bytes."""

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from graphrec.api.problems import MEDIA_TYPE
from graphrec.api.services import Services
from graphrec.api.shapes import ProblemDetails

#: The prefix of all routes of this version of the API.
PREFIX = "/v1"


async def _get_services(request: Request) -> Services:  # FastAPI calls functions that are not async in a thread
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_get_services)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of the errors of a route, with those of all routes, for OpenAPI."""
    described = {
        "model": ProblemDetails,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    texts = {
        401: "no valid key",
        403: "the key lacks the scope",
        404: "there is no such user, item, run or query",
        409: "the graph is not in a state for it",
        413: "the body is too large",
        422: "the request is invalid",
        429: "the key's rate limit",
        503: "the database does not answer, or the server is starting or busy; Retry-After says when to try again",
    }
    return {status: {**described, "description": texts[status]} for status in (401, 403, 413, 422, 429, 503, *statuses)}


def json_response(body: bytes, headers: dict[str, str] | None = None) -> Response:
    """A response with a body that is JSON already."""
    return Response(body, headers=headers, media_type="application/json")
