"""The application: routes, their errors, and what begins and ends with a worker."""

import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp

from graphrec import __version__
from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.gateway import Gateway
from graphrec.api.logs import configure_logs
from graphrec.api.options import VARIABLE, ServeOptions
from graphrec.api.plain_requests import PlainRequests
from graphrec.api.problems import add_handlers
from graphrec.api.repeated import RepeatedRequests
from graphrec.api.routes import events, explanations, health, items, queries, recommendations, runs, schema, users
from graphrec.api.routes.common import PREFIX, problems
from graphrec.api.services import Services
from graphrec.config import Settings

_DESCRIPTION = (
    "Recommendations from a property graph, with the run and the strategy of each answer, and the reasons. All routes "
    "below /v1 need a key: `Authorization: Bearer KEY`. Ids in paths are percent-encoded; a slash is %2F."
)


def create_app(settings: Settings, options: ServeOptions) -> ASGIApp:
    """The application of one worker. Raises DataError if a file of rules is invalid, GraphrecError as `open_cache`."""
    services = Services(settings, options)
    repeated = RepeatedRequests(services)
    app = PlainRequests(create_routes(services, repeated), services, repeated)
    return Gateway(app, services, repeated)


def create_routes(services: Services, repeated: RepeatedRequests) -> FastAPI:
    """The FastAPI application with all routes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await services.start()
        try:
            yield
        finally:
            await services.close()

    app = FastAPI(
        title="graphrec",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,  # its page loads scripts of another host
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.services, app.state.repeated = services, repeated
    app.router.redirect_slashes = False
    add_handlers(app)
    for module in (recommendations, explanations, items, events, users, queries, schema, runs, health):
        app.include_router(module.router)
    add_page(app)

    @app.get(
        f"{PREFIX}/openapi.json",
        tags=["description"],
        dependencies=[Depends(Require("read"))],
        responses={**problems(), 200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
        response_class=Response,
    )
    async def openapi() -> Response:
        """The OpenAPI description of all routes."""
        return Response(encode(app.openapi()), media_type="application/json")

    return app


def add_page(app: FastAPI) -> None:
    """Add the routes of the page; without jinja2 only one that says what to install, and the API works as ever."""
    try:
        from graphrec.api.routes import login, page, page_runs
    except ImportError as error:
        if error.name not in ("jinja2", "markupsafe"):
            raise
        message = f"The API is at /v1. The page needs `pip install 'graphrec[serve]'` ({error.name} is missing).\n"

        @app.get("/", include_in_schema=False)
        async def explain_missing_page() -> Response:
            return Response(message, 501, media_type="text/plain")

        return
    for module in (login, page, page_runs):
        app.include_router(module.router)


def create_worker() -> ASGIApp:
    """The application of a worker process, with the options that its parent left in the environment.

    The worker ends with its parent, also if that is killed: otherwise it would keep the port.
    """
    configure_logs()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    return create_app(Settings(), ServeOptions.from_json(os.environ[VARIABLE]))


def _end_with_parent(parent: int) -> None:
    """End this process as by SIGTERM when its parent has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
