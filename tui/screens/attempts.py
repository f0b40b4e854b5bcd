"""What a key asks of the server, done in the background; a refusal is said where outcomes are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.api.errors import ApiError, ClientError
from tui.screens.section import AnySection

if TYPE_CHECKING:
    from tui.api.client import Client

Attempt = Callable[["Client"], Awaitable[None]]


def attempt(
    section: AnySection, work: Attempt, *, after: Callable[[ClientError | None], None] | None = None
) -> None:
    """Do something with the server; ``after`` is told what refused it, if anything, once it was tried."""
    client = section.desk.client

    async def tried() -> None:
        if client is None:
            section.frame.say("refused", "There is no connection yet.")
            return
        error: ClientError | None = None
        try:
            await work(client)
        except ClientError as refused:
            error = refused
            section.frame.say("refused", error.sentence)
            if isinstance(error, ApiError):
                section.frame.failed(error)
        if after is not None:
            after(error)

    section.begin(tried, "act", exclusive=False)
