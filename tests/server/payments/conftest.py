"""A shop that Stripe talks to over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.server.payments.desk import Desk
from tests.support.stripe_events import SECRET


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    """The set-up of a server that knows one webhook secret."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    return ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": SECRET})


@pytest.fixture
def desk(http: httpx.Client, staff: Staff, store: Store, clock: FrozenClock) -> Desk:
    """Stripe on one side of the shop, its staff on the other."""
    return Desk(http, staff, store, clock)
