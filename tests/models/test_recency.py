"""Half-lives and `revisit` of the closed-form models, on a graph with times and another behaviour; and trends."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch

from graphrec.errors import DataError
from graphrec.hetero import HeteroGraph, interactions
from graphrec.interactions import Interactions
from graphrec.models import make, model_class
from graphrec.models.base import Model
from graphrec.models.recency import RecencyConfig, has_days, weigh_by_age
from graphrec.relations import build_relations
from graphrec.testing import graph_of

from .typed_example import DAY, ITEMS, USERS, graph_of_parts, random_parts

MODELS = ("item_knn", "rp3beta", "ease", "slim", "user_knn")

EVERYONE = np.arange(USERS)


@pytest.fixture(scope="module")
def graph() -> HeteroGraph:
    return graph_of_parts(random_parts())


def fitted(graph: HeteroGraph, name: str, **settings: object) -> Model[Any]:
    model = make(name, **settings)
    model.fit(graph, interactions(graph), np.random.default_rng(0))
    return model


def test_all_closed_forms_have_both_settings_off_by_default() -> None:
    for name in MODELS:
        config = model_class(name).config_class()
        assert isinstance(config, RecencyConfig)
        assert (config.half_life, config.revisit) == (0.0, 1.0)
        with pytest.raises(DataError, match="half_life and revisit must not be negative"):
            make(name, half_life=-1.0)


def test_weights_are_counted_from_the_last_interaction_of_the_user() -> None:
    """User 0: item 0 at day 3 and, before, at day 0; item 1 at day 5. User 1: item 2 at day 1, long before the end."""
    time = np.array([0, 3, 5, 1]) * DAY
    whole = Interactions(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2]), 2, 3, time=time)
    np.testing.assert_allclose(weigh_by_age(whole, 2.0).toarray(), [[0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(weigh_by_age(whole, 2.0, 7 * DAY).toarray(), [[0.25, 0.5, 0.0], [0.0, 0.0, 0.125]])
    assert weigh_by_age(whole, 0.0).toarray().tolist() == [[1, 1, 0], [0, 0, 1]]
    assert weigh_by_age(replace(whole, time=None), 2.0).toarray().tolist() == [[1, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_the_weighted_histories(graph: HeteroGraph, name: str) -> None:
    plain, model = fitted(graph, name), fitted(graph, name, half_life=3.0)
    rows = weigh_by_age(interactions(graph), 3.0)
    torch.testing.assert_close(model.score(EVERYONE), plain.fold_in(rows))
    assert not torch.allclose(model.score(EVERYONE), plain.score(EVERYONE))


@pytest.mark.parametrize("name", MODELS)
def test_items_met_otherwise_are_multiplied_and_new_users_get_the_same(graph: HeteroGraph, name: str) -> None:
    settings: dict[str, object] = {"half_life": 3.0, "revisit": 0.25}
    model, without = fitted(graph, name, **settings), fitted(graph, name, half_life=3.0)
    relations = build_relations(graph)
    viewed, bought = (part.matrix().toarray() > 0 for part in (relations.behaviours["VIEWED"], interactions(graph)))
    factor = torch.from_numpy(np.where(viewed & ~bought, 0.25, 1.0).astype(np.float32))
    torch.testing.assert_close(model.score(EVERYONE), without.score(EVERYONE) * factor)
    torch.testing.assert_close(model.fold_in_users(interactions(graph), relations), model.score(EVERYONE))
    restored = make(name, **asdict(model.config))
    restored.restore(model.state())
    assert torch.equal(restored.score(EVERYONE), model.score(EVERYONE))
    assert model.has_other_behaviour(*map(int, np.argwhere(viewed & ~bought)[0]))
    assert not model.has_other_behaviour(*map(int, np.argwhere(bought)[0]))


@pytest.mark.parametrize("name", MODELS)
def test_contributions_of_the_history_add_up_to_the_score(graph: HeteroGraph, name: str) -> None:
    model = fitted(graph, name, half_life=3.0, revisit=0.25)
    pairs, scores = interactions(graph).matrix(), model.score(EVERYONE).numpy()
    for user in range(USERS - 1):
        for item in range(ITEMS):
            found = model.explain_history(pairs[[user]], user, item)
            assert found.exact
            assert found.amount is not None
            assert found.amount.sum() == pytest.approx(scores[user, item], rel=1e-4, abs=1e-5)


def test_a_search_tries_what_the_graph_has_times_and_behaviours_for(graph: HeteroGraph) -> None:
    without = graph_of(replace(interactions(graph), time=None))
    positions = graph_of(replace(interactions(graph), time=np.arange(len(interactions(graph)))))
    for name in MODELS:
        assert {"half_life", "revisit"} <= set(model_class(name).space(graph))
        for other in (without, positions):
            assert not {"half_life", "revisit"} & set(model_class(name).space(other))
    assert (has_days(graph), has_days(without), has_days(positions)) == (True, False, False)


def test_popularity_can_count_recent_interactions_and_put_rising_items_first() -> None:
    """Item 0 has four users of long ago, item 1 three of long ago and two of now, item 2 two users of now."""
    item = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2])
    time = np.where(np.isin(np.arange(11), [7, 8, 9, 10]), 100, 0) * DAY
    whole = Interactions(np.arange(11), item, 11, 3, time=time)
    user = np.array([0])

    def scores(**settings: object) -> list[float]:
        model = make("popularity", **settings)
        model.fit(graph_of(whole), whole, np.random.default_rng(0))
        return model.score(user)[0].tolist()

    assert scores() == [4, 5, 2]
    assert scores(half_life=10.0) == pytest.approx([4 / 1024, 2 + 3 / 1024, 2])
    recent, expected = np.array(scores(half_life=10.0)), np.array([4, 5, 2]) * (4 + 7 / 1024) / 11
    trending = scores(half_life=10.0, rise=1.0)
    np.testing.assert_allclose(trending, recent * (recent + 1) / (expected + 1), rtol=1e-5)
    assert int(np.argmax(trending)) == 2
    assert scores(rise=1.0) == [4, 5, 2]
    with pytest.raises(DataError, match="popularity: half_life and rise must not be negative"):
        make("popularity", rise=-1.0)
