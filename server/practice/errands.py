"""Carries out what is on the agenda, each thing at its moment: requests to the shop, as the senders would make them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from server.kit.clock import MINUTE, SECOND
from server.practice.agenda import Bounce, Drop, Due, Leave, Move, Post, Retry, Settle, Turn
from server.practice.caller import Caller
from server.practice.suppliers import CONNECTION, Suppliers

_log = logging.getLogger("shopbell.practice")
_AGAIN: Final = 15 * MINUTE
_TROUBLE: Final = 500
_ACCEPTED: Final = 202
_UNAUTHORISED: Final = (401, 429)


class Errands:
    """Does what is due.

    Args:
        suppliers: whose agenda it is.
        call: reaches the shop.
        at: sets the moment of a request.
        staff: token of a person who submits orders again and resolves.
        bounces: what the mail service brings along when a mail came back.
    """

    def __init__(
        self,
        suppliers: Suppliers,
        call: Caller,
        *,
        at: Callable[[int], AbstractContextManager[None]],
        staff: str,
        bounces: str,
    ) -> None:
        self._suppliers = suppliers
        self._call = call
        self._at = at
        self._staff = {"authorization": f"Bearer {staff}", "content-type": "application/json"}
        self._bounces = {"authorization": f"Bearer {bounces}", "content-type": "application/json"}
        self.surprises = 0
        """How many answers were not what the sender expects."""

    async def do(self, due: Due) -> None:
        """Do one thing, at its moment."""
        with self._at(due.at):
            match due:
                case Move():
                    self._put(self._suppliers.move(due))
                case Turn():
                    self._put(self._suppliers.turn(due.at))
                case Drop():
                    self._suppliers.drop(due)
                case Post():
                    await self._deliver(due)
                case Bounce():
                    await self._bounce(due)
                case Leave():
                    await self._leave(due)
                case Retry():
                    await self._retry(due)
                case Settle():
                    await self._call("POST", f"/v1/orders/{due.number}/activity/resolve", self._staff)

    def _put(self, posts: list[Post]) -> None:
        for post in posts:
            self._suppliers.agenda.put(post)

    async def _deliver(self, post: Post) -> None:
        path = f"/webhooks/{post.provider}/{CONNECTION}"
        headers = {name.lower(): value for name, value in post.headers.items()}
        status, _ = await self._call("POST", path, headers, post.body, post.query)
        if status >= _TROUBLE:  # as providers do, it comes again
            self._suppliers.agenda.put(replace(post, at=post.at + 30 * SECOND))
        elif (status in _UNAUTHORISED) != post.forged:
            self._surprise("webhook", post.provider, status)

    async def _bounce(self, bounce: Bounce) -> None:
        said = "550 5.1.1 No such mailbox" if bounce.gone else "452 4.2.2 Mailbox full"
        told = {
            "message_id": bounce.message_id,
            "kind": "hard" if bounce.gone else "soft",
            "reason": said,
            "event_id": f"practice {bounce.message_id} {bounce.at}",
        }
        status, _ = await self._call("POST", "/webhooks/mail/bounces", self._bounces, _json(told))
        if not 200 <= status < 300:
            self._surprise("bounce", "mail", status)

    async def _leave(self, leave: Leave) -> None:
        """As a mail program does when its reader wants no more of this (RFC 8058)."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        status, _ = await self._call("POST", leave.path, headers, b"List-Unsubscribe=One-Click")
        if not 200 <= status < 400:
            self._surprise("unsubscribe", "mail", status)

    async def _retry(self, retry: Retry) -> None:
        status, answer = await self._call("POST", f"/v1/orders/{retry.number}/submit", self._staff, b"{}")
        if status == _ACCEPTED:
            self._suppliers.agenda.put(Settle(retry.at + 2 * MINUTE, retry.number))
        elif _code(answer) == "permanent_and_unchanged" and retry.left > 0:
            self._suppliers.agenda.put(replace(retry, at=retry.at + _AGAIN, left=retry.left - 1))

    def _surprise(self, what: str, whose: str, status: int) -> None:
        self.surprises += 1
        _log.info("not taken", extra={"fields": {"errand": what, "of": whose, "status": status}})


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode()


def _code(answer: bytes) -> str | None:
    try:
        told: str | None = json.loads(answer).get("code")
    except (ValueError, AttributeError):
        return None
    return told
