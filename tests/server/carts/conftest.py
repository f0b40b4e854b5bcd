"""The carts of a store."""

from __future__ import annotations

import pytest

from server.kit.db import Store
from tests.server.carts.till import Till


@pytest.fixture
def till(store: Store) -> Till:
    """The store's carts, with few words."""
    return Till(store)
