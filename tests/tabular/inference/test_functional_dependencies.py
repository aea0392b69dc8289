"""Functional dependencies between two columns, and whether chance explains them."""

from graphrec.tabular.inference.column_profile import profile_column
from graphrec.tabular.inference.functional_dependencies import is_significant, measure_dependency


def test_a_dependency_is_proven_by_rows_that_chance_does_not_explain() -> None:
    key = profile_column("k", ["a", "a", "b", "b", "c", "c", "a", "b"])
    says = profile_column("v", ["x", "x", "y", "y", "z", "z", "x", "y"])
    not_said = profile_column("w", ["x", "y", "x", "y", "x", "y", "y", "x"])
    same = profile_column("s", ["x"] * 8)
    assert is_significant(key, says, measure_dependency(key, says))
    assert measure_dependency(key, not_said).fails
    assert measure_dependency(key, same).holds
    assert not is_significant(key, same, measure_dependency(key, same))
