"""Linear algebra that models share: sparse products and cuts, decompositions, ridge regression."""
