"""Health, readiness and metrics."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.routes.common import ServicesDep, problems
from graphrec.api.services import Services
from graphrec.api.shapes import Health

router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", response_model=Health)
async def health() -> Response:
    """Whether the process answers; it says nothing about the database."""
    return Response(encode({"status": "ok", "parts": {}}), media_type="application/json")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", response_model=Health, responses={503: {"model": Health, "description": "not ready"}})
async def ready(services: ServicesDep) -> Response:
    """Whether requests can be answered, with the state of database, model and cache; a missing cache is no obstacle."""
    parts = await examine(services)
    is_ready = services.live.is_available and services.live.snapshot is not None and not services.is_stopping
    body = encode({"status": "ok" if is_ready else "unavailable", "parts": parts})
    return Response(body, 200 if is_ready else 503, media_type="application/json")


@router.get(
    "/metrics",
    response_class=Response,
    responses={**problems(), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(Require("read"))],
)
async def metrics(services: ServicesDep) -> Response:
    """The metrics of all workers for Prometheus."""
    parts = await examine(services)
    services.metrics.database_up.set(parts["database"] == "ok")
    services.metrics.model_ready.set(parts["model"] == "ok")
    services.metrics.cache_up.set(parts["cache"].startswith("ok"))
    return Response(services.metrics.render(), media_type="text/plain; version=0.0.4")


async def examine(services: Services) -> dict[str, str]:
    """The state of each part: `ok`, or what is the matter."""
    snapshot = services.live.snapshot
    model = services.live.problem or "the graph is being read"
    if snapshot is not None:
        model = "ok" if snapshot.fold_in is not None else snapshot.model_note or "nothing is published"
    cache = services.cache.name
    return {
        "database": "ok" if services.live.is_available else "does not answer",
        "model": model,
        "cache": f"ok ({cache})" if await services.cache.is_available() else f"{cache} does not answer",
    }
