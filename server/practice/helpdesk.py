"""Plays what is said and done in tickets: by customers with tokens of their own, by the colleague at the other desk."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from server.practice import photo
from server.practice.actions import AskAboutOrder, HandleTicket, InTicket, SayInTicket
from server.practice.caller import Caller, NotTakenError, ask

_HAS_ACCOUNT: Final = 409


@dataclass(slots=True)
class Helpdesk:
    """The tickets of the practice shop.

    Attributes:
        call: reaches the server.
        program: token of the shop's own program, which opens tickets and signs customers in.
        colleague: token of the member of staff who answers.
        me: the colleague's user id, once known.
    """

    call: Caller
    program: str = field(repr=False)
    colleague: str = field(repr=False)
    me: str = ""

    async def do(self, action: InTicket, order: str) -> None:
        """Do one thing about the order with this number.

        Raises:
            NotTakenError: the server did not take it.
        """
        match action:
            case AskAboutOrder():
                await self._ask(action, order)
            case SayInTicket():
                await self._say(action, order)
            case HandleTicket():
                await self._handle(action, order)

    async def _ask(self, action: AskAboutOrder, order: str) -> None:
        told = {
            "title": action.title,
            "description": action.text,
            "email": action.email,
            "order": order,
            "priority": action.priority,
        }
        await self._send(self.program, "POST", "/v1/tickets", told, action.key)

    async def _say(self, action: SayInTicket, order: str) -> None:
        ticket = await self._ticket(order)
        if ticket is None:
            return
        if action.by == "customer":
            token = await self._customer(ticket, action.key)
            if token is not None:
                path = f"/v1/my/tickets/{ticket['id']}/comments"
                await self._send(token, "POST", path, {"body": action.text}, action.key)
                if action.photo:
                    await self._hand_in(token, ticket["id"], action.key)
            return
        told = {"body": action.text, "is_internal": action.by == "note"}
        await self._send(self.colleague, "POST", f"/v1/tickets/{ticket['id']}/comments", told, action.key)

    async def _hand_in(self, token: str, ticket: str, key: str) -> None:
        told = {"name": photo.NAME, "media_type": photo.MEDIA_TYPE, "ticket_id": ticket}
        told["content"] = base64.b64encode(photo.photo()).decode()
        await self._send(token, "POST", "/v1/my/files", told, f"{key}.photo")

    async def _handle(self, action: HandleTicket, order: str) -> None:
        """What somebody at the other desk did already is left as it is."""
        ticket = await self._ticket(order)
        if ticket is None or ticket["status"] in ("resolved", "closed"):
            return
        told: dict[str, Any] = {}
        if action.assign and ticket["assigned_to"] is None:
            told["assigned_to"] = await self._own_id()
        if action.status is not None:
            told["status"] = action.status
        if told:
            await self._send(self.colleague, "PATCH", f"/v1/tickets/{ticket['id']}", told, action.key)

    async def _ticket(self, order: str) -> dict[str, Any] | None:
        """The order's newest ticket; None when it is gone."""
        query = f"tab=all&limit=1&order={quote(order, safe='')}"
        found = await self._send(self.colleague, "GET", "/v1/tickets", query=query)
        return next(iter(found["items"]), None)

    async def _customer(self, ticket: dict[str, Any], key: str) -> str | None:
        """A token with which the customer of a ticket writes back; None for one who has been erased."""
        email = (ticket["customer"] or {}).get("email")
        if email is None:
            return None
        try:
            made = await self._send(self.program, "POST", "/v1/customers", {"email": email}, f"{key}.account")
            account: str = made["id"]
        except NotTakenError as refused:
            if refused.status != _HAS_ACCOUNT:
                raise
            found = await self._send(
                self.colleague, "GET", "/v1/people", query=f"tab=customers&limit=1&q={quote(email, safe='')}"
            )
            account = found["items"][0]["account"]["id"]
        path = f"/v1/customers/{account}/sessions"
        session = await self._send(self.program, "POST", path, {"days": 1})
        token: str = session["token"]
        return token

    async def _own_id(self) -> str:
        if not self.me:
            self.me = (await self._send(self.colleague, "GET", "/v1/me"))["user"]["id"]
        return self.me

    async def _send(
        self,
        token: str,
        method: str,
        path: str,
        told: dict[str, Any] | None = None,
        key: str | None = None,
        *,
        query: str = "",
    ) -> dict[str, Any]:
        return await ask(self.call, token, method, path, told, key, query=query)
