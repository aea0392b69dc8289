"""The settings of sequence_filter."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite

from graphrec.errors import DataError


@dataclass(frozen=True)
class SequenceFilterConfig:
    """Settings of sequence_filter, in the symbols of docs/methods.md (sequence_filter).

    memories: ρ, the weight of a history item is ρ^(steps back); from 0 to 1. Several memories, such as `0.3 0.8 0.97`,
        are regressed on separately by a ridge; without a ridge their mean is used.
    decay: σ, weight of a transition over a gap is σ^(gap − 1); from 0 to 1, below 1 with a ridge.
    backward: θ, weight of a transition in the opposite order, from 0 to 1.
    window: largest gap of a transition, in events, at least 1.
    source_exponent: a, exponent that damps popular items of the history.
    target_exponent: b, exponent that damps popular items among the recommendations.
    degree_offset: c, constant added to the degree of each item, at least 0; damps the influence of rare items.
    neighbours: number of largest transitions that each item keeps, at least 1.
    ridge: λ, penalty of the ridge regression of the next item on the memories, at least 0; 0 uses the sparse
        transitions only. For up to 25,000 items times memories.
    ridge_exponent: exponent of the degrees by which the penalty of each item is multiplied.
    transition_weight: weight of the sparse transitions beside a ridge, at least 0.
    half_life: number of days after which a history item counts half, besides its steps; 0 ignores times.
    transition_half_life: number of days between two events after which their transition counts half; 0 ignores times.
    onward: v, weight of the transitions of similar items: history item, similar item, its next items; at least 0.
    behaviour_weight: weight of events of each behaviour besides the target, which has 1; at least 0, like all below.
    social_weight: weight of the mean history of friends, for each social relation.
    attribute_weight: weight of the similarity of items by each item-attribute relation, relative to the transitions.
    item_relation_weight: weight of each item-item relation, relative to the transitions.
    weights: weights of single relations that override those above, such as `VIEWED=0.3 FRIEND=0.05`.
    """

    memories: str = "0.5"
    decay: float = 0.9
    backward: float = 0.3
    window: int = 50
    source_exponent: float = 0.7
    target_exponent: float = 0.15
    degree_offset: float = 10.0
    neighbours: int = 400
    ridge: float = 0.0
    ridge_exponent: float = 0.25
    transition_weight: float = 0.0
    half_life: float = 0.0
    transition_half_life: float = 0.0
    onward: float = 1.0
    behaviour_weight: float = 0.3
    social_weight: float = 0.0
    attribute_weight: float = 0.4
    item_relation_weight: float = 0.4
    weights: str = ""

    def __post_init__(self) -> None:
        numbers = {name: value for name, value in asdict(self).items() if not isinstance(value, str)}
        infinite = [name for name, value in numbers.items() if not isfinite(value)]
        if infinite:
            raise DataError(f"sequence_filter: {', '.join(infinite)} must be a finite number")
        signed = {"source_exponent", "target_exponent", "ridge_exponent"}
        negative = [name for name, value in numbers.items() if value < 0 and name not in signed]
        if negative:
            raise DataError(f"sequence_filter: {', '.join(negative)} must not be negative")
        if self.window < 1 or self.neighbours < 1:
            raise DataError("sequence_filter: window and neighbours are at least 1")
        if self.decay > 1 or self.backward > 1 or (self.ridge > 0 and self.decay == 1):
            raise DataError("sequence_filter: decay and backward are at most 1, and decay is below 1 with a ridge")
        if not self.decays or not all(0 <= rho <= 1 for rho in self.decays):
            raise DataError(
                f"sequence_filter: memories takes numbers from 0 to 1, such as `0.3 0.8`, not {self.memories!r}"
            )

    @property
    def decays(self) -> tuple[float, ...]:
        """The memories ρ as numbers. Raises DataError if the text is not numbers."""
        try:
            return tuple(float(word) for word in self.memories.split())
        except ValueError as error:
            raise DataError(
                f"sequence_filter: memories takes numbers, such as `0.3 0.8`, not {self.memories!r}"
            ) from error

    def kind_weights(self) -> Mapping[str, float]:
        """The default weight of a relation by its kind; user attributes are not used."""
        return {
            "behaviour": self.behaviour_weight,
            "social": self.social_weight,
            "attribute": self.attribute_weight,
            "user_attribute": 0.0,
            "item_relation": self.item_relation_weight,
        }
