"""Fixtures for tests of the page: the shop of the tests of serving with a published run."""

from tests.serving.conftest import run

__all__ = ["run"]
