"""The graphs that scaling is measured on, and what is said about growth."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from benchmarks.scaling import MOST, PER_ITEM, PER_USER, generate, growth, table


def test_generated_graphs_have_the_sizes_and_laws_that_are_claimed() -> None:
    pairs, num_users, num_items = generate(200_000)
    assert 160_000 < pairs.shape[1] <= 200_000
    assert num_users == pytest.approx(200_000 / PER_USER, rel=0.2)
    assert num_items == 200_000 // PER_ITEM
    assert len(np.unique(pairs[0] * num_items + pairs[1])) == pairs.shape[1]  # each pair once
    user, item = (np.bincount(row) for row in pairs)
    assert MOST >= user.max() > 20 * np.median(user)  # a few are far more active than most
    assert item.max() > 20 * np.median(item)


def test_a_seed_gives_the_same_graph() -> None:
    assert np.array_equal(generate(10_000)[0], generate(10_000)[0])
    assert not np.array_equal(generate(10_000)[0], generate(10_000, 1)[0])


def test_edges_of_regions_stay_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all of them do, the graph falls apart into its four regions; a few that leave them make it one."""
    monkeypatch.setattr("benchmarks.scaling.REGION", 500)
    assert parts_of(*generate(200_000, regions=True)) == [None]
    monkeypatch.setattr("benchmarks.scaling.STAYING", 1.0)
    found = parts_of(*generate(200_000, regions=True))
    assert len(found) == 4
    for items in found:
        assert items is not None
        assert 450 < len(items) <= 500
        assert np.ptp(items) > 1000  # positions tell nothing of regions


def parts_of(pairs: np.ndarray, num_users: int, num_items: int) -> list[np.ndarray | None]:
    """The items of each connected part of a graph; None for a part that has nearly all."""
    ones = np.ones(pairs.shape[1])
    square = sparse.csr_array((ones, (pairs[0], num_users + pairs[1])), shape=(num_users + num_items,) * 2)
    _, part = connected_components(square, directed=False)
    items = [np.flatnonzero(part[num_users:] == number) for number in np.unique(part[:num_users])]
    return [None if len(found) > 0.9 * num_items else found for found in items]


def row(edges: int, fit: float, peak: int) -> dict[str, object]:
    rest = {"users": 1, "items": 1, "read_mib": 1, "fold_in_ms": 1.0, "users_per_second": 1.0}
    return {"edges": edges, "fit": 1.0, "processor": fit, "peak_mib": peak, **rest}


def test_growth_is_the_exponent_from_size_to_size() -> None:
    rows = [row(10, 1.0, 100), row(1000, 100.0, 200), row(10_000, 1e4, 200)]
    assert growth(rows, "processor") == pytest.approx([1.0, 2.0])
    assert "processor seconds grow as edges to the power 1.00, then 2.00; memory to the power 0.15, then 0.00" in table(
        rows
    )
    assert "worse than linear" in table(rows)
    assert "no worse than linear" in table(rows[:2])
    assert {line.count("|") for line in table(rows).splitlines()[:5]} == {11}  # every row as wide as the head
