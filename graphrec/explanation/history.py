"""A score of any other model as parts of the user's history, exact or approximate, and a rest."""

from scipy import sparse

from graphrec.explanation.attribution import history_parts
from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Attribution, Path, Reason, Remainder, Route, Step
from graphrec.explanation.walk_paths import UNNAMED
from graphrec.models.item_knn import ItemKNN
from graphrec.models.popularity import Popularity
from graphrec.models.rp3beta import RP3Beta
from graphrec.models.user_knn import UserKNN
from graphrec.runs import TrainedRun

#: How the rest of a score is called where it comes from no item of the history.
POPULAR, UNDIVIDED, BEYOND = "popularity", "what the model does not divide", "what no item of the history accounts for"


def split(trained: TrainedRun, user_index: int, item_index: int, score: float, top: int) -> Attribution:
    """The Split of a score of a model other than graph_filter: the `top` strongest items of the history.

    A path ends with a hop without relationship, from an item to one that the model finds alike; those of user_knn lead
    over the people who have both.
    """
    model = trained.model
    if isinstance(model, Popularity):
        return Attribution((), (Remainder(POPULAR, score),), ())
    seen = trained.seen.matrix()
    history = seen[[user_index]]
    parts = history_parts(model, history, user_index, item_index)
    if parts.amount is None:
        return Attribution((), (Remainder(UNDIVIDED, score),), (), exact=False)
    names = Labels.of(trained)
    shared = seen[:, [item_index]].T @ seen if isinstance(model, ItemKNN | RP3Beta | UserKNN) else None
    items = history.indices.tolist()
    found = [
        _reason(names, user_index, item, amount, 0 if shared is None else int(shared[0, item]))
        for item, amount in zip(items, parts.amount.tolist(), strict=True)
        if amount
    ]
    reasons = tuple(sorted(found, key=lambda each: -each.amount))
    if isinstance(model, UserKNN):
        paths = _over_people(names, model.contributions(user_index, item_index), user_index, item_index)
    else:
        target = names.item(item_index)
        person = names.user(user_index)
        paths = [
            Path((person, each.node, target), (Step(each.relations, True), Step()), each.amount) for each in reasons
        ]
    return Attribution(*_cut(paths, top, score, sum(parts.amount)), reasons, parts.exact)


def _reason(names: Labels, user: int, item: int, amount: float, people: int) -> Reason:
    through = Route("people", amount, people) if people else Route("alike", amount)
    return Reason("history", names.item(item), names.did(user, item, True).relations, amount, (through,))


def _over_people(names: Labels, over: sparse.csr_array, user: int, target: int) -> list[Path]:
    """A path for each item in common with each user near who has the target."""
    entries = over.tocoo()
    people, items = entries.coords
    return [
        Path(
            (names.user(user), names.item(item), names.user(person), names.item(target)),
            (names.did(user, item, True), names.did(person, item, False), names.did(person, target, True)),
            amount,
        )
        for person, item, amount in zip(people.tolist(), items.tolist(), entries.data.tolist(), strict=True)
    ]


def _cut(paths: list[Path], top: int, score: float, divided: float) -> tuple[tuple[Path, ...], tuple[Remainder, ...]]:
    """The strongest paths, and what they leave of the part of the score that was divided and of the score."""
    order = sorted(paths, key=lambda path: -abs(path.contribution))
    kept = tuple(sorted(order[:top], key=lambda path: -path.contribution))
    named = sum(path.contribution for path in kept)
    return kept, (Remainder(UNNAMED, divided - named, len(order) - len(kept)), Remainder(BEYOND, score - divided))
