"""Why an item is recommended to a user: as JSON, a sentence, or a picture."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.reasons import explain_live
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import Context, PathText
from graphrec.store import Store

router = APIRouter(prefix=PREFIX, tags=["explanations"], dependencies=[Depends(Require("read"))])

_FORMS = {"json": "application/json", "sentence": "text/plain", "svg": "image/svg+xml"}


@router.get(
    "/users/{user_id}/recommendations/{item_id}/explanation",
    response_class=Response,
    responses={
        **problems(404, 409),
        200: {
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/plain": {"schema": {"type": "string"}},
                "image/svg+xml": {"schema": {"type": "string"}},
            }
        },
    },
)
async def explain(
    services: ServicesDep,
    user_id: PathText,
    item_id: PathText,
    form: Annotated[Literal["json", "sentence", "svg"], Query(description="json, sentence or svg.")] = "json",
    top: Annotated[int, Query(ge=1, le=100, description="Number of paths.")] = 10,
    context: Context = [],  # noqa: B006  # FastAPI copies defaults
) -> Response:
    """The score of an item for a user, split into the paths that it comes from, folded in as in the answer."""
    snapshot = services.snapshot()

    def work(store: Store) -> bytes:
        explained = explain_live(store, snapshot, user_id, item_id, top, context)
        from graphrec import explanation  # imports torch, which the loaded model did already

        if form == "svg":
            return explanation.as_svg(explained).encode()
        if form == "sentence":
            return explanation.as_sentence(explained).encode()
        return encode({"sentence": explanation.as_sentence(explained), **explanation.as_record(explained)})

    async with services.explanations:
        body = await services.run(work)
    return json_response(body) if form == "json" else Response(body, media_type=_FORMS[form])
