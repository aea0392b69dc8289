"""Attribution of a score to the inputs of a second stage, which ranks candidates of other models."""

from scipy import sparse

from graphrec.explanation.history import attribute_to_history
from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Attribution, Node, Reason, ReasonKind, Remainder, RemainderKind, Route, RouteKind
from graphrec.models.attribution import InputContributions

#: Label of the nodes of such reasons, which are texts and no nodes of the graph.
INPUT = "Input"


def attribute_to_inputs(
    labels: Labels,
    inputs: InputContributions,
    history: sparse.csr_array,
    user_index: int,
    item_index: int,
    score: float,
    top: int,
) -> Attribution:
    """The Attribution of a score whose reasons are the inputs by group, which add up to it.

    Paths begin at items of the user's history [1, num_items], with the part of the score that the members attribute to
    them; the remainder are the other inputs.
    """
    by_history = attribute_to_history(labels, history, user_index, item_index, score, top)
    rest = tuple(
        Remainder(RemainderKind.OTHER_INPUTS, part.amount)
        if part.kind in (RemainderKind.BEYOND_HISTORY, RemainderKind.UNATTRIBUTED)
        else part
        for part in by_history.rest
    )
    routes: dict[str, list[Route]] = {}
    for group, name, amount in zip(inputs.group, inputs.name, inputs.amount.tolist(), strict=True):
        routes.setdefault(group, []).append(Route(RouteKind.INPUT, amount, relation=name))
    reasons = [
        Reason(
            ReasonKind.INPUT,
            Node(INPUT, group, is_text=True),
            (),
            sum(route.amount for route in through),
            tuple(sorted(through, key=lambda route: -route.amount)),
        )
        for group, through in routes.items()
    ]
    reasons = sorted((each for each in reasons if each.amount), key=lambda each: -each.amount)
    return Attribution(by_history.paths, rest, tuple(reasons), exact=True)
