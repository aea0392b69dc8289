"""Why a run gives an item its score for a user."""

import numpy as np

from graphrec.arguments import Id, count
from graphrec.explanation import history, walk_paths
from graphrec.explanation.labels import Labels
from graphrec.explanation.model import Explanation
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.runs import TrainedRun

#: Paths that are named unless the caller says otherwise.
TOP = 10


def explain(trained: TrainedRun, user_id: Id, item_id: Id, top: int = TOP) -> Explanation:
    """The Explanation of one score with its `top` strongest paths, the others summed up as rest.

    Names are ids; `described` adds titles from a store and the relationships that the graph really has. An item that
    the user has already is explained like any other.

    Raises:
        UnknownNameError: the run knows no such user or item; it names the nearest.
        DataError: `top` is no integer from 1 on.
    """
    top = count(top, "top")
    user, item = trained.users.find(user_id), trained.items.find(item_id)
    model, names = trained.model, Labels.of(trained)
    score = float(model.score(np.array([user]))[0, item])
    divide = walk_paths.split if isinstance(model, GraphFilter) else history.split
    return Explanation(
        names.user(user),
        names.item(item),
        score,
        divide(trained, user, item, score, top),
        trained.run.model,
        trained.run.id,
        trained.run.relation,
        int((trained.seen.item_index == item).sum()),
        bool(((trained.seen.user_index == user) & (trained.seen.item_index == item)).any()),
    )
