"""What the tests of the client's API share."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run in asyncio, as the client does."""
    return "asyncio"
