"""A shop whose customers leave things behind."""

from __future__ import annotations

import httpx
import pytest

from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.practice.mail_server import MailServer
from tests.server.conftest import Staff
from tests.support.customers import Counter


@pytest.fixture
def counter(http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock, post: MailServer) -> Counter:
    """The shop, with its addresses set and reminders switched on."""
    found = Counter(http, staff, store, clock, post)
    found.open(recovery__enabled="on")
    return found
