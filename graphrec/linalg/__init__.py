"""Linear algebra that models share: sparse products cut to their largest entries, decompositions, regressions."""
