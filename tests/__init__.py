"""Tests of graphrec; the folders mirror those of the package."""
