"""Trying a connection out: in a thread of its own, outside of every transaction, and not for ever."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import Final

from server.contract.settings import TestResult
from server.kit.db import Store
from server.kit.problems import ProblemError, not_found
from server.settings.registry import REGISTRY, TESTS, Test
from server.settings.service import secret
from server.settings.setting import SecretSetting

_log = logging.getLogger("shopbell.settings")
SECONDS: Final = 20.0
_running: Final[set[tuple[int, str]]] = set()
_guard: Final = threading.Lock()


async def try_out(store: Store, name: str, seconds: float = SECONDS) -> TestResult:
    """Run a registered test.

    Args:
        store: whose settings are tried.
        name: of the test.
        seconds: how long the caller waits. The thread ends when the connection does; until then the same test is not
            begun again.

    Raises:
        ProblemError: 404 ``not_found``; 409 ``already_running``.
    """
    test = TESTS.get(name)
    if test is None:
        raise not_found("test")
    mark = (id(store), name)
    with _guard:
        if mark in _running:
            raise ProblemError(409, "already_running", "This test still runs: wait for its answer.")
        _running.add(mark)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[TestResult] = loop.create_future()

    def run() -> None:
        try:
            result = _run(store, test)
        finally:
            with _guard:
                _running.discard(mark)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if found.done() else found.set_result(result))

    threading.Thread(target=run, name=f"test {name}", daemon=True).start()
    try:
        return await asyncio.wait_for(found, seconds)
    except TimeoutError:
        return TestResult(
            ok=False,
            message=f"There was no answer within {seconds:g} seconds. Check the address and try again.",
            took_ms=int(seconds * 1000),
        )


def _run(store: Store, test: Test) -> TestResult:
    began = time.monotonic()
    try:
        result = test.call(store)
        ok, message = result.ok, _without_secrets(store, result.message)
    except Exception as error:  # noqa: BLE001 - whatever a test runs into, its caller gets an answer
        _log.warning("test of a connection failed", extra={"fields": {"test": test.name}}, exc_info=error)
        ok, message = False, f"The test itself failed ({type(error).__name__}); the server's log knows where."
    return TestResult(ok=ok, message=message, took_ms=int((time.monotonic() - began) * 1000))


def _without_secrets(store: Store, message: str) -> str:
    """The other side's words may quote what it was sent."""
    names: list[SecretSetting] = [known.name for known in REGISTRY.values() if known.secret]  # type: ignore[misc]
    for plain in store.read(lambda tx: [secret(tx, name) for name in names]):
        for part in (plain or "").split(","):
            if len(part) >= 4:
                message = message.replace(part, "····")
    return message
