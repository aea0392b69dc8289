"""The small graph, and a run of graph_filter on it that counts everything."""

import pytest

from graphrec import hetero
from graphrec.models.graph_filter.model import GraphFilter
from graphrec.runs import TrainedRun

from . import worlds


@pytest.fixture(scope="session")
def world() -> hetero.HeteroGraph:
    return hetero.build(worlds.tables(), "PURCHASED")


@pytest.fixture(scope="session")
def trained(world: hetero.HeteroGraph) -> TrainedRun:
    return worlds.run_of(world, GraphFilter(worlds.FULL))
