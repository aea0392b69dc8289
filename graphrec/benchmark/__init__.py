"""Benchmarks on published data sets and splits: download, validation part, runs and results."""
