"""Events: what users did, in batches."""

import time

from fastapi import APIRouter, Depends
from starlette.responses import Response

from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.problems import ApiError
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import EventIn, EventsIn, EventsOut
from graphrec.behaviours import WEIGHT_PROPERTIES
from graphrec.events import Event
from graphrec.schema import SHOWN, SYSTEM_RELATIONS

router = APIRouter(prefix=PREFIX, tags=["events"], dependencies=[Depends(Require("write"))])


@router.post("/events", response_model=EventsOut, responses=problems())
async def post_events(services: ServicesDep, batch: EventsIn) -> Response:
    """Write events in one transaction; the answer comes after the commit, and the users' next answers know them."""
    now = int(time.time())
    events = [_build_event(each, now) for each in batch.events]
    outcomes = await services.events.write(events)
    rejected = [
        {"event": event.id, "reason": outcome.reason}
        for event, outcome in zip(events, outcomes, strict=True)
        if outcome.status == "rejected"
    ]
    numbers = {status: sum(each.status == status for each in outcomes) for status in ("accepted", "repeated")}
    return json_response(encode({**numbers, "rejected": rejected}))


def _build_event(event: EventIn, now: int) -> Event:
    """The event. Raises ApiError 422 if an impression lacks run or rank, or only graphrec writes the behaviour."""
    if event.behaviour == SHOWN and (event.run is None or event.rank is None):
        raise ApiError(422, f"event {event.event}: an impression needs the run and the rank of the item in the answer")
    if event.behaviour in SYSTEM_RELATIONS:
        raise ApiError(422, f"event {event.event}: {event.behaviour} is written by graphrec only")
    values = {name: value for name in WEIGHT_PROPERTIES if (value := getattr(event, name)) is not None}
    return Event(
        event.event,
        event.behaviour,
        event.user,
        event.item,
        now if event.timestamp is None else event.timestamp,
        values,
        event.run,
        event.rank,
        event.recommendation_id,
        event.propensity,
    )
