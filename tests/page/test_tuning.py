"""Sliders are reranking rules, and a change of a list is told item by item."""

from pathlib import Path

from graphrec.page.tuning import Abilities, Changes, Tuning, compare, find_abilities
from graphrec.reranking import RerankingRules
from graphrec.reranking.spec import Cap
from graphrec.runs import TrainedRun
from graphrec.serving.answer import Recommended, Strategy
from graphrec.serving.live_recommender import LiveRecommender
from graphrec.store import Store
from tests.sizes import NEO4J_IS_SLOW

ABLE = Abilities("attributes", "PURCHASED", ("IN_GENRE", "Genre"))


def listed(*items: str) -> list[Recommended]:
    return [Recommended(item, None, 1.0, rank, Strategy.PUBLISHED) for rank, item in enumerate(items, start=1)]


def test_a_run_without_abilities_has_no_sliders() -> None:
    assert Tuning(3, 2, 1).sliders(Abilities()) == []
    assert Tuning(3, 2, 1).add_to(None, Abilities()) is None


def test_sliders_say_what_their_position_means() -> None:
    sliders = {slider.name: slider for slider in Tuning(diversity=3, freshness=7, most=4).sliders(ABLE)}
    assert {name: slider.text for name, slider in sliders.items()} == {
        "diversity": "30 %",
        "freshness": "20 days",
        "most": "at most 2",
    }
    assert sliders["most"].title == "Limit per Genre"
    assert {slider.text for slider in Tuning().sliders(ABLE)} == {"off"}


def test_sliders_that_are_off_change_no_rules() -> None:
    rules = RerankingRules(cap=(Cap("named", 2, "IN_GENRE", "Genre"),))
    assert Tuning().add_to(rules, ABLE) == rules
    assert Tuning().add_to(None, ABLE) is None


def test_sliders_add_to_the_rules_by_name() -> None:
    rules = RerankingRules(cap=(Cap("named", 2, "IN_GENRE", "Genre"),))
    found = Tuning(diversity=10, freshness=5, most=1).add_to(rules, ABLE)
    assert found is not None
    assert found.diversity is not None
    assert found.diversity.lambda_ == 0.0
    assert found.recency is not None
    assert (found.recency.half_life, found.recency.behaviour) == (180, "PURCHASED")
    assert [(cap.name, cap.max) for cap in found.cap] == [("named", 2), ("limit per Genre", 5)]


def test_changes_are_places_and_items_that_left() -> None:
    changes = compare(listed("a", "b", "c", "d"), listed("b", "x", "c"), liked=["d"])
    assert [(place.item.item, place.before, place.moved) for place in changes.places] == [
        ("b", 2, 1),
        ("x", None, 0),
        ("c", 3, 0),
    ]
    assert [each.item for each in changes.left] == ["a"]
    assert (changes.num_new, changes.num_moved) == (1, 1)
    assert changes


def test_equal_lists_have_no_changes() -> None:
    assert not compare(listed("a", "b"), listed("a", "b"))
    assert not Changes((), ())


@NEO4J_IS_SLOW
def test_abilities_are_those_of_the_active_run(store: Store, run: TrainedRun, tmp_path: Path) -> None:  # noqa: ARG001  # the run must be published
    """Items have genres, and purchases have times."""
    live = LiveRecommender(lambda: store, tmp_path)
    live.start()
    try:
        live.refresh()
        assert live.snapshot is not None
        assert find_abilities(live.snapshot) == Abilities("attributes", "PURCHASED", ("IN_GENRE", "Genre"))
    finally:
        live.close()
