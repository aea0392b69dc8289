"""Find problems of the machine, the store and the data, each with its remedy; nothing is changed."""

from graphrec.doctor.examination import examine
from graphrec.doctor.finding import FAILED, OK, WARNING, Finding

__all__ = ["FAILED", "OK", "WARNING", "Finding", "examine"]
