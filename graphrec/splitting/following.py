"""What each user chooses next after a time: the next item or the next basket."""

import numpy as np
import numpy.typing as npt

from graphrec.interactions import Interactions
from graphrec.splitting.time_and_random import count_later, require_time

#: Seconds of an hour.
HOUR = 3600


def mark_next(
    interactions: Interactions, part: npt.NDArray[np.bool_], rng: np.random.Generator, hours: int | None = None
) -> npt.NDArray[np.bool_]:
    """Mask [len(interactions)] of what each user chooses first in a part [len(interactions)].

    Without `hours` it is the first interaction of each user, of several at one second a random one: the next item. With
    `hours` it is this one and all that follow within so many hours: the next basket. DataError without times.
    """
    found = np.zeros(len(interactions), dtype=bool)
    rows = np.flatnonzero(part)
    later = interactions.take(rows)
    if hours is None:
        degree = later.user_degree()[later.user_index]
        found[rows] = count_later(later, rng) == degree - 1
        return found
    time = require_time(later, "by baskets")
    first = np.full(interactions.num_users, np.iinfo(np.int64).max)
    np.minimum.at(first, later.user_index, time)
    found[rows] = time - first[later.user_index] <= hours * HOUR
    return found
