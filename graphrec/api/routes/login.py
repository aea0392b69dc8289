"""Login and logout of the page."""

import asyncio
import re
import secrets

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from graphrec.api.html import PageRoute, show
from graphrec.api.problems import ApiError
from graphrec.api.routes.common import ServicesDep
from graphrec.api.sessions import Sessions
from graphrec.api.visitors import (
    LOGIN_COOKIE,
    SESSION_COOKIE,
    TOKEN,
    LoginNeededError,
    find_visitor,
    read_checked_form,
    read_form,
    set_cookie,
)

router = APIRouter(include_in_schema=False, route_class=PageRoute)

#: Where a login may lead to: an address of this server.
_NEXT = re.compile(r"/(?![/\\])[!-~]*")


@router.get("/login")
async def get_login(request: Request, services: ServicesDep, next: str = "") -> Response:
    """The form of the login; without keys, or with a session, the first page."""
    try:
        find_visitor(request)
    except (LoginNeededError, ApiError):
        return await _show_form(request, services.sessions, next, "")
    return RedirectResponse("/", 303)


@router.post("/login")
async def log_in(request: Request, services: ServicesDep) -> Response:
    """Begin a session with a key that has the scope `read`."""
    form = await read_form(request)
    owner, target = request.cookies.get(LOGIN_COOKIE, ""), form.get("next", "")
    if not owner or not services.sessions.is_form_token(owner, form.get(TOKEN, "")):
        return await _show_form(request, services.sessions, target, "The form was too old. Please try again.")
    key = services.keys.find(form.get("key", "").strip())
    if key is None:
        services.metrics.refused.labels("key").inc()
        return await _show_form(
            request, services.sessions, target, "This is not a valid key. It may be expired or revoked."
        )
    request.scope["log"] = {"key": key.id}
    if "read" not in key.scopes:
        services.metrics.refused.labels("scope").inc()
        message = f"This key has the scope {' and '.join(key.scopes)}; the page needs a key with the scope read."
        return await _show_form(request, services.sessions, target, message)
    response = RedirectResponse(target if _NEXT.fullmatch(target) else "/", 303)
    set_cookie(request, response, SESSION_COOKIE, services.sessions.create(key))
    response.delete_cookie(LOGIN_COOKIE)
    return response


@router.post("/logout")
async def log_out(request: Request, services: ServicesDep) -> Response:
    """End the session, in this browser and on the server: a copy of its cookie is of no use."""
    await read_checked_form(request, find_visitor(request))
    await asyncio.to_thread(services.sessions.revoke, request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


async def _show_form(request: Request, sessions: Sessions, target: str, message: str) -> Response:
    owner = request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(16)
    token = sessions.form_token(owner)
    response = await show(request, None, "login", target=target, message=message, token=token)
    response.status_code = 401 if message else 200
    set_cookie(request, response, LOGIN_COOKIE, owner)
    return response
