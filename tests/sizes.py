"""How much the tests try: a sample in `make test`, everything in `make test-all`."""

import os

import pytest

#: Whether this is `make test-all`.
EVERYTHING = os.environ.get("GRAPHREC_TESTS") == "all"

#: For a test that takes long on each of the two databases: in `make test` it runs on the embedded one alone.
NEO4J_IS_SLOW = pytest.mark.parametrize(
    "address", ["embedded", pytest.param("neo4j", marks=pytest.mark.slow)], indirect=True
)


def num_examples(full: int) -> int:
    """Generated examples of a property test that takes long: `full` of them in `make test-all`, else a quarter."""
    return full if EVERYTHING else max(full // 4, 3)
