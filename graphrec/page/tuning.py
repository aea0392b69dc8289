"""Sliders of the page: diversity, freshness and a limit per category as reranking rules, added to rules by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graphrec.reranking import RerankingRules
from graphrec.reranking.spec import Cap, Diversity, Recency
from graphrec.serving.answer import Recommended
from graphrec.serving.snapshot import Snapshot

if TYPE_CHECKING:  # it imports torch, which a page without a model does not need
    from graphrec.runs import TrainedRun

#: Half-lives of the freshness slider in days, by its position, and their texts; position 0 is off.
HALF_LIVES = (0, 3650, 1825, 730, 365, 180, 60, 20)
_HALF_LIFE_TEXTS = ("off", "10 years", "5 years", "2 years", "1 year", "6 months", "2 months", "20 days")

#: Maximum number of items of one category, by the position of its slider; position 0 is off.
MOST = (0, 5, 4, 3, 2, 1)

#: Greatest position of the diversity slider, and the share of diversity of one step.
DIVERSITY_STEPS, DIVERSITY_STEP = 10, 0.1


@dataclass(frozen=True)
class Slider:
    """A slider: the parameter, what it does, its position, and the text of each position; 0 is off."""

    name: str
    title: str
    hint: str
    position: int
    texts: Sequence[str]

    @property
    def text(self) -> str:
        """The text of the position."""
        return self.texts[self.position]


@dataclass(frozen=True)
class Abilities:
    """What the rules of the sliders can use: the source of similarities, the behaviour whose times are known, and a
    relationship type with the label of categories; None for what the run does not have."""

    similarity: str | None = None
    behaviour: str | None = None
    category: tuple[str, str] | None = None


@dataclass(frozen=True)
class Tuning:
    """The positions of the sliders."""

    diversity: int = 0
    freshness: int = 0
    most: int = 0

    def sliders(self, able: Abilities) -> list[Slider]:
        """The sliders that a run allows."""
        sliders = []
        if able.similarity is not None:
            texts = ["off", *(f"{step * 10} %" for step in range(1, DIVERSITY_STEPS + 1))]
            hint = "how much weight a difference from the items above has"
            sliders.append(Slider("diversity", "Diversity", hint, self.diversity, texts))
        if able.behaviour is not None:
            hint = "the score halves for each such time since the item was last chosen"
            sliders.append(Slider("freshness", "Freshness", hint, self.freshness, _HALF_LIFE_TEXTS))
        if able.category is not None:
            label = able.category[1]
            texts = ["off", *(f"at most {most}" for most in MOST[1:])]
            hint = f"how many items of one {label} a list may have"
            sliders.append(Slider("most", f"Limit per {label}", hint, self.most, texts))
        return sliders

    def add_to(self, rules: RerankingRules | None, able: Abilities) -> RerankingRules | None:
        """The rules with those of the sliders; None without any."""
        sum_of_rules = rules or RerankingRules()
        if self.diversity and able.similarity is not None:
            weight = 1 - self.diversity * DIVERSITY_STEP
            sum_of_rules = replace(sum_of_rules, diversity=Diversity("", max(weight, 0.0), able.similarity))
        if self.freshness and able.behaviour is not None:
            recency = Recency("", HALF_LIVES[self.freshness], behaviour=able.behaviour)
            sum_of_rules = replace(sum_of_rules, recency=recency)
        if self.most and able.category is not None:
            relation, label = able.category
            cap = Cap(f"limit per {label}", MOST[self.most], relation, label)
            sum_of_rules = replace(sum_of_rules, cap=(*sum_of_rules.cap, cap))
        return sum_of_rules if sum_of_rules != RerankingRules() else None


def find_abilities(snapshot: Snapshot) -> Abilities:
    """What the sliders can use in the active run."""
    if snapshot.fold_in is None:
        return Abilities()
    trained = snapshot.fold_in.trained
    category = _find_category(trained)
    similarity = "attributes" if category is not None else "vectors" if _has_vectors(trained) else None
    has_times = bool(snapshot.fallbacks.trending())  # it is empty if the behaviour has no times, and in memory
    return Abilities(similarity, snapshot.relation if has_times else None, category)


def _find_category(trained: "TrainedRun") -> tuple[str, str] | None:
    """The item attribute with the fewest values, but more than two: relationship type and label."""
    found = []
    for origin in trained.origins:
        if origin.kind == "item_attributes" and not origin.text and origin.values is not None:
            source, relation, target = origin.triple
            label = target if source == trained.run.target[2] else source
            found.append((len(origin.values) <= 2, len(origin.values), relation, label))
    return min(found)[2:] if found else None


def _has_vectors(trained: "TrainedRun") -> bool:
    from graphrec.models.base import Model

    return type(trained.model).embeddings is not Model.embeddings


@dataclass(frozen=True)
class Place:
    """An item of a list with its rank in the list before the change; None if it was not in it."""

    item: Recommended
    before: int | None

    @property
    def moved(self) -> int:
        """The number of ranks by which the item moved up; negative if it moved down, 0 if it is new."""
        return 0 if self.before is None else self.before - self.item.rank


@dataclass(frozen=True)
class Changes:
    """The list after a change: its items with their ranks before, and the items that left it."""

    places: tuple[Place, ...]
    left: tuple[Recommended, ...]

    @property
    def num_new(self) -> int:
        """The number of items that entered the list."""
        return sum(place.before is None for place in self.places)

    @property
    def num_moved(self) -> int:
        """The number of items that have another rank."""
        return sum(place.moved != 0 for place in self.places)

    def __bool__(self) -> bool:
        return bool(self.num_new or self.num_moved or self.left)


def compare(before: Sequence[Recommended], after: Sequence[Recommended], liked: Iterable[str] = ()) -> Changes:
    """What changed between two lists; `liked` items are not recommended any more, so they have not left."""
    ranks = {each.item: each.rank for each in before}
    present = {*(each.item for each in after), *liked}
    places = tuple(Place(each, ranks.get(each.item)) for each in after)
    return Changes(places, tuple(each for each in before if each.item not in present))
