"""What the commands about tokens ask a server: a token for a code, whose it is, and its end."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Final

from tui.api.client import Client
from tui.api.endpoint import Endpoint
from tui.api.errors import CredentialError
from tui.api.secret import Secret

_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{7,127}", re.ASCII)


def read_code(text: str) -> str:
    """A code as it was typed. Raises CredentialError for what cannot be one, without the text."""
    code = text.strip()
    if not _CODE.fullmatch(code):
        raise CredentialError("That is no invitation's code: it is five groups of letters and digits.")
    return code


def fetch_token(where: Endpoint, code: str) -> Secret:
    """The token that an invitation's code is good for. The code is used up by it.

    Raises:
        ApiError: the server refused it, or did not answer; ``Refused`` with ``invitation_refused`` for any bad code.
        CredentialError: the answer held no token.
    """
    body = json.dumps({"code": code}).encode()

    async def ask() -> Secret:
        async with Client(where) as client:
            return await client.change("/v1/invitations/accept", _token, body)

    return asyncio.run(ask())


def _token(answer: Any) -> Secret:
    found = answer.get("token") if isinstance(answer, dict) else None
    try:
        return Secret(found if isinstance(found, str) else "")
    except ValueError:
        raise CredentialError(
            "The server took the code, but its answer held no token. Ask for another code."
        ) from None


def greeting(endpoint: Endpoint) -> str:
    """Who the token is, as the server says. Raises ApiError."""

    async def ask() -> str:
        async with Client(endpoint) as client:
            me = await client.me()
        who = (me.user.name or me.user.email) if me.user else None
        until = f", until {me.token_expires_at:%d %B %Y}" if me.token_expires_at else ""
        return f"The token is {who or me.token_name}'s ({me.role}){until}."

    return asyncio.run(ask())


def revoke(endpoint: Endpoint) -> None:
    """End the endpoint's token, on the server and for good. Raises ApiError."""

    async def ask() -> None:
        async with Client(endpoint) as client:
            await client.revoke_token()

    asyncio.run(ask())
