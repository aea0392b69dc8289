"""Attribution of a score to the items of the user's history, for models whose score is not a sum over walks."""

from scipy import sparse

from graphrec.explanation.labels import Labels
from graphrec.explanation.model import (
    Attribution,
    Path,
    Reason,
    ReasonKind,
    Remainder,
    RemainderKind,
    Route,
    RouteKind,
    Step,
)


def attribute_to_history(
    labels: Labels, history: sparse.csr_array, user_index: int, item_index: int, score: float, top: int
) -> Attribution:
    """The Attribution of a score to the `top` strongest items of the user's history [1, num_items], exact or
    approximate as the model says.

    A path ends with a step without relationship, from an item to one that the model finds similar. If the model scores
    through similar users (`explain_co_users`), a path leads through a user who has both items instead.
    """
    trained = labels.trained
    model = trained.model
    if not model.is_personal:
        return Attribution((), (Remainder(RemainderKind.POPULARITY, score),), ())
    parts = model.explain_history(history, user_index, item_index)
    if parts.amount is None:
        return Attribution((), (Remainder(RemainderKind.UNATTRIBUTED, score),), (), exact=False)
    shared = sparse.csr_array(history.shape)
    if model.counts_co_users:
        seen = trained.seen.matrix()
        shared = (seen[:, [item_index]].T @ seen).tocsr()
    unsorted = [
        _build_reason(labels, user_index, item, amount, int(shared[0, item]))
        for item, amount in zip(history.indices.tolist(), parts.amount.tolist(), strict=True)
        if amount
    ]
    reasons = tuple(sorted(unsorted, key=lambda each: -each.amount))
    by_co_users = model.explain_co_users(user_index, item_index)
    if by_co_users is None:
        ends = labels.user(user_index), labels.item(item_index)
        paths = [
            Path((ends[0], each.node, ends[1]), (Step(each.relations, True), Step()), each.amount) for each in reasons
        ]
    else:
        paths = _build_co_user_paths(labels, by_co_users, user_index, item_index)
    return Attribution(*_select_strongest(paths, top, score, sum(parts.amount)), reasons, parts.exact)


def _build_reason(labels: Labels, user: int, item: int, amount: float, num_users: int) -> Reason:
    route = Route(RouteKind.PEOPLE, amount, num_users) if num_users else Route(RouteKind.ALIKE, amount)
    relations = labels.behaviour_step(user, item, True).relations
    return Reason(ReasonKind.HISTORY, labels.item(item), relations, amount, (route,))


def _build_co_user_paths(labels: Labels, amounts: sparse.csr_array, user: int, target: int) -> list[Path]:
    """A path for each item in common with each similar user who has the target, from amounts [num_users, num_items]."""
    entries = amounts.tocoo()
    others, items = entries.coords
    return [
        Path(
            (labels.user(user), labels.item(item), labels.user(other), labels.item(target)),
            (
                labels.behaviour_step(user, item, True),
                labels.behaviour_step(other, item, False),
                labels.behaviour_step(other, target, True),
            ),
            amount,
        )
        for other, item, amount in zip(others.tolist(), items.tolist(), entries.data.tolist(), strict=True)
    ]


def _select_strongest(
    paths: list[Path], top: int, score: float, attributed: float
) -> tuple[tuple[Path, ...], tuple[Remainder, ...]]:
    """The strongest paths, and the remainders: the other paths, and the score that is not attributed."""
    order = sorted(paths, key=lambda path: -abs(path.contribution))
    listed = tuple(sorted(order[:top], key=lambda path: -path.contribution))
    total = sum(path.contribution for path in listed)
    return listed, (
        Remainder(RemainderKind.UNLISTED, attributed - total, len(order) - len(listed)),
        Remainder(RemainderKind.BEYOND_HISTORY, score - attributed),
    )
