"""Pages as responses: HTML with a strict policy, errors as pages, and the login for visitors without a session."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from graphrec.api.problems import ApiError, as_api_error
from graphrec.api.visitors import LoginNeededError, Visitor, find_visitor
from graphrec.errors import GraphrecError, format_value
from graphrec.page.rendering import address, render

#: What the page may load and do: its own files, nothing else; no script or style in the HTML.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

#: The header by which page.js asks for a part of a page.
PART = "x-part"

#: The parts by page; each is a template of its own, `PAGE_PART.html`.
PARTS = {"search": {"found"}, "user": {"list", "candidates"}, "why": {"picture"}, "audience": {"rows"}}


class PageRoute(APIRoute):
    """A route whose errors are pages, and that sends visitors without a session to the login."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route."""
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except LoginNeededError:
                if PART in request.headers:
                    return html("", 401)
                query = request.url.query
                here = request.scope["path"] + (f"?{query}" if query else "")
                return RedirectResponse(address("/login", {"next": "" if here == "/" else here}), 303)
            except RequestValidationError:
                return _fail(request, ApiError(422, "the address is not one of this page; go back, or search"))
            except GraphrecError as error:
                return _fail(request, as_api_error(error, request.scope.get("request_id", "")))
            except ApiError as error:
                return _fail(request, error)

        return handle_page


def html(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with HTML and the policy of the page."""
    every = {"Content-Security-Policy": POLICY, "Vary": "Cookie, X-Part", **(headers or {})}
    return Response(text.encode("utf-8", "replace"), status, every, "text/html; charset=utf-8")


async def show(request: Request, visitor: Visitor | None, template: str, **values: object) -> Response:
    """A page; or only the part of it that the request names, if the page has such a part."""
    name = f"{template}_{part}" if (part := request.headers.get(PART, "")) in PARTS.get(template, ()) else template
    # in a thread, as other requests would wait for it
    return html(await asyncio.to_thread(render, f"{name}.html", **{"visitor": visitor, "query": "", **values}))


def _fail(request: Request, error: ApiError) -> Response:
    values = {"status": error.status, "detail": error.detail, "request_id": request.scope.get("request_id", "")}
    try:
        visitor = find_visitor(request)
    except (ApiError, LoginNeededError):
        visitor = None
    name = "error_message" if PART in request.headers else "error"
    return html(render(f"{name}.html", visitor=visitor, query="", **values), error.status, error.headers)


def unknown(label: str, id_: str) -> ApiError:
    return ApiError(404, f"there is no {label} '{format_value(id_)}'; search for another")
