"""Tests of the query files."""
