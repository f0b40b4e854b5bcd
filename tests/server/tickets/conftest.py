"""A shop that takes tickets."""

from __future__ import annotations

import pytest

from server.kit.db import Store
from tests.server.conftest import Staff
from tests.server.tickets.counter import Counter


@pytest.fixture
def counter(store: Store, staff: Staff) -> Counter:
    """The help desk, open to customers."""
    made = Counter(store, staff)
    made.set(enabled="on")
    return made
