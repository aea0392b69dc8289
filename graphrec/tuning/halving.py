"""Successive halving: trains all candidates for few epochs, and only the better half of them for twice as many."""

from collections.abc import Callable, Sequence
from typing import Any

from graphrec.models.base import Model
from graphrec.tuning.search import Trials
from graphrec.tuning.workers import Config

#: Shares of the epochs in the rounds.
SHARES = (0.25, 0.5, 1.0)

#: Minimum number of candidates besides the default for which rounds are worth their trials.
MIN_CANDIDATES = 3


def rounds(num_candidates: int) -> list[int]:
    """The number of configs in each round, of which the larger half goes on, for candidates besides the default."""
    numbers = [num_candidates]
    for _ in SHARES[1:]:
        numbers.append((numbers[-1] + 1) // 2)
    return numbers


def is_halved(kind: type[Model[Any]], candidates: Sequence[Config]) -> bool:
    """Whether a model is trained in epochs and has enough candidates."""
    return len(candidates) > MIN_CANDIDATES and kind.shorten(candidates[0], SHARES[0]) is not None


def successive_halving(trials: Trials, candidates: Sequence[Config], progress: Callable[[], None]) -> None:
    """Add trials of the candidates to `trials`: the first, which is the default, with all of its epochs, then the
    others in rounds of `SHARES` of their epochs, from each of which the better half goes on.

    Jamieson and Talwalkar, AISTATS 2016, algorithm 1 with η = 2. A shorter training is one with fewer epochs, in which
    the learning rate falls to the same share, instead of the start of a longer one: it ends as a result that may itself
    be selected, and no state is kept between rounds.
    """
    trials.evaluate_all(candidates[:1])
    progress()
    remaining = list(candidates[1:])
    for share, number in zip(SHARES, rounds(len(remaining)), strict=True):
        qualities: dict[int, float] = {}
        parallel = trials.workers.number
        for start in range(0, number, parallel):
            batch = [trials.kind.shorten(config, share) for config in remaining[start : start + parallel]]
            for offset, quality in enumerate(trials.evaluate_all(batch)):
                qualities[start + offset] = quality.ndcg
            progress()
        best = sorted(qualities, key=lambda position: (-qualities[position], position))
        remaining = [remaining[position] for position in best[: (number + 1) // 2]]
