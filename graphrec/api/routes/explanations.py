"""Why an item is recommended to a user: as JSON, a sentence, or a picture."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.problems import ApiError
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import PathText
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
) -> Response:
    """The score of an item for a user, split into the paths that it comes from, as of the active run's training."""
    snapshot = services.snapshot()
    fold_in = snapshot.fold_in
    if fold_in is None:
        raise ApiError(409, snapshot.model_note or "nothing is published, so nothing can be explained")

    def work(store: Store) -> bytes:
        from graphrec import explanation  # imports torch, which the loaded model did already
        from graphrec.explanation.labels import counted_behaviours

        trained = fold_in.trained
        for label, id_, known in (("user", user_id, trained.users), ("item", item_id, trained.items)):
            if known.find_few([id_])[0] < 0:
                raise ApiError(
                    404, f"run {trained.run.id} was trained without this {label}, so it has no score to explain"
                )
        explained = explanation.explain(trained, user_id, item_id, top)
        explained = explanation.add_titles(explained, store, counted_behaviours(trained))
        if form == "svg":
            return explanation.as_svg(explained).encode()
        if form == "sentence":
            return explanation.as_sentence(explained).encode()
        return encode({"sentence": explanation.as_sentence(explained), **explanation.as_record(explained)})

    async with services.explanations:
        body = await services.run(work)
    return json_response(body) if form == "json" else Response(body, media_type=_FORMS[form])
