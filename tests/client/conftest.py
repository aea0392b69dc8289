"""The served shop of the API's tests."""

from tests.api.conftest import served, shop_run, shop_store

__all__ = ["served", "shop_run", "shop_store"]
