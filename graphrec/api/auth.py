"""Who may: API keys in the header `Authorization: Bearer KEY`, with scopes and a rate limit."""

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.types import Scope

from graphrec.api.keys import ApiKey
from graphrec.api.problems import ApiError
from graphrec.api.services import Services


class Require(SecurityBase):
    """A dependency of a route: the request has a valid key with a scope, and the key is within its rate."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.model = HTTPBearer(description="A key that `graphrec key create` made, with the scope of the route.")
        self.scheme_name = "key"

    async def __call__(self, request: Request) -> None:
        """Raise ApiError 401, 403 or 429 unless the request is allowed."""
        services: Services = request.app.state.services
        authorize(services, request.scope, request.headers.get("authorization", ""), self.scope)


def authorize(services: Services, request: Scope, header: str, scope: str) -> None:
    """Raise ApiError 401, 403 or 429 unless the key in the header Authorization has a scope and is within its rate.

    A request is counted once, however often it is authorized.
    """
    if request.get("authorized") == scope:
        return
    if services.options.open:
        request["authorized"] = scope
        return
    require_scope(services, request, find_key(services, header), scope)


def require_scope(services: Services, request: Scope, key: ApiKey, scope: str) -> None:
    """Raise ApiError 403 or 429 unless a key has a scope and is within its rate, and count the request."""
    request["log"] = {"key": key.id}
    if scope not in key.scopes:
        services.metrics.refused.labels("scope").inc()
        raise ApiError(
            403,
            f"the key has the scopes {', '.join(key.scopes)}, and this route needs {scope}; use a key made with "
            f"`graphrec key create NAME --scope {scope}`",
        )
    if seconds := services.limiter.take(key.id, key.rate):
        services.metrics.refused.labels("rate").inc()
        wait = str(max(1, round(seconds + 0.5)))
        detail = f"the key is limited to {key.rate:g} requests a second; send fewer, or try again in {wait} s"
        raise ApiError(429, detail, {"Retry-After": wait})
    request["authorized"] = scope


def find_key(services: Services, header: str) -> ApiKey:
    """The valid key in the header Authorization. Raises ApiError 401 without a valid key."""
    kind, _, text = header.partition(" ")
    key = services.keys.find(text.strip()) if kind.lower() == "bearer" else None
    if key is None:
        services.metrics.refused.labels("key").inc()
        raise ApiError(
            401,
            "a valid key is missing: send the header `Authorization: Bearer KEY`; `graphrec key create NAME` makes "
            "a key on the server's machine",
            {"WWW-Authenticate": "Bearer"},
        )
    return key
