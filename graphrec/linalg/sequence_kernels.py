"""The inner loops of `transitions` and `memories`: sums over pairs of events of a history, compiled by numba.

Each loop fills the rows of some items. The events of an item are `events[event_starts[item]:event_starts[item + 1]]`,
positions in the arrays of a history; the events of the same user are those from `starts[event]` to `ends[event] - 1`.
"""

import numpy as np
import numpy.typing as npt

from graphrec.interactions import FloatArray
from graphrec.linalg.topk_kernels import Positions, compile_loop
from graphrec.vocabulary import IndexArray

Doubles = npt.NDArray[np.float64]


@compile_loop
def sum_transitions(
    first: int,
    last: int,
    event_starts: IndexArray,
    events: IndexArray,
    starts: IndexArray,
    ends: IndexArray,
    items: Positions,
    weights: FloatArray,
    days: Doubles,
    rate: float,
    forward: FloatArray,
    backward: FloatArray,
    sums: FloatArray,
    indptr: Positions,
    indices: Positions,
    data: FloatArray,
) -> None:
    """Write rows `first` to `last` of the transitions as CSR with unsorted columns.

    `forward` and `backward` [window] are the weights, forward ones positive, of events 1, 2, … steps later and earlier;
    they are multiplied by the `weights` [num_events] of both events and by exp(−rate · days between them), unless the
    rate is 0. `sums` [num_items] is zero between calls.
    """
    end = 0
    for item in range(first, last):
        begin = end
        for t in range(event_starts[item], event_starts[item + 1]):
            event = events[t]
            low, high = max(starts[event], event - len(backward)), min(ends[event], event + len(forward) + 1)
            for other in range(low, high):
                if other == event:
                    continue
                value = forward[other - event - 1] if other > event else backward[event - other - 1]
                value *= weights[event] * weights[other]
                if rate > 0:
                    value *= np.float32(np.exp(-rate * abs(days[other] - days[event])))
                column = items[other]
                if value > 0:
                    if sums[column] == 0:
                        indices[end] = column
                        end += 1
                    sums[column] += value
        for t in range(begin, end):
            data[t] = sums[indices[t]]
            sums[indices[t]] = 0
        indptr[item - first + 1] = end


@compile_loop
def sum_memory_products(
    first: int,
    last: int,
    event_starts: IndexArray,
    events: IndexArray,
    ends: IndexArray,
    items: Positions,
    powers: Doubles,
    reach: IndexArray,
    repeats: Doubles,
    sums: Doubles,
    diagonal: Doubles,
    out: FloatArray,
) -> None:
    """Write Σ_t x_t[k, item] x_t[m, other], over the events of `item` that come before those of `other`, to `out`.

    `powers` [memories, length] is ρ_k^gap, `reach` [memories] the gap from which it is negligible, and `repeats`
    [memories, memories, length] is Σ_{s<n} (ρ_k ρ_m)^s. `out` is [memories, num_items, memories, num_items], `sums`
    [memories, num_items] is scratch, and `diagonal` [memories, memories, num_items] gets the pairs of an event with
    itself.
    """
    memories = len(powers)
    for item in range(first, last):
        for k in range(memories):
            sums[:] = 0.0
            for t in range(event_starts[item], event_starts[item + 1]):
                event = events[t]
                number = ends[event] - 1 - event  # of the times at or after this event that have a next event
                if number < 1:
                    continue
                for m in range(memories):
                    diagonal[k, m, item] += repeats[k, m, number]
                for gap in range(1, min(number, reach[k])):
                    column = items[event + gap]
                    for m in range(memories):
                        sums[m, column] += powers[k, gap] * repeats[k, m, number - gap]
            out[k, item] = sums


@compile_loop
def sum_memory_targets(
    first: int,
    last: int,
    event_starts: IndexArray,
    events: IndexArray,
    ends: IndexArray,
    items: Positions,
    profiles: Doubles,
    reach: IndexArray,
    sums: Doubles,
    out: FloatArray,
) -> None:
    """Write Σ_t x_t[k, item] y_t[other] to `out` [memories, num_items, num_items].

    `profiles` [memories, length] is Σ_{s<gap} ρ_k^s σ^(gap−1−s), `reach` [memories] the gap from which it is
    negligible; `sums` [num_items] is scratch.
    """
    for item in range(first, last):
        for k in range(len(profiles)):
            sums[:] = 0.0
            for t in range(event_starts[item], event_starts[item + 1]):
                event = events[t]
                for gap in range(1, min(ends[event] - event, reach[k])):
                    sums[items[event + gap]] += profiles[k, gap]
            out[k, item] = sums
