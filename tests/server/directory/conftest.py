"""The people of a shop over HTTP, each role with a client of its own."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from server.kit.access import Role
from server.kit.db import Store
from tests.server.conftest import Staff
from tests.server.directory.town import Town

As = Callable[[Role], Town]


@pytest.fixture
def by(http: httpx.Client, store: Store, staff: Staff) -> As:
    """The directory as somebody of a role sees it."""
    return lambda role: Town(http, store, staff, role)


@pytest.fixture
def owner(by: As) -> Town:
    """The directory as the Owner sees it."""
    return by("owner")
