"""The default split: by time, unless that would test too few users."""

from dataclasses import dataclass

import numpy as np

from graphrec.errors import DataError
from graphrec.evaluation.protocol import warm_users
from graphrec.interactions import Interactions, join
from graphrec.splitting import Split, parse_split
from graphrec.splitting.time_and_random import by_time

#: Number of test users that is enough for a split by time, whatever share of all users it is.
ENOUGH_USERS = 100

#: With fewer test users, minimum share of the test users of a random split that a split by time must test.
MIN_SHARE = 0.5


@dataclass(frozen=True)
class SplitChoice:
    """The name of a split, and a sentence that says why it is not by time; empty if it is."""

    split: str
    reason: str = ""


def choose_split(interactions: Interactions) -> SplitChoice:
    """The split: `time` if all interactions have a time and a split by time has enough users, else `random`.

    Enough are ENOUGH_USERS test users and as many validation users, or half of the test users of a random split. If the
    users of a data set were active one after the other, only few of them are in its last tenth, and no difference over
    few users is significant. The decision depends on numbers of users, never on a result.
    """
    if interactions.time is None:
        return SplitChoice("random", "not every interaction has a time, so the split is random")
    num_validation, num_test = count_users_by_time(interactions)
    at_random = count_users_at_random(interactions)
    if min(num_validation, num_test) >= min(ENOUGH_USERS, MIN_SHARE * at_random):
        return SplitChoice("time")
    users = int((interactions.user_degree() > 0).sum())
    return SplitChoice(
        "random",
        f"a split by time would validate on {num_validation:,} and test on {num_test:,} of {users:,} users, too few to "
        f"distinguish models, so the split is random and tests about {at_random:,.0f}; its figures compare models and "
        "do not forecast quality on later data (`--split time` overrides this)",
    )


def default_split(interactions: Interactions) -> str:
    """The name of the split that `choose_split` returns."""
    return choose_split(interactions).split


#: Minimum number of pairs of user and item: a split needs one for each of train, validation and test.
MIN_PAIRS = 3

_WITHOUT_METRICS = (
    "without metrics, `graphrec train --model popularity --no-metrics` saves a run, and `graphrec publish RUN "
    "--force` publishes it"
)


def require_pairs(interactions: Interactions) -> None:
    """Raise DataError if there are too few pairs of user and item to hold any out."""
    pairs = interactions.matrix().nnz
    if pairs < MIN_PAIRS:
        raise DataError(
            f"{pairs} different pairs of user and item are too few to hold some out, so no model can be measured; load "
            f"more behaviour; {_WITHOUT_METRICS}"
        )


def require_test_users(parts: Split, spec: str, cold: bool = False) -> None:
    """Raise DataError if a split has no test user: a user with a new item in the test part and, unless `cold`, with
    interactions before it. If a random split has test users, the error says so."""
    train_validation = join(parts.train, parts.validation)
    warm, num_cold = warm_users(train_validation, parts.test)
    if len(warm) or (cold and num_cold):
        return
    name, at_random = parse_split(spec).name, count_users_at_random(join(train_validation, parts.test))
    why = (
        f"split {spec} has no test user: none of the {num_cold:,} users with new items in its test part is in training"
    )
    if name != "random" and at_random >= 1:
        raise DataError(f"{why}; `--split random` tests about {at_random:,.0f} users")
    raise DataError(
        f"{why}, so no model can be measured; load more behaviour, of users with at least two items; {_WITHOUT_METRICS}"
    )


def count_users_by_time(interactions: Interactions) -> tuple[int, int]:
    """The numbers of validation users and of test users of a split by time: users with interactions before the part and
    a new item in it. All interactions must have times."""
    if len(interactions) < 3:
        return 0, 0
    spec = parse_split("time")
    parts = by_time(interactions, np.random.default_rng(0), spec.validation, spec.test)
    train_validation = join(parts.train, parts.validation)
    return len(warm_users(parts.train, parts.validation)[0]), len(warm_users(train_validation, parts.test)[0])


def count_users_at_random(interactions: Interactions) -> float:
    """The expected number of users with pairs both in the test part of a random split and before it."""
    test = parse_split("random").test
    pairs = np.diff(interactions.matrix().indptr).astype(np.float64)
    pairs = pairs[pairs > 0]
    return float((1.0 - (1.0 - test) ** pairs - test**pairs).sum())
