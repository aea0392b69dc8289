"""Who sees the page: the key of the session cookie, and the tokens of forms."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.responses import Response

from graphrec.api.auth import require_scope
from graphrec.api.keys import SCOPES, ApiKey
from graphrec.api.limits import MAX_FORM
from graphrec.api.problems import ApiError
from graphrec.api.services import Services
from graphrec.api.sessions import LIFETIME, NO_SESSION

#: Cookies: the session, and a random text that the form of the login is bound to.
SESSION_COOKIE, LOGIN_COOKIE = "graphrec_session", "graphrec_login"

#: The name of the hidden field with the token of a form.
TOKEN = "token"


class LoginNeededError(Exception):
    """The request has no valid session."""


@dataclass(frozen=True)
class Visitor:
    """Who sees the page: the key (None on a server without keys), what it may do, and the token of its forms."""

    key: ApiKey | None
    scopes: tuple[str, ...]
    form_token: str


def find_visitor(request: Request, scope: str = "read") -> Visitor:
    """The visitor, whose request is counted. Raises LoginNeededError, and ApiError 403 or 429 as `require_scope`."""
    services: Services = request.app.state.services
    if services.options.open:
        request.scope["authorized"] = scope
        return Visitor(None, SCOPES, services.sessions.form_token(NO_SESSION))
    session = request.cookies.get(SESSION_COOKIE, "")
    key = services.sessions.find(session)
    if key is None:
        raise LoginNeededError
    if request.scope.get("authorized") != scope:
        require_scope(services, request.scope, key, scope)
    return Visitor(key, key.scopes, services.sessions.form_token(session))


async def _get_reader(request: Request) -> Visitor:
    return find_visitor(request)


async def _get_admin(request: Request) -> Visitor:
    return find_visitor(request, "admin")


#: The visitor of a route, found before its parameters are checked; for an admin the key needs that scope.
VisitorDep = Annotated[Visitor, Depends(_get_reader)]
AdminDep = Annotated[Visitor, Depends(_get_admin)]


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises ApiError 413 if it is too large, 422 if it is no form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise ApiError(413, f"the form is larger than {MAX_FORM:,} bytes")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise ApiError(422, "the body is not a form") from error


async def read_checked_form(request: Request, visitor: Visitor) -> Mapping[str, str]:
    """The fields of a form of the page. Raises ApiError 403 if another site sent it, and as `read_form`."""
    form = await read_form(request)
    if not secrets.compare_digest(form.get(TOKEN, "").encode(), visitor.form_token.encode()):
        raise ApiError(403, "the form is not from this page or its session has ended; go back, reload, and try again")
    return form


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts and other sites cannot use; behind a proxy with TLS it needs TLS."""
    secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    response.set_cookie(name, value, LIFETIME, path="/", secure=secure, httponly=True, samesite="strict")
