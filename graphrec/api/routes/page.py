"""The page: HTML for people, behind the same keys as the API. With a header `X-Part` a route sends one part of it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from graphrec.api.html import PART, PageRoute, show, unknown
from graphrec.api.limits import MAX_ID, MAX_ITEMS
from graphrec.api.problems import ApiError
from graphrec.api.reasons import explain_live, find_explained, find_reasons
from graphrec.api.routes.common import ServicesDep
from graphrec.api.shapes import Id
from graphrec.api.visitors import VisitorDep
from graphrec.page import nodes
from graphrec.page.rendering import FILES, file_address, node_address, read_file
from graphrec.page.tuning import DIVERSITY_STEPS, HALF_LIVES, MOST, Tuning, compare, find_abilities
from graphrec.reranking import RerankingRules
from graphrec.schema import ITEM, SYSTEM_LABELS, USER
from graphrec.serving.similar import find_similar
from graphrec.serving.snapshot import Snapshot, UnknownUserError, Wishes
from graphrec.serving.user_profile import read_profile
from graphrec.store import Store, queries

#: Numbers of search results, of similar items, of popular items and of users to begin with.
NUM_FOUND, NUM_SIMILAR, NUM_POPULAR, NUM_USERS = 8, 12, 10, 12

#: Lengths of a list.
LENGTHS = (10, 20, 50)

#: Number of paths of a picture.
NUM_PATHS = 6

NodeId = Annotated[Id, Query(description="Id of a user or item.")]
Text = Annotated[str, Query(max_length=MAX_ID)]
Liked = Annotated[list[Id], Query(max_length=MAX_ITEMS)]
ListLength = Annotated[int, Query(ge=1, le=LENGTHS[-1])]


router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get("/files/{name}")
async def get_file(name: str) -> Response:
    """A file that the page loads. It needs no session, since the login has it too."""
    if name not in FILES:
        raise ApiError(404, "there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(read_file(name), headers=headers, media_type=FILES[name])


@router.get("/favicon.ico")
async def get_icon() -> Response:
    """The address where browsers look for an icon."""
    return RedirectResponse(file_address("icon.svg"), 301)


@router.get("/")
async def get_start(request: Request, visitor: VisitorDep, services: ServicesDep) -> Response:
    """The first page: search, users to begin with, and popular items."""
    snapshot = services.snapshot()
    users = await services.run(lambda store: nodes.choose_users(store, snapshot.relation, NUM_USERS))
    fallbacks = snapshot.fallbacks
    trending, popular = await services.run(lambda _: (fallbacks.trending(), fallbacks.popular()))
    return await show(
        request,
        visitor,
        "start",
        snapshot=snapshot,
        users=users,
        trending=trending[:NUM_POPULAR],
        popular=popular[:NUM_POPULAR],
    )


@router.get("/search")
async def search(request: Request, visitor: VisitorDep, services: ServicesDep, q: Text = "") -> Response:
    """Users and items whose id or title contains a text."""
    snapshot = services.snapshot()
    users, items = await services.run(lambda store: _search(store, snapshot, q))
    return await show(request, visitor, "search", query=q, users=users, items=items)


def _search(
    store: Store, snapshot: Snapshot, text: str, only_items: bool = False
) -> tuple[list[nodes.NamedNode], list[nodes.NamedNode]]:
    if not text.strip():
        return [], []
    users = [] if only_items else nodes.find_users(store, text, NUM_FOUND)
    return users, nodes.find_items(snapshot.titles, text, NUM_FOUND)


@dataclass(frozen=True)
class _Experiment:
    """What the visitor tries: the length of the list, rules by name, positions of sliders, and further liked items."""

    k: int
    rules: RerankingRules | None
    tuning: Tuning
    liked: tuple[str, ...]


@router.get("/user")
async def get_user(
    request: Request,
    visitor: VisitorDep,
    services: ServicesDep,
    id: NodeId,
    k: ListLength = LENGTHS[0],
    rules: Text = "",
    liked: Liked = [],  # noqa: B006  # FastAPI copies defaults
    find: Text = "",
    diversity: Annotated[int, Query(ge=0, le=DIVERSITY_STEPS)] = 0,
    freshness: Annotated[int, Query(ge=0, lt=len(HALF_LIVES))] = 0,
    most: Annotated[int, Query(ge=0, lt=len(MOST))] = 0,
) -> Response:
    """A user: recommendations with reasons, what rules and further items would change, history, friends, attributes."""
    snapshot = services.snapshot()
    chosen = tuple(dict.fromkeys(each for each in liked if each in snapshot.titles))
    tried = _Experiment(k, services.find_rules(rules or None), Tuning(diversity, freshness, most), chosen)
    part = request.headers.get(PART, "")

    def work(store: Store) -> dict[str, object]:
        candidates: dict[str, object] = {"candidates": _search(store, snapshot, find, only_items=True)[1]}
        if part == "candidates":
            return candidates
        recommended = _recommend(store, snapshot, id, tried)
        return candidates | recommended | ({} if part else _describe_user(store, snapshot, id))

    values = await services.run(work)
    names, items = sorted(services.rules), nodes.titled(snapshot.titles, chosen)
    form = {"id": id, "k": k, "lengths": LENGTHS, "find": find, "rules": rules, "all_rules": names, "liked": items}
    return await show(request, visitor, "user", run=snapshot.run, **form, **values)


def _recommend(store: Store, snapshot: Snapshot, user: str, tried: _Experiment) -> dict[str, object]:
    """The answer as tried, what is other than without it, and the reasons of its items."""
    able = find_abilities(snapshot)
    wishes = Wishes(tried.k, tried.tuning.add_to(tried.rules, able), frozenset(), tried.liked)
    changed = wishes.rules is not None or bool(tried.liked)
    try:
        before = snapshot.recommend(store, user, Wishes(tried.k))
    except UnknownUserError as error:
        raise unknown(USER, user) from error
    after = snapshot.recommend(store, user, wishes) if changed else before
    return {
        "sliders": tried.tuning.sliders(able),
        "answer": after,
        "changed": changed,
        "changes": compare(before.items, after.items, tried.liked),
        "because": find_reasons(store, snapshot, after, tried.liked),
        "explained": find_explained(snapshot, after),
        "is_compared": snapshot.other is not None,
    }


def _describe_user(store: Store, snapshot: Snapshot, user: str) -> dict[str, object]:
    profile = read_profile(store, user, nodes.MAX_HISTORY)
    if profile is None:
        raise unknown(USER, user)
    friends, attributes = nodes.name_neighbours(store, profile.context)
    return {
        "profile": profile,
        "friends": friends,
        "attributes": attributes,
        "user": nodes.named(USER, user, profile.properties.get("title") or profile.properties.get("name")),
        "properties": nodes.visible_properties(profile.properties),
        "titles": snapshot.titles,
    }


@router.get("/why")
async def explain(
    request: Request,
    visitor: VisitorDep,
    services: ServicesDep,
    user: NodeId,
    item: NodeId,
    liked: Liked = [],  # noqa: B006  # FastAPI copies defaults
    run: Text = "",
) -> Response:
    """Why an item is recommended to a user, as if the user had liked further items: a picture of the reasons, and the
    strongest paths."""
    snapshot = services.snapshot()
    supposed = tuple(dict.fromkeys(each for each in liked if each in snapshot.titles))

    def work(store: Store) -> dict[str, object]:
        explained = explain_live(store, snapshot, user, item, NUM_PATHS, supposed, run)
        from graphrec.explanation import as_sentence  # imports torch, which the loaded model did already
        from graphrec.explanation.svg import draw_flow

        picture = draw_flow(explained, lambda node: None if node.is_text else node_address(node.label, node.id))
        return {"explained": explained, "sentence": as_sentence(explained), "picture": picture}

    async with services.explanations:
        values = await services.run(work)
    liked_items = nodes.titled(snapshot.titles, supposed)
    return await show(request, visitor, "why", user=user, item=item, liked=liked_items, **values)


@router.get("/item")
async def get_item(request: Request, visitor: VisitorDep, services: ServicesDep, id: NodeId) -> Response:
    """An item: properties, attributes, similar items, and with page.js the users who may like it."""
    snapshot = services.snapshot()

    def work(store: Store) -> dict[str, object]:
        profile = nodes.read_item(store, id, snapshot.relation)
        if profile is None:
            raise unknown(ITEM, id)
        strategy, similar = find_similar(store, snapshot, id, NUM_SIMILAR)
        return {"profile": profile, "similar": similar, "strategy": strategy}

    return await show(request, visitor, "item", id=id, relation=snapshot.relation, **await services.run(work))


@router.get("/audience")
async def get_audience(request: Request, visitor: VisitorDep, services: ServicesDep, id: NodeId) -> Response:
    """The users who may like an item."""
    snapshot = services.snapshot()
    if id not in snapshot.titles:
        raise unknown(ITEM, id)

    def work(store: Store) -> dict[str, object]:
        query = queries.get("find_audience")
        arguments = queries.parse_arguments(query, {"item_id": id, "k": NUM_SIMILAR})
        rows = store.read(query.statement, arguments, nodes.SECONDS)
        return {"rows": list(zip(rows, nodes.name_nodes(store, USER, [row["user"] for row in rows]), strict=True))}

    item = nodes.titled(snapshot.titles, [id])[0]
    return await show(request, visitor, "audience", item=item, **await services.run(work))


@router.get("/value")
async def get_value(
    request: Request, visitor: VisitorDep, services: ServicesDep, label: NodeId, id: NodeId
) -> Response:
    """An attribute value, such as a genre, and the items that have it."""
    snapshot = services.snapshot()
    if label in SYSTEM_LABELS | {USER, ITEM}:
        raise unknown(label, id)

    def work(store: Store) -> dict[str, object]:
        found = nodes.read_value(store, label, id, snapshot.relation)
        if found is None:
            raise unknown(label, id)
        return {"value": found[0], "rows": found[1]}

    values = await services.run(work)
    return await show(request, visitor, "value", relation=snapshot.relation, **values)
