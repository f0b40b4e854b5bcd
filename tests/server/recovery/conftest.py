"""A shop whose customers leave things behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.practice.mail_server import MailServer
from tests.server.conftest import Staff
from tests.support.customers import Counter
from tests.support.stripe_events import SECRET


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    """The set-up of a server that knows one webhook secret."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": SECRET})


@pytest.fixture
def post() -> Iterator[MailServer]:
    """A mail server on the loopback."""
    with MailServer() as running:
        yield running


@pytest.fixture
def counter(http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock, post: MailServer) -> Counter:
    """The shop, with its addresses set and reminders switched on."""
    found = Counter(http, staff, store, clock, post)
    found.open(recovery__enabled="on")
    return found
