"""Query files that are marked as safe to serve."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from graphrec import preconditions
from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.limits import MAX_ITEMS, MAX_K
from graphrec.api.problems import ApiError
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import PathText, QueriesOut, RowsOut
from graphrec.errors import GraphrecError, UnknownNameError
from graphrec.store import Store, queries
from graphrec.store.queries import Query

router = APIRouter(prefix=PREFIX, tags=["queries"], dependencies=[Depends(Require("read"))])

#: Time limit of a query, in seconds; Neo4j ends it in the database too.
SECONDS = 5.0


@router.get("/queries", response_model=QueriesOut, responses=problems())
async def list_queries() -> Response:
    """The queries that `GET /v1/queries/NAME` runs, with their parameters."""
    return json_response(encode({"queries": [_describe(query) for query in _list_served()]}))


@router.get("/queries/{name}", response_model=RowsOut, responses=problems(404, 409))
async def run_query(services: ServicesDep, request: Request, name: PathText) -> Response:
    """The records of a query, which takes its parameters from the query string; a list has its name several times."""
    served = {query.name: query for query in _list_served()}
    if name not in served:
        raise UnknownNameError("query", name, served, "GET /v1/queries lists those that are served")
    query = served[name]
    values = _parse_parameters(query, request)

    def work(store: Store) -> bytes:
        preconditions.require_query(store, query)
        rows = store.read(query.statement, values, SECONDS)
        return encode({"query": name, "columns": list(query.returns), "rows": rows})

    try:
        async with asyncio.timeout(SECONDS + 1):
            return json_response(await services.run(work))
    except TimeoutError as error:
        raise ApiError(503, f"the query took longer than {SECONDS:g} s and was ended; ask for less") from error


def _list_served() -> list[Query]:
    return [query for query in map(queries.get, queries.names()) if query.served]


def _parse_parameters(query: Query, request: Request) -> dict[str, queries.Value]:
    """The values of all parameters. Raises ApiError 422 for too many or invalid values, and for missing ones."""
    lists = {parameter.name for parameter in query.parameters if parameter.type == "list"}
    given: dict[str, object] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        if len(values) > MAX_ITEMS or (len(values) > 1 and name not in lists):
            raise ApiError(422, f"the parameter {name[:100]!r} is given {len(values):,} times")
        given[name] = values if name in lists else values[0]
    try:
        arguments = queries.complete_arguments(query, given)
    except GraphrecError as error:
        raise ApiError(422, str(error)) from error
    for parameter in query.parameters:
        value = arguments[parameter.name]
        if parameter.type == "integer" and isinstance(value, int) and not 1 <= value <= MAX_K:  # numbers of rows
            raise ApiError(422, f"the parameter {parameter.name} is from 1 to {MAX_K}, but {value} is given")
    return arguments


def _describe(query: Query) -> dict[str, Any]:
    parameters = [{"name": p.name, "type": p.type, "default": p.default, "text": p.text} for p in query.parameters]
    return {
        "name": query.name,
        "sentence": query.sentence,
        "parameters": parameters,
        "columns": list(query.returns),
    }
