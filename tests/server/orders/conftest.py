"""The orders of a store."""

from __future__ import annotations

import pytest

from server.kit.db import Store
from tests.server.orders.shop import Shop


@pytest.fixture
def shop(store: Store) -> Shop:
    """The store's orders, with few words."""
    return Shop(store)
