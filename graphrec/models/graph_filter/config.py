"""The settings of graph_filter."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite

from graphrec.errors import DataError

#: Maximum ridge; with much larger ones the inverse is 0 in float32.
MAX_RIDGE = 1e9


@dataclass(frozen=True)
class GraphFilterConfig:
    """Settings of graph_filter, in the symbols of docs/methods.md (graph_filter).

    user_exponent: b, exponent that damps the edges of active users.
    item_exponent: e, exponent that damps the edges of popular items.
    source_exponent: p, exponent that damps popular items of the history.
    target_exponent: q, exponent that promotes popular items among the recommendations.
    degree_offset: c, constant added to the degree of each item, at least 0; damps the influence of rare items.
    rank: k, number of leading eigenvectors, at least 0; 0 leaves the paths only.
    rank_share: maximum rank as a share, from 0 to 1, of the number of users or of items, whichever is smaller.
    plateau: α of the response max(α − λ, 0) to an eigenvalue λ in (0, 1].
    path_weight: w, weight of the item-user-item and item-attribute-item paths.
    sharpening: s, weight of the paths over a third item, which are subtracted from the direct paths; at least 0.
    ridge: n₀, penalty of a ridge regression as a number of interactions, at least 0; 300 suits most data. Above 0, P
        has the coefficients of the regression of each item on all others instead of the paths, which subtracts longer
        paths of all lengths, and sharpening is not used. For up to 25,000 items with interactions; pairs with another
        item keep their paths.
    neighbours: number of strongest paths that each item keeps; 0 keeps all.
    behaviour_weight: weight of each behaviour besides the target, which has 1; at least 0, like all weights below.
    social_weight: weight of the mean behaviour of friends in a user's signal, for each social relation.
    attribute_weight: weight of each item-attribute relation in the paths and the spectrum, where the behaviour has 1.
    user_attribute_weight: weight of the mean behaviour of users who share an attribute value in a user's signal.
    item_relation_weight: weight of each item-item relation in the paths.
    half_life: number of days after which an event counts half; 0 ignores time.
    revisit: factor, at least 0, on the scores of items that the user has by other behaviours only, such as items viewed
        but not bought.
    weights: weights of single relations that override those above, such as `VIEWED=0.3 FRIEND=0.05`.
    """

    user_exponent: float = 0.35
    item_exponent: float = 0.5
    source_exponent: float = 0.5
    target_exponent: float = 0.5
    degree_offset: float = 0.0
    rank: int = 768
    rank_share: float = 0.125
    plateau: float = 1.2
    path_weight: float = 2.0
    neighbours: int = 100
    sharpening: float = 0.0
    ridge: float = 0.0
    behaviour_weight: float = 0.3
    social_weight: float = 0.02
    attribute_weight: float = 0.1
    user_attribute_weight: float = 0.02
    item_relation_weight: float = 0.1
    half_life: float = 0.0
    revisit: float = 1.0
    weights: str = ""

    def __post_init__(self) -> None:
        infinite = [name for name, value in asdict(self).items() if isinstance(value, float) and not isfinite(value)]
        if infinite:
            raise DataError(f"graph_filter: {', '.join(infinite)} must be a finite number")
        if self.ridge > MAX_RIDGE:
            raise DataError(f"graph_filter: ridge is at most {MAX_RIDGE:,.0f}, not {self.ridge:g}")
        if self.rank < 0 or self.neighbours < 0 or not 0 <= self.rank_share <= 1:
            raise DataError("graph_filter: rank and neighbours must not be negative, rank_share is between 0 and 1")
        scalars = (self.half_life, self.revisit, self.sharpening, self.ridge, self.degree_offset)
        if min(*scalars, *self.kind_weights().values()) < 0:
            raise DataError(
                "graph_filter: weights, sharpening, ridge, half_life, revisit and degree_offset must not be negative"
            )

    def kind_weights(self) -> Mapping[str, float]:
        """The default weight of a relation by its kind."""
        return {
            "behaviour": self.behaviour_weight,
            "social": self.social_weight,
            "attribute": self.attribute_weight,
            "user_attribute": self.user_attribute_weight,
            "item_relation": self.item_relation_weight,
        }
