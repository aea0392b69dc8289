"""Team-draft interleaving: two ranked lists as one, in which each item belongs to the run that picked it.

Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008. In each round a coin
decides which run picks first; each picks its best item that is not in the list yet. A click counts for the run that
picked the item. As every user sees both runs, differences between users cancel, so a smaller difference is found.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from graphrec.serving.answer import Answer, Recommended
from graphrec.store.experiment import Experiment, hash_fraction


def interleave(
    answers: Mapping[str, Sequence[Recommended]], k: int, rng: np.random.Generator
) -> tuple[Recommended, ...]:
    """At most k items of the answers of two runs, by id of the run; the `run` of each item is the one that picked it.

    A run that has no further item picks none.
    """
    names, rest = list(answers), [list(items) for items in answers.values()]
    chosen: list[Recommended] = []
    taken: set[str] = set()
    while len(chosen) < k and any(rest):
        for team in (0, 1) if rng.random() < 0.5 else (1, 0):
            rest[team] = [each for each in rest[team] if each.item not in taken]
            if rest[team] and len(chosen) < k:
                pick = rest[team].pop(0)
                taken.add(pick.item)
                chosen.append(replace(pick, rank=len(chosen) + 1, run=names[team]))
    return tuple(chosen)


def draw_order(salt: str, user_id: str, day: int) -> np.random.Generator:
    """The coins of a user on a day (number since 1970): an answer that is asked for again that day is the same."""
    return np.random.default_rng(int(hash_fraction(salt, f"{day}:{user_id}") * 2**53))


def merge_answers(experiment: Experiment, answers: Mapping[str, Answer], k: int) -> Answer:
    """The answers of two runs, by id of the run, as one interleaved answer for their user."""
    first = next(iter(answers.values()))
    coins = draw_order(experiment.salt, first.user, int(time.time()) // 86_400)
    items = interleave({run: answer.items for run, answer in answers.items()}, k, coins)
    note = f"experiment {experiment.id}: items of runs {' and '.join(answers)} are interleaved"
    notes = dict.fromkeys(note for answer in answers.values() for note in answer.notes)
    return replace(first, items=items, notes=(note, *notes))
