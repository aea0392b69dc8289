"""The work behind the methods of `Graph`: load with a report, train, tune, blend, compare, publish, benchmark.

Importing the package loads nothing; each module is one subject, and its functions take the store or the exported graph.
"""
