"""Similar items, the audience of an item, and writes of items."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from graphrec import events
from graphrec.api.answers import encode, new_id
from graphrec.api.auth import Require
from graphrec.api.problems import ApiError
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import Audience, K, NodeIn, NodeOut, PathText, SimilarItems
from graphrec.schema import ITEM
from graphrec.serving.similar import find_similar
from graphrec.serving.snapshot import Snapshot
from graphrec.store import Store, queries

router = APIRouter(prefix=PREFIX, tags=["items"])


def _require_item(snapshot: Snapshot, item_id: str) -> None:
    """Raise ApiError 404 if the graph does not have an item."""
    if item_id not in snapshot.titles:
        raise ApiError(404, "there is no such item; PUT /v1/items/ID creates one")


@router.get(
    "/items/{item_id}/similar",
    response_model=SimilarItems,
    responses=problems(404),
    dependencies=[Depends(Require("read"))],
)
async def similar(services: ServicesDep, item_id: PathText, k: K = 10) -> Response:
    """Items similar to an item: published ones, else those that the model ranks after it, else by common users."""
    snapshot = services.snapshot()

    def work(store: Store) -> bytes:
        _require_item(snapshot, item_id)
        strategy, items = find_similar(store, snapshot, item_id, k)
        run = None if snapshot.run is None else snapshot.run.id
        record = {"recommendation_id": new_id(), "item": item_id, "run": run, "strategy": strategy, "items": items}
        return encode(record)

    return json_response(await services.run(work))


@router.get(
    "/items/{item_id}/audience",
    response_model=Audience,
    responses=problems(404),
    dependencies=[Depends(Require("read"))],
)
async def audience(services: ServicesDep, item_id: PathText, k: K = 20) -> Response:
    """Users who may like an item: those with it in their published list, then those who liked similar items."""
    snapshot = services.snapshot()

    def work(store: Store) -> bytes:
        _require_item(snapshot, item_id)
        query = queries.get("find_audience")
        rows = store.read(query.statement, queries.parse_arguments(query, {"item_id": item_id, "k": k}))
        return encode({"item": item_id, "run": None if snapshot.run is None else snapshot.run.id, "users": rows})

    return json_response(await services.run(work))


@router.put("/items/{item_id}", response_model=NodeOut, responses=problems(), dependencies=[Depends(Require("write"))])
async def put_item(services: ServicesDep, item_id: PathText, node: NodeIn) -> Response:
    """Create an item or change it. It can be recommended at once, if the model can score it by its attributes."""

    def work(store: Store) -> bytes:
        change = events.put_node(store, ITEM, item_id, node.properties, node.attributes)
        services.live.refresh()
        return encode({"id": item_id, **vars(change)})

    return json_response(await services.run(work))
