"""Held-out parts of the training interactions, by what the author of a split says of its test part."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from graphrec.benchmark.datasets import Dataset, SplitKind
from graphrec.errors import DataError
from graphrec.evaluation.protocol import validation_measure, warm_users
from graphrec.interactions import Interactions
from graphrec.splitting.coherent import Mask, coherent_holdout
from graphrec.splitting.held_out import hold_out_at_random, hold_out_last, hold_out_newest, hold_out_one
from graphrec.train_view import restrict
from graphrec.tuning import Validation

#: Number of interactions below which random parts are drawn REPEATS times: a tenth of few interactions is noisy.
REPEATED_BELOW, REPEATS = 50_000, 3

#: Cap on the users measured on a part; with a lower one, noise hides the difference between two good configs.
MEASURED_USERS = 4000

#: Returns the mask [len(interactions)] of a part to hold out.
Draw = Callable[[Interactions, np.random.Generator], Mask]


@dataclass(frozen=True, eq=False)
class HeldOutParts:
    """Fits with held-out parts of train: those on which settings should be better than the default, and guards, on
    which they should not be worse."""

    validations: list[Validation]
    guards: list[Validation]


def hold_out(dataset: Dataset, rng: np.random.Generator) -> HeldOutParts:
    """Held-out parts for selecting settings, chosen by `dataset.drawn` and never by the test part.

    | drawn | better than the default on | not worse on |
    |---|---|---|
    | random, unknown | a random tenth, and a random interaction of each user | topically coherent parts of histories |
    | time | the newest fifth of each history, and the last interaction of each user | a random tenth |
    | last | the last interaction of each user | a random tenth |
    | next | the last interaction of each user | – |

    Without times, the first line holds for all. Guards are there because no held-out part is quite like a test part,
    and a test part is not always what its author says; with `next`, the order of the files shows it. The parts of one
    cell are held out of the same fit, and each is measured whole. Random parts of few interactions are drawn several
    times. Held-out pairs are removed from other behaviours too, as the test pairs are. Parts in which no user has
    interactions on both sides are left out.

    If the author of the split gives a validation part, settings are chosen on it alone.

    Raises DataError if no part to be better on is left.
    """
    if dataset.validation is not None:
        measure = validation_measure(dataset.train, dataset.validation, rng, num_users=MEASURED_USERS)
        return HeldOutParts([Validation(dataset.graph, dataset.train, {"validation": measure})], [])
    fits, guards = _draws(dataset.train, dataset.drawn)
    validations = [found for fit in fits if (found := _validation(dataset, fit, rng)) is not None]
    if not validations:
        raise DataError(
            "too few training interactions to hold some out and select settings on them; give settings with "
            "--set NAME=VALUE, or use --defaults"
        )
    return HeldOutParts(validations, [found for fit in guards if (found := _validation(dataset, fit, rng)) is not None])


def part_for_weights(dataset: Dataset) -> str:
    """The setting `validation` of a model that combines others: the same kind of parts as in `hold_out`."""
    by_kind = {"time": "newest", "last": "last", "next": "last"}
    return "random" if dataset.train.time is None else by_kind.get(dataset.drawn, "random")


def _draws(train: Interactions, drawn: SplitKind) -> tuple[list[Mapping[str, Draw]], list[Mapping[str, Draw]]]:
    """For each fit, and for each fit of a guard, the parts that are held out of it, by name."""
    last: Mapping[str, Draw] = {"last of each user": hold_out_last}
    if train.time is not None and drawn == "next":
        return [last], []
    if train.time is not None and drawn in ("time", "last"):
        return [last if drawn == "last" else {"newest": hold_out_newest, **last}], [{"random": hold_out_at_random}]
    repeats = REPEATS if len(train) < REPEATED_BELOW else 1
    suffixes = [""] if repeats == 1 else [f" {number}" for number in range(1, repeats + 1)]
    return (
        [{f"random{suffix}": hold_out_at_random, f"one of each user{suffix}": hold_out_one} for suffix in suffixes],
        [{"coherent": coherent_holdout}],
    )


def _validation(dataset: Dataset, draws: Mapping[str, Draw], rng: np.random.Generator) -> Validation | None:
    """The graph and the interactions without some parts, and the measures of these parts; None without any."""
    interactions = dataset.train
    masks = {name: draw(interactions, rng) for name, draw in draws.items()}
    held_out = np.logical_or.reduce(list(masks.values()))
    train = interactions.take(~held_out)
    parts = {name: interactions.take(mask) for name, mask in masks.items()}
    parts = {name: part for name, part in parts.items() if len(warm_users(train, part)[0])}
    if not parts:
        return None
    graph = restrict(dataset.graph, train, None, interactions.take(held_out))
    measures = {name: validation_measure(train, part, rng, num_users=MEASURED_USERS) for name, part in parts.items()}
    return Validation(graph, train, measures)
