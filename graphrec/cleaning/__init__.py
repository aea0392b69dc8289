"""Cleaning as declared rules, with a report of every row that was repaired, merged or rejected."""

from graphrec.cleaning.behaviour import k_core, without_robots
from graphrec.cleaning.process import clean, need_nothing_rejected
from graphrec.cleaning.rejected import need_something_kept
from graphrec.cleaning.rules import Rules

__all__ = ["Rules", "clean", "k_core", "need_nothing_rejected", "need_something_kept", "without_robots"]
