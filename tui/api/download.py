"""Answers that go into a file of the user's and are never shown: nothing of them is fit for a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tui.api.client import Client
from tui.api.paths import private_file

KIND: Final = "application/json"
STEP: Final = 1024 * 1024
"""Bytes between two words about how far it is."""


async def download(
    client: Client, path: str, file: Path, so_far: Callable[[int], None], *, kind: str | None = KIND
) -> int:
    """Write what ``path`` answers into a file that only its owner reads, as it came and however long.

    Args:
        client: the server.
        path: what is asked.
        file: where it goes; nothing stands there unless the whole answer came.
        so_far: told the bytes written, each megabyte.
        kind: the media type that is expected; None: any.

    Returns:
        The bytes of the answer.

    Raises:
        ApiError: no answer, or not the whole of it.
        UnsafePath: the file cannot be written.
    """
    written = told = 0
    with private_file(file) as out:
        async with contextlib.aclosing(client.stream(path, kind)) as parts:
            async for part in parts:
                out.write(part)
                written += len(part)
                if written - told >= STEP:
                    told = written
                    so_far(written)
        out.flush()
        # The disk may take its time over it: the screen goes on meanwhile.
        await asyncio.to_thread(os.fsync, out.fileno())
    return written
