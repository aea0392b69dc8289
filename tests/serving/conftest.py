"""Fixtures for tests of serving: a shop with a published run."""

from pathlib import Path

import pytest

from graphrec.runs import TrainedRun
from graphrec.serving import OnlineRecommender
from graphrec.store import Store

from . import shop


@pytest.fixture
def run(store: Store, tmp_path: Path) -> TrainedRun:
    """A graph_filter run on the shop, with published lists of three items."""
    shop.build(store)
    made = shop.trained(store, tmp_path)
    shop.publish(store, made, 3)
    return made


@pytest.fixture
def online(store: Store, tmp_path: Path, run: TrainedRun) -> OnlineRecommender:  # noqa: ARG001  # the run must be there
    return OnlineRecommender(store, tmp_path)
