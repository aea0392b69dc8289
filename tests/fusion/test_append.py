"""Which of two rows of a node counts, the one that the graph has or the appended one."""

import numpy as np
import pytest

from graphrec.fusion.append import prefer_new_rows
from graphrec.tables import Repeats


@pytest.mark.parametrize(
    ("repeats", "wins"),
    [
        (None, [True, True, True, True, True, True]),
        (Repeats("last"), [True, True, True, True, True, True]),
        (Repeats("first"), [False, False, False, False, False, False]),
        (Repeats("last", "year"), [True, False, True, False, True, True]),  # of equal years the later row
        (Repeats("max", "year"), [True, False, True, False, True, True]),
        (Repeats("first", "year"), [False, True, False, False, True, False]),
    ],
)
def test_the_appended_row_counts_by_the_rule(repeats: Repeats | None, wins: list[bool]) -> None:
    """Years that grow, fall, are equal, are in the graph only, in the file only, and in neither."""
    before = np.array([1990, 1990, 1990, 1990, None, None], dtype=object)
    after = np.array([1991, 1989, 1990, None, 1990, None], dtype=object)
    assert prefer_new_rows(repeats, {"year": before}, {"year": after}, 6).tolist() == wins
