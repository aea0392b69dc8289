"""What tests of models share: one torch thread, and a graph with every kind of relation."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pytest
import torch

from graphrec.hetero import HeteroGraph

from .typed_example import graph_of_parts, random_parts


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run a test with one torch thread, then give the others back.

    The graphs here have twenty users: a second thread only waits, and on a busy machine it waits for seconds.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def parts() -> Mapping[str, npt.NDArray[np.int64]]:
    """The pairs of `typed_example`, by relation."""
    return random_parts()


@pytest.fixture(scope="package")
def graph(parts: Mapping[str, npt.NDArray[np.int64]]) -> HeteroGraph:
    """The graph of `typed_example`; tests leave it as it is."""
    return graph_of_parts(parts)
