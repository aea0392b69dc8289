"""Pages for operators: runs side by side, the change of the active run, and how the system fares."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from graphrec.api.html import PageRoute, show
from graphrec.api.latency import measure_latency, sum_counter
from graphrec.api.limits import MAX_ID
from graphrec.api.routes.common import ServicesDep
from graphrec.api.routes.health import examine
from graphrec.api.services import Services
from graphrec.api.visitors import AdminDep, VisitorDep, read_checked_form
from graphrec.page import nodes, tuning
from graphrec.page.run_lists import read_kept_runs, read_list
from graphrec.page.status import GraphStatus, read_status
from graphrec.schema import USER
from graphrec.store import Store

Text = Annotated[str, Query(max_length=MAX_ID)]

#: Seconds for which the status of the graph is kept, since it reads all events.
SECONDS_TO_KEEP = 60.0

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/runs")
async def get_runs(
    request: Request, visitor: VisitorDep, services: ServicesDep, user: Text = "", old: Text = "", new: Text = ""
) -> Response:
    """Published runs, and the lists of two of them for a user, side by side."""
    snapshot = services.snapshot()

    def work(store: Store) -> dict[str, object]:
        kept = read_kept_runs(store)
        by_id = {each.run.id: each.run for each in kept}
        names = list(by_id)
        defaults = (names[min(1, len(names) - 1)], names[0]) if names else ()
        chosen = [name if name in by_id else default for name, default in zip((old, new), defaults, strict=False)]
        values: dict[str, object] = {"kept": kept, "chosen": chosen, "lists": None}
        if user and chosen:
            lists = [read_list(store, by_id[each], user, 20) for each in chosen]
            values["lists"] = (lists[0], tuning.compare(lists[0], lists[1]))
            values["person"] = nodes.name_nodes(store, USER, [user])[0]
        return values

    active = None if snapshot.run is None else snapshot.run.id
    return await show(request, visitor, "runs", user=user, active=active, **await services.run(work))


@router.post("/runs/activate")
async def activate(request: Request, visitor: AdminDep, services: ServicesDep) -> Response:
    """Make a kept run active again, for a key with the scope admin."""
    form = await read_checked_form(request, visitor)

    def work(store: Store) -> None:
        from graphrec.pipeline.publication import roll_back  # imports torch, which takes seconds

        roll_back(store, services.settings, form.get("run", ""))
        services.live.refresh()

    await services.run(work)
    return RedirectResponse("/runs", 303)


@router.get("/status")
async def get_status(request: Request, visitor: VisitorDep, services: ServicesDep) -> Response:
    """How the system fares: freshness, events, click rates, answers and their times."""
    snapshot = services.snapshot()
    graph = await _read_graph_status(request, services)
    metrics = services.metrics.render().decode()
    trained = None if snapshot.fold_in is None else snapshot.fold_in.trained.run
    return await show(
        request,
        visitor,
        "status",
        parts=await examine(services),
        snapshot=snapshot,
        trained=trained,
        graph=graph,
        latency=measure_latency(metrics),
        strategies=sum_counter(metrics, "graphrec_answers", "strategy"),
        outcomes=sum_counter(metrics, "graphrec_answers", "cache"),
        received=sum_counter(metrics, "graphrec_events", "outcome"),
        refused=sum_counter(metrics, "graphrec_refused", "reason"),
    )


@dataclass
class _Kept:
    """The last status of the graph, and when it was read (of `time.monotonic`)."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    read_at: float = 0.0
    status: GraphStatus | None = None


async def _read_graph_status(request: Request, services: Services) -> GraphStatus:
    """The status of the graph, read at most once in SECONDS_TO_KEEP by a worker."""
    state = request.app.state
    if not hasattr(state, "graph_status"):
        state.graph_status = _Kept()
    kept: _Kept = state.graph_status
    async with kept.lock:
        if kept.status is None or time.monotonic() - kept.read_at > SECONDS_TO_KEEP:
            kept.status = await services.run(read_status)
            kept.read_at = time.monotonic()
        return kept.status
