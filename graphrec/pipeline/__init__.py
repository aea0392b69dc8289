"""The work behind the methods of `Graph`: load with a report, train, tune, blend, compare, publish, benchmark.

Each module is one subject, and its functions take the store or the exported graph. Importing the package imports none
of them.
"""
