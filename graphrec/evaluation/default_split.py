"""Which split measures models if the user names none: by time, unless that would test too few users."""

from dataclasses import dataclass

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.protocol import warm_users
from graphrec.interactions import Interactions, join
from graphrec.splitting import Split, parse_split
from graphrec.splitting.time_and_random import by_time

#: Number of test users from which on a split by time is taken, whatever share of the users they are.
ENOUGH_USERS = 100

#: With fewer, a split by time is taken if it tests at least this share of the users that a random split tests.
SHARE = 0.5


@dataclass(frozen=True)
class SplitChoice:
    """The name of a split, and in a sentence why it is not by time; empty if it is."""

    split: str
    reason: str = ""


def choose_split(interactions: Interactions) -> SplitChoice:
    """The split: `time` if there are times and the last tenth can distinguish models, else `random`.

    It can if it tests (and the tenth before it validates on) ENOUGH_USERS, or half of the users that a random split
    tests. A data set whose users come one after the other has a few of them at its end, and of few users
    no difference is more than chance. The number of test users decides, never a result.
    """
    if interactions.time is None:
        return SplitChoice("random", "it has no times, or not everywhere, so the split is random")
    chosen_on, tested = num_users_by_time(interactions)
    at_random = num_users_at_random(interactions)
    if min(chosen_on, tested) >= min(ENOUGH_USERS, SHARE * at_random):
        return SplitChoice("time")
    users = int((interactions.user_degree() > 0).sum())
    return SplitChoice(
        "random",
        f"a split by time would choose settings on {chosen_on:,} and test on {tested:,} of {users:,} users, too few to "
        f"distinguish models, so the split is random and tests about {at_random:,.0f}; its figures compare models and "
        "forecast nothing (`--split time` forces the other)",
    )


def default_split(interactions: Interactions) -> str:
    """The name of the split that `choose_split` gives."""
    return choose_split(interactions).split


#: Of fewer pairs of user and item no part can be held out.
LEAST_PAIRS = 3

_UNMEASURED = (
    "without measuring, `graphrec train --model popularity --no-metrics` makes a run, and `graphrec publish RUN "
    "--force` publishes it"
)


def require_pairs(interactions: Interactions) -> None:
    """Raise DataError if there are too few pairs of user and item to hold any out."""
    pairs = interactions.matrix().nnz
    if pairs < LEAST_PAIRS:
        raise DataError(
            f"{pairs} different pairs of user and item are too few to hold any out, so nothing can be measured; load "
            f"more behaviour; {_UNMEASURED}"
        )


def require_test_users(parts: Split, spec: str, cold: bool = False) -> None:
    """Raise DataError if a split has no user to test on: none with interactions before the test part and something
    new in it, or with `cold` none with something new in it. The error says which split has some, if any."""
    known = join(parts.train, parts.validation)
    warm, num_cold = warm_users(known, parts.test)
    if len(warm) or (cold and num_cold):
        return
    name, at_random = parse_split(spec).name, num_users_at_random(join(known, parts.test))
    why = (
        f"split {spec} has no test user: none of the {num_cold:,} users with new items in its test part is in training"
    )
    if name != "random" and at_random >= 1:
        raise DataError(f"{why}; `--split random` tests about {at_random:,.0f} users")
    raise DataError(
        f"{why}, so nothing can be measured; load more behaviour, of users with two items or more; {_UNMEASURED}"
    )


def num_users_by_time(interactions: Interactions) -> tuple[int, int]:
    """How many users a split by time has in its validation part and in its test part: those who have interactions
    before it and meet something new in it. The interactions have times."""
    if len(interactions) < 3:
        return 0, 0
    spec = parse_split("time")
    parts = by_time(interactions, np.random.default_rng(0), spec.validation, spec.test)
    known = join(parts.train, parts.validation)
    return len(warm_users(parts.train, parts.validation)[0]), len(warm_users(known, parts.test)[0])


def num_users_at_random(interactions: Interactions) -> float:
    """How many users a random split is expected to have both in its test part and before it."""
    test = parse_split("random").test
    pairs = np.diff(interactions.matrix().indptr).astype(np.float64)
    pairs = pairs[pairs > 0]
    return float((1.0 - (1.0 - test) ** pairs - test**pairs).sum())
