"""Zeros among ratings: noticed where they mean that nothing was rated, and left alone where they are marks."""

import pytest

from graphrec.evaluation.zero_ratings import describe_missing_zeros, describe_missing_zeros_in_graph
from graphrec.testing import checkerboard


@pytest.mark.parametrize(
    ("counts", "noticed"),
    [
        ({0.0: 620, 10.0: 80, 8.0: 100, 7.0: 70, 5.0: 60, 1.0: 1}, True),  # one to ten, most not rated
        ({0.0: 300, 1.0: 50, 2.0: 60, 3.0: 80, 4.0: 100, 5.0: 90}, True),
        ({0.0: 5, 1.0: 50, 2.0: 60, 3.0: 80}, False),  # the lowest mark, and rare
        ({0.0: 60, 0.5: 50, 1.0: 40, 2.0: 30}, False),  # half stars from 0
        ({0.0: 100, -1.0: 30, 1.0: 40, 2.0: 30}, False),  # votes
        ({0.0: 100, 1.0: 80}, False),  # yes and no
        ({0.0: 60, 1.0: 50, 2.0: 90, 3.0: 80}, False),  # other marks are more frequent
        ({}, False),
        ({0.0: 10}, False),
    ],
)
def test_zeros(counts: dict[float, int], noticed: bool) -> None:
    assert bool(describe_missing_zeros(counts, "RATED")) is noticed


def test_the_sentence_has_the_numbers_and_the_two_tables_that_divide_them() -> None:
    said = describe_missing_zeros({0.0: 620, 10.0: 80, 8.0: 100, 1.0: 1}, "RATED")
    assert said.startswith("620 of 801 RATED edges have the rating 0 and the others 1 to 10")
    assert 'where = { rating = ["1", …, "10"] } in [edges.RATED]' in said
    assert 'where = { rating = "0" } in [edges.VIEWED]' in said


def test_behaviour_without_ratings_is_not_looked_at() -> None:
    assert describe_missing_zeros_in_graph(checkerboard(4)[0]) == ""
