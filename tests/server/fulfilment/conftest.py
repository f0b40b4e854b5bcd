"""A shop on each database, with each provider's server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from server.fulfilment import registry
from server.jobs.runner import Runner
from server.kit.clock import FrozenClock
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.server.fulfilment.houses import PATIENT, open_server
from tests.server.fulfilment.works import Works, put_settings, settings_of, stocked


@pytest.fixture(autouse=True)
def _little_patience() -> Iterator[None]:
    before = registry.set_timeouts(PATIENT)
    yield
    registry.set_timeouts(before)


@pytest.fixture
def works(
    request: pytest.FixtureRequest, store: Store, clock: FrozenClock, http: httpx.Client, staff: Staff
) -> Iterator[Works]:
    """A shop with a provider, whose catalogue is synced: Printify, unless the test asks for `BOTH`."""
    server = open_server(getattr(request, "param", "printify"), clock)
    given = {"fulfilment.provider": server.provider, **settings_of(server)}
    put_settings(store, given)
    http.headers.update(staff.bearer("owner"))
    made = Works(store, clock, server, http, staff, Runner(store, vary=lambda: 0.5), stocked(server))
    made.sync()
    yield made
    server.close()
