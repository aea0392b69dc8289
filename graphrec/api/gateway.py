"""The outermost layer: request ids, limits of body and time, security headers, metrics and one log line a request."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphrec.api.auth import find_key
from graphrec.api.limits import FORM_PATHS, MAX_BODY
from graphrec.api.logs import FIELDS, milliseconds_since
from graphrec.api.problems import ApiError, problem
from graphrec.api.repeated import RepeatedRequests
from graphrec.api.services import Services

logger = logging.getLogger(__name__)

#: The route of repeated requests, which do not reach the router.
RECOMMENDATIONS = "/v1/users/{user_id}/recommendations"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

#: Names of the host by which a browser may reach a server without keys, so that no other name leads to it.
_LOCAL_HOSTS = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?")

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Gateway:
    """Wraps the application. Paths reach it as they were sent, so that an id may have an encoded slash in it."""

    def __init__(self, app: ASGIApp, services: Services, repeated: RepeatedRequests) -> None:
        self._app, self._services, self._repeated = app, services, repeated
        self._metrics, self._answers = services.metrics, services.metrics.answers.labels("", "hit")
        self._seconds, self._local_only = services.options.seconds, services.options.open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        scope["request_id"] = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope["path"] = scope["raw_path"].decode("latin-1")
        response = _Response(send, scope["request_id"])
        try:
            async with asyncio.timeout(self._seconds):
                self._check(headers, scope["method"], scope["path"])
                answer = await self._repeated.find(scope, headers)
                if answer is None:
                    await self._app(scope, _limit_body(receive), response.send)
                else:
                    self._answers.inc()
                    scope["log"] = {**scope.get("log", {}), "cache": "hit"}
                    await response.send_hit(answer)
        except TimeoutError:
            detail = f"the request took longer than {self._seconds:g} s and was ended; ask for less, or try again"
            await response.fail(scope, receive, ApiError(503, detail, {"Retry-After": "5"}))
        except ApiError as error:
            await response.fail(scope, receive, error)
        except Exception:
            logger.exception("unexpected error", extra={FIELDS: {"request_id": scope["request_id"]}})
            detail = "an unexpected error of the server; its log has the cause under this request id"
            await response.fail(scope, receive, ApiError(500, detail))
        self._report(scope, response.status, start)

    def _check(self, headers: Mapping[bytes, bytes], method: str, path: str) -> None:
        """Raise ApiError if the body is too large or would be read without a valid key, or a server without keys is
        reached by another name."""
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise ApiError(413, f"the body is larger than {MAX_BODY:,} bytes; divide it into several requests")
        if self._local_only and not _LOCAL_HOSTS.fullmatch(headers.get(b"host", b"").decode("latin-1")):
            raise ApiError(403, "this server has no keys and is reached as localhost only")
        # a route reads and parses the body before it checks the key, but those of forms, which read a few bytes
        if method in ("POST", "PUT", "DELETE") and not self._local_only and path not in FORM_PATHS:
            find_key(self._services, headers.get(b"authorization", b"").decode("latin-1"))

    def _report(self, scope: Scope, status: int, start: float) -> None:
        """Count and log a request, by its route: neither path nor query are logged, as they contain ids."""
        route = getattr(scope.get("route"), "path", RECOMMENDATIONS if scope.get("authorized") else "none")
        self._metrics.requests.labels(route, scope["method"], status).observe(time.perf_counter() - start)
        fields = {
            "request_id": scope["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "milliseconds": milliseconds_since(start),
            **scope.get("log", {}),
        }
        logger.info("request", extra={FIELDS: fields})


class _Response:
    """Sends a response with the headers of all responses, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._request_id = send, request_id
        self.status = 499  # the client went away, if nothing is sent

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [*SECURITY_HEADERS, (b"x-request-id", self._request_id.encode())]
            present = {name for name, _ in message.get("headers", ())}
            message["headers"] = [*message.get("headers", ()), *(pair for pair in own if pair[0] not in present)]
        await self._send(message)

    async def send_hit(self, answer: bytes) -> None:
        """Send a cached answer."""
        length = str(len(answer)).encode()
        headers = [(b"content-length", length), (b"content-type", b"application/json"), (b"x-cache", b"hit")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer})

    async def fail(self, scope: Scope, receive: Receive, error: ApiError) -> None:
        """Send a problem, unless the response has begun."""
        if self.status == 499:
            response = problem(error.status, error.detail, self._request_id, error.headers)
            await response(scope, receive, self.send)


def _limit_body(receive: Receive) -> Receive:
    """The same messages; HTTPException, which FastAPI passes on, if a body without a length becomes too large."""
    size = 0

    async def limited() -> Any:  # a Message
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise HTTPException(413, f"the body is larger than {MAX_BODY:,} bytes; divide it into several requests")
        return message

    return limited
