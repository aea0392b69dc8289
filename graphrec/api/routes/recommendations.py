"""Recommendations for users, sessions and groups."""

import hashlib
from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from graphrec.api.answers import build_answer, build_items, encode
from graphrec.api.auth import Require
from graphrec.api.problems import ApiError
from graphrec.api.reasons import find_reasons
from graphrec.api.routes.common import PREFIX, ServicesDep, json_response, problems
from graphrec.api.services import Services
from graphrec.api.shapes import (
    Anyone,
    Context,
    Exclude,
    Explain,
    K,
    ManyRecommendations,
    PathText,
    RecommendationRequest,
    Recommendations,
    Rules,
)
from graphrec.serving.snapshot import Wishes, strategy_of
from graphrec.store import Store

router = APIRouter(prefix=PREFIX, tags=["recommendations"], dependencies=[Depends(Require("read"))])


@router.get("/users/{user_id}/recommendations", response_model=Recommendations, responses=problems(404))
async def recommend(
    request: Request,
    services: ServicesDep,
    user_id: PathText,
    k: K = 10,
    rules: Rules = None,
    exclude: Exclude = [],  # noqa: B006  # FastAPI copies defaults
    context: Context = [],  # noqa: B006
    explain: Explain = False,
    anyone: Anyone = False,
) -> Response:
    """The best items for a user: the published list, or the model folds in what the user did since the training."""
    wishes = Wishes(k, services.find_rules(rules), frozenset(exclude), tuple(context), anyone)
    body, outcome = await answer_user(services, user_id, rules, wishes, explain)
    request.app.state.repeated.remember(request.scope, user_id, name_request(rules, wishes, explain))
    request.scope.setdefault("log", {})["cache"] = outcome
    return json_response(body, {"X-Cache": outcome})


@router.post("/recommendations", response_model=ManyRecommendations, responses=problems(404))
async def recommend_many(services: ServicesDep, request: RecommendationRequest) -> Response:
    """The best items for several users, for a session without a user, or for a group of users."""
    if sum(part is not None for part in (request.users, request.session, request.group)) != 1:
        raise ApiError(422, "give exactly one of users, session and group")
    if request.group is not None and request.explain:
        raise ApiError(
            422, "the score of a group is a mean rank, which has no reason; ask with explain for users or for a session"
        )
    rules, excluded = services.find_rules(request.rules), frozenset(request.exclude)
    wishes = Wishes(request.k, rules, excluded, tuple(request.session or ()), request.anyone)
    if request.users is not None:
        users = list(dict.fromkeys(request.users))
        bodies = [(await answer_user(services, user, request.rules, wishes, request.explain))[0] for user in users]
        return json_response(b'{"answers":[' + b",".join(bodies) + b"]}")
    snapshot, group = services.snapshot(), request.group

    def work(store: Store) -> bytes:
        if group is None:
            answer = snapshot.recommend_for_session(store, wishes)
            because = find_reasons(store, snapshot, answer, wishes.session) if request.explain else None
            return encode({"answers": [build_answer(answer, snapshot.run, because)]})
        found = snapshot.recommend_for_group(store, group, wishes)
        notes = [f"ranked by the mean rank in the lists of {len(set(group))} users; the score is 1 / mean rank"]
        return encode({"answers": [build_items([item for item, _ in found], None, snapshot.run, notes)]})

    return json_response(await services.run(work))


async def answer_user(
    services: Services, user: str, rules: str | None, wishes: Wishes, explain: bool
) -> tuple[bytes, str]:
    """The answer for a user as JSON, and the outcome of the cache."""
    snapshot = services.snapshot()

    def work(store: Store) -> bytes:
        answer = snapshot.recommend(store, user, wishes)
        services.metrics.answers.labels(strategy_of(answer), "computed").inc()
        assigned = snapshot.for_user(user)
        because = find_reasons(store, snapshot, answer, wishes.session) if explain else None
        return encode(build_answer(answer, assigned.run, because))

    body, outcome = await services.cached(user, snapshot, name_request(rules, wishes, explain), work)
    if outcome == "hit":
        services.metrics.answers.labels("", "hit").inc()
    return body, outcome


def name_request(rules: str | None, wishes: Wishes, explain: bool) -> str:
    """All arguments of a request as a short text; the answer is cached under it and the epoch."""
    lists: Sequence[object] = (rules, sorted(wishes.excluded), wishes.session)
    digest = hashlib.sha256(repr(lists).encode()).hexdigest()[:24] if any(lists) else ""
    return f"{wishes.k}:{int(wishes.anyone)}{int(explain)}:{digest}"
