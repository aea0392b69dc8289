"""Errors as problem details (RFC 9457): what happened and what to do."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from graphrec.api.logs import FIELDS
from graphrec.errors import DataError, GraphrecError, RefusedError, StoreError, UnknownNameError, format_value
from graphrec.serving.answer import NoScoreError
from graphrec.serving.snapshot import UnknownUserError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: Maximum number of invalid values that a problem lists.
_LISTED = 10


class ApiError(Exception):
    """An error with a status; `detail` says what happened and what to do."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def unavailable(detail: str) -> ApiError:
    """The error of a part of the server that does not answer at the moment."""
    return ApiError(503, detail, {"Retry-After": "1"})


def problem(
    status: int,
    detail: str,
    request_id: str = "",
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """A response with a problem: type, title, status, detail, the id of the request, and invalid values if any."""
    title = HTTPStatus(status).phrase
    content: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if request_id:
        content["request_id"] = request_id
    if errors:
        content["errors"] = errors
    return Response(json.dumps(content), status, dict(headers or {}), MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Make problems of all errors that routes raise."""
    app.add_exception_handler(ApiError, _handle_api_error)
    app.add_exception_handler(GraphrecError, handle_graphrec_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_error)


async def _handle_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # registered for this class
    return problem(error.status, error.detail, _id_of(request), error.headers)


async def handle_graphrec_error(request: Request, error: Exception) -> Response:
    """The problem of an error of graphrec, with the status of its kind."""
    assert isinstance(error, GraphrecError)  # registered for this class
    return await _handle_api_error(request, as_api_error(error, _id_of(request)))


def as_api_error(error: GraphrecError, request_id: str) -> ApiError:
    """The error with its status; what the database said is logged under the id of the request, for the operator."""
    if isinstance(error, StoreError):
        logger.warning("%s", error, extra={FIELDS: {"request_id": request_id}})
        return unavailable(
            "the graph database cannot answer now; try again, or see the server's log under this request id"
        )
    status = 422 if isinstance(error, DataError) else 409
    if isinstance(error, UnknownUserError | UnknownNameError | NoScoreError):
        status = 404
    elif isinstance(error, RefusedError):
        status = 409
    return ApiError(status, str(error))


async def _handle_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # registered for this class
    errors = [
        {"in": ".".join(format_value(part, 60) for part in each["loc"]), "message": format_value(each["msg"], 200)}
        for each in error.errors()[:_LISTED]
    ]
    detail = f"the request is invalid: {errors[0]['in']}: {errors[0]['message']}; GET /v1/openapi.json describes it"
    return problem(422, detail, _id_of(request), errors=errors)


async def _handle_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # registered for this class
    details = {
        404: "there is no such route; GET /v1/openapi.json lists all routes",
        405: "the route does not have this method; GET /v1/openapi.json lists the methods of all routes",
    }
    detail = details.get(error.status_code, str(error.detail))
    return problem(error.status_code, detail, _id_of(request), error.headers)


def _id_of(request: Request) -> str:
    return str(request.scope.get("request_id", ""))
