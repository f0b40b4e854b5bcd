"""Waiting for a call that blocks, in a thread that costs little and does not keep the program from ending."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


_M_ARENA_MAX = -8


def one_heap() -> None:
    """Let all threads share the C library's first heap, where it can be told so.

    What a thread imports would otherwise lie in a heap of its own, 4 MiB larger than need be for as long as the
    client runs. Call it before the first thread is started.
    """
    import ctypes  # noqa: PLC0415 - after the first paint

    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


async def in_thread(work: Callable[[], T]) -> T:
    """Do ``work`` in a thread of its own and wait for it; raises what it raises.

    Unlike ``asyncio.to_thread``, somebody who quits meanwhile does not wait for it to end.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(answer: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(lambda: None if done.done() else answer())

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed over to who waits
            tell(partial(done.set_exception, error))
        else:
            tell(partial(done.set_result, result))

    threading.Thread(target=run, name="connect", daemon=True).start()
    return await done
