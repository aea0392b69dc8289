"""What the graph has: labels and relationship types."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import SchemaOut
from graphrec.store import Store, counts

router = APIRouter(prefix=PREFIX, tags=["description"], dependencies=[Depends(Require("read"))])


@router.get("/schema", response_model=SchemaOut, responses=problems())
async def get_schema(services: ServicesDep) -> Response:
    """Labels and relationship types of the graph with their counts, counted at most once a minute."""

    def work(store: Store) -> bytes:
        return encode({"types": counts.count_graph(store).type_rows()})

    return json_response(await services.run_shared("schema", work))
