"""graphrec: records of people and things become recommendations that live in a graph database."""

__version__ = "0.1.0"
