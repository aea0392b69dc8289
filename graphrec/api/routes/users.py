"""Users: what the graph knows about one, writes, and deletion."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from graphrec import events
from graphrec.api.answers import encode
from graphrec.api.auth import Require
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.shapes import DeletedUserOut, K, NodeIn, NodeOut, PathText, UserOut
from graphrec.schema import USER
from graphrec.serving.snapshot import UnknownUserError
from graphrec.serving.user_profile import read_profile
from graphrec.store import Store

router = APIRouter(prefix=PREFIX, tags=["users"])


@router.get(
    "/users/{user_id}", response_model=UserOut, responses=problems(404), dependencies=[Depends(Require("read"))]
)
async def get_user(services: ServicesDep, user_id: PathText, k: K = 20) -> Response:
    """What the graph knows about a user: properties, the k newest interactions, friends and attributes."""
    snapshot = services.snapshot()

    def work(store: Store) -> bytes:
        user = read_profile(store, user_id, k)
        if user is None:
            raise UnknownUserError(user_id)
        history = [
            {
                "item": edge.id,
                "title": snapshot.titles.get(edge.id),
                "behaviour": edge.relation,
                "timestamp": edge.properties.get("timestamp"),
                "properties": {name: value for name, value in edge.properties.items() if name != "timestamp"},
            }
            for edge in user.history
        ]
        record = {
            "user": user_id,
            "properties": user.properties,
            "history": history,
            "num_interactions": user.num_interactions,
            "friends": user.context.friend_ids(),
            "attributes": user.context.attribute_ids(),
        }
        return encode(record)

    return json_response(await services.run(work))


@router.put("/users/{user_id}", response_model=NodeOut, responses=problems(), dependencies=[Depends(Require("write"))])
async def put_user(services: ServicesDep, user_id: PathText, node: NodeIn) -> Response:
    """Create a user or change one; the next answer for the user knows the attributes."""

    def work(store: Store) -> bytes:
        change = events.put_node(store, USER, user_id, node.properties, node.attributes)
        return encode({"id": user_id, **vars(change)})

    return json_response(await services.write(user_id, work))


@router.delete(
    "/users/{user_id}",
    response_model=DeletedUserOut,
    responses=problems(404),
    dependencies=[Depends(Require("admin"))],
)
async def delete_user(services: ServicesDep, user_id: PathText) -> Response:
    """Delete a user with all edges. Saved runs still contain the user's id until the next training."""

    def work(store: Store) -> bytes:
        deleted = events.delete_user(store, user_id)
        if not deleted.nodes:
            raise UnknownUserError(user_id)
        return encode({"user": user_id, **vars(deleted)})

    return json_response(await services.write(user_id, work))
