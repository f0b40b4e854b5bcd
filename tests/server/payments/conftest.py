"""A shop that Stripe talks to over HTTP."""

from __future__ import annotations

import httpx
import pytest

from server.kit.clock import FrozenClock
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.server.payments.desk import Desk


@pytest.fixture
def desk(http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock) -> Desk:
    """Stripe on one side of the shop, its staff on the other."""
    return Desk(http, staff, store, clock)
