"""How a provider may answer besides doing what it was asked: what goes wrong on real networks, on demand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """The bytes on the wire."""
        return json.dumps(self.body, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong with a request.

    Args:
        how: ``refuse``: 400 with ``reason`` in the API's own shape, ``status`` may be another; ``html``: a page in
            place of an answer; ``half``: an answer that breaks off; ``drop``: the connection ends without a word;
            ``slow``: no answer until `ProviderServer.release`; ``dribble``: header letters one by one; ``large``: an
            answer without end; ``redirect``: to another address.
        status: of ``refuse`` and ``html``.
        reason: the provider's words.
        headers: further ones (``Retry-After``).
        acts: whether what was asked for is done all the same before the answer goes wrong.
    """

    how: Literal["refuse", "html", "half", "drop", "slow", "dribble", "large", "redirect"]
    status: int = 400
    reason: str = "Refused"
    headers: dict[str, str] = field(default_factory=dict)
    acts: bool = False


def refused(reason: str, status: int = 400, *, retry_after: str | None = None) -> Trouble:
    """A refusal in the API's own shape."""
    return Trouble("refuse", status, reason, {} if retry_after is None else {"Retry-After": retry_after})


DROP: Trouble = Trouble("drop")
"""The connection ends before anything is done."""
DROP_AFTER: Trouble = Trouble("drop", acts=True)
"""It is done, and the answer never arrives."""
HALF: Trouble = Trouble("half", acts=True)
HTML: Trouble = Trouble("html", 502)
"""A page of something in between."""
SLOW: Trouble = Trouble("slow", acts=True)
UNAUTHORISED: Trouble = refused("Unauthenticated.", 401)
"""The token is no good."""


def too_many(seconds: int) -> Trouble:
    """The rate limit, with how long to wait."""
    return refused("Too many requests", 429, retry_after=str(seconds))
