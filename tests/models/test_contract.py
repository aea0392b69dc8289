"""Every model keeps the contract that graphrec ships."""

from typing import ClassVar

import pytest

from graphrec.errors import DataError, UnknownNameError
from graphrec.models import MODELS, make
from graphrec.testing import ModelContract


class TestPopularity(ModelContract):
    name = "popularity"
    personal = False


class TestItemKNN(ModelContract):
    name = "item_knn"


class TestGraphFilter(ModelContract):
    name = "graph_filter"


class TestGraphFilterWithPathsOnly(ModelContract):
    name = "graph_filter"
    config: ClassVar[dict[str, object]] = {"rank": 0, "neighbours": 0}


class TestLightGCN(ModelContract):
    name = "lightgcn"
    config: ClassVar[dict[str, object]] = {"epochs": 12, "embedding_dim": 16, "learning_rate": 0.1, "batch_size": 128}
    exact_fold_in = False


def test_every_registered_model_has_a_contract() -> None:
    assert {kind.name for kind in ModelContract.__subclasses__()} == set(MODELS)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no model 'lightgnc'; did you mean lightgcn"):
        make("lightgnc")


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"lightgcn has no setting 'epoch'; did you mean epochs"):
        make("lightgcn", epoch=3)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"rank": "many"}, "rank takes a whole number, not 'many'"),
        ({"rank": 2.5}, "rank takes a whole number, not 2.5"),
        ({"plateau": "high"}, "plateau takes a finite number, not 'high'"),
        ({"ridge": "nan"}, "ridge takes a finite number, not 'nan'"),
        ({"path_weight": float("inf")}, "path_weight takes a finite number, not inf"),
        ({"rank": -1}, "must not be negative"),
    ],
)
def test_an_impossible_setting_is_refused(setting: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make("graph_filter", **setting)


def test_settings_are_read_from_text() -> None:
    config = make("graph_filter", rank="64", plateau="1.5").config
    assert (config.rank, config.plateau) == (64, 1.5)
