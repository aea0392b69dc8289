"""The command line: one click command, one file; `graphrec load` is load.py."""
