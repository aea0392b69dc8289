"""The test contract of models, for graphrec's own models and for those of other packages.

class TestMyModel(ModelContract):
    name = "my_model"
"""

import io
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch

from graphrec.hetero import HeteroGraph
from graphrec.heterodata import HeteroData
from graphrec.interactions import Interactions
from graphrec.models import make, model_class
from graphrec.models.base import Model
from graphrec.ranking.topk import top_k
from graphrec.schema import ITEM, USER, reverse_name
from graphrec.vocabulary import Vocabulary

RELATION = "PURCHASED"


def graph_of(pairs: Interactions) -> HeteroGraph:
    """A HeteroGraph with these interactions only; ids are u0, u1, … and i0, i1, …"""
    data = HeteroData()
    data[USER].num_nodes, data[ITEM].num_nodes = pairs.num_users, pairs.num_items
    edge_index = torch.from_numpy(np.stack([pairs.user_index, pairs.item_index]))
    data[USER, RELATION, ITEM].edge_index = edge_index
    data[ITEM, reverse_name(RELATION), USER].edge_index = edge_index.flip(0)
    ids = {
        label: Vocabulary.of(label, pd.Index([f"{label[0].lower()}{n}" for n in range(size)], dtype="str"))
        for label, size in ((USER, pairs.num_users), (ITEM, pairs.num_items))
    }
    return HeteroGraph(data, ids, (USER, RELATION, ITEM))


def checkerboard(size: int = 20) -> tuple[HeteroGraph, Interactions, Interactions]:
    """A checkerboard of `size` users and items: even users have the even items and odd users the odd ones.

    One further user and one further item have no interactions.

    Returns:
        The graph without the diagonal, its interactions, and the withheld diagonal, which are the right answers.
    """
    user, item = np.divmod(np.arange(size * size), size)
    same = (user + item) % 2 == 0
    train, withheld = same & (user != item), user == item
    both = [Interactions(user[part], item[part], size + 1, size + 1) for part in (train, withheld)]
    return graph_of(both[0]), both[0], both[1]


class ModelContract:
    """Tests of one model; a subclass sets the model's name and its exceptions from the contract.

    config: settings that make the model fast on 20 users.
    personal: whether different users get different items.
    exact_fold_in: whether `fold_in` of a training history gives the training scores.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    personal: ClassVar[bool] = True
    exact_fold_in: ClassVar[bool] = True

    #: The fitted model of each subclass, an exception from "no state in classes": most tests only read it, and a fit of
    #: a network takes longer than all of them.
    _fits: ClassVar[dict[type, tuple[Model[Any], Interactions, Interactions]]] = {}

    def shared(self) -> tuple[Model[Any], Interactions, Interactions]:
        """What `fitted` returned the first time; tests leave the model as it is."""
        kind = type(self)
        if kind not in self._fits:
            self._fits[kind] = self.fitted()
        return self._fits[kind]

    def fitted(self, seed: int = 0) -> tuple[Model[Any], Interactions, Interactions]:
        """The model fitted to the checkerboard, its training interactions, and the withheld ones."""
        graph, train, withheld = checkerboard()
        model = make(self.name, **self.config)
        model.fit(graph, train, np.random.default_rng(seed))
        return model, train, withheld

    def test_it_finds_what_was_withheld(self) -> None:
        """Each user's withheld item comes first."""
        model, train, withheld = self.shared()
        best = top_k(model, train, withheld.user_index, 1).item_index[:, 0]
        if self.personal:
            np.testing.assert_array_equal(best, withheld.item_index)
        else:
            assert set(best.tolist()) <= set(range(train.num_items - 1))

    def test_scores_are_one_row_for_each_user_asked_for(self) -> None:
        """[batch, num_items] float32, in the order of the batch."""
        model, train, _ = self.shared()
        batch = np.array([3, 0, 3], dtype=np.int64)
        scores = model.score(batch)
        assert scores.shape == (3, train.num_items)
        assert scores.dtype == torch.float32
        torch.testing.assert_close(scores[0], scores[2])
        torch.testing.assert_close(scores[1], model.score(batch[1:2])[0])

    def test_scores_belong_to_the_caller(self) -> None:
        """Overwriting them leaves the model as it was."""
        model, _, _ = self.shared()
        batch = np.array([1, 2], dtype=np.int64)
        before = model.score(batch).clone()
        model.score(batch).fill_(-1.0)
        torch.testing.assert_close(model.score(batch), before)

    def test_pairs_have_the_scores_of_their_rows(self) -> None:
        """`score_pairs` agrees with `score`."""
        model, _, _ = self.shared()
        batch = np.array([4, 7, 20], dtype=np.int64)
        items = np.array([[0, 5], [20, 7], [3, 1]], dtype=np.int64)
        expected = model.score(batch).gather(1, torch.from_numpy(items))
        torch.testing.assert_close(model.score_pairs(batch, items), expected)

    def test_the_seed_decides_everything(self) -> None:
        """Two fits with one seed give the same scores."""
        batch = np.arange(21)
        assert torch.equal(self.fitted()[0].score(batch), self.shared()[0].score(batch))

    def test_a_restored_model_gives_the_same_scores(self) -> None:
        """The state survives `torch.save` and a `torch.load` that unpickles tensors only."""
        model, _, _ = self.shared()
        file = io.BytesIO()
        torch.save(model.state(), file)
        file.seek(0)
        other = make(self.name, **asdict(model.config))
        other.restore(torch.load(file, weights_only=True))
        batch = np.arange(21)
        assert torch.equal(other.score(batch), model.score(batch))

    def test_users_and_items_without_interactions_are_harmless(self) -> None:
        """Their scores are finite, and those of a user without interactions are 0."""
        model, train, _ = self.shared()
        scores = model.score(np.arange(train.num_users))
        assert bool(scores.isfinite().all())
        if self.personal:
            assert float(scores[-1].abs().max()) == 0.0

    def test_unseen_users_are_answered_like_seen_ones(self) -> None:
        """`fold_in` of a training history gives the training scores, if the model is exact."""
        model, train, withheld = self.shared()
        scores = model.fold_in(train.matrix())
        if self.exact_fold_in:
            torch.testing.assert_close(scores, model.score(np.arange(train.num_users)))
        elif self.personal:  # an approximation must still find the block of the user
            right = scores[torch.from_numpy(withheld.user_index), torch.from_numpy(withheld.item_index)]
            wrong = scores[torch.from_numpy(withheld.user_index), torch.from_numpy(withheld.item_index ^ 1)]
            assert bool((right > wrong).all())

    def test_every_candidate_can_be_fitted(self) -> None:
        """The default for the graph and all other candidates give finite scores, with a tenth of their epochs."""
        kind = model_class(self.name)
        graph, train, _ = checkerboard()
        candidates = kind.candidates(graph)
        assert all(type(config) is kind.config_class for config in candidates)
        for config in candidates if len(candidates) > 1 else []:
            shorter = kind.shorten(config, 0.1)
            model = kind(config if shorter is None else shorter)
            model.fit(graph, train, np.random.default_rng(0))
            assert bool(model.score(np.arange(3)).isfinite().all())

    def test_every_setting_is_documented(self) -> None:
        """The docstring of the config, or of a class that it extends, has a line `name: …` for each field."""
        config_class = model_class(self.name).config_class
        described = "\n".join(kind.__doc__ or "" for kind in config_class.__mro__ if kind is not object)
        missing = [field.name for field in fields(config_class) if f" {field.name}: " not in described]
        assert not missing
