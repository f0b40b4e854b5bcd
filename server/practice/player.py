"""Plays actions against a running server: each becomes one or two requests, as a shop's programs send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel

from server.practice import front, stripe_events
from server.practice.actions import (
    Action,
    AskAboutOrder,
    FillCart,
    Fulfil,
    HandleTicket,
    InTicket,
    PlaceOrder,
    Publish,
    ResolveOrder,
    ResolveSaid,
    Say,
    SayInTicket,
    Webhook,
    mark,
)
from server.practice.caller import Caller, NotTakenError
from server.practice.helpdesk import Helpdesk

_FORGERS_SECRET: Final = "whsec_guessed"  # noqa: S105 - the point is that it is wrong
_REFUSED_FORGERY: Final = (400, 429)

AtMoment = Callable[[int], AbstractContextManager[None]]
"""Lets what is done inside happen at a moment (milliseconds)."""


class RefusedError(Exception):
    """The server did not do what was asked; names the action, the status and the answer's code, nobody's data."""

    def __init__(self, action: Action, status: int, code: str | None) -> None:
        super().__init__(f"{type(action).__name__} {action.key}: {status} {code}")
        self.status = status
        self.code = code


class Player:
    """Carries out actions.

    Args:
        call: reaches the server; kept as ``call``.
        at: sets the moment of a request.
        staff: token of a person who may resolve.
        program: token of the shop's own program.
        secret: with which Stripe signs.
        colleague: token of the person who answers tickets; who may resolve does, where there is nobody else.
        orders: the numbers of orders that stories begun earlier go on with, by story; kept up to date.
    """

    def __init__(
        self,
        call: Caller,
        *,
        at: AtMoment,
        staff: str,
        program: str,
        secret: str,
        colleague: str = "",
        orders: dict[str, str] | None = None,
    ) -> None:
        self.orders = {} if orders is None else orders
        self.call = call
        self._at = at
        self._staff = staff
        self._program = program
        self._secret = secret
        self._helpdesk = Helpdesk(call, program, colleague or staff)

    async def play(self, action: Action) -> None:
        """Do one thing, at its moment.

        Raises:
            RefusedError: the server answered something else than it should have.
        """
        with self._at(action.at):
            match action:
                case PlaceOrder():
                    answer = await self._post(action, "/v1/orders", action.order)
                    self.orders[action.story] = answer["number"]
                case Webhook():
                    await self._deliver(action)
                case Fulfil():
                    await self._post(
                        action, f"/v1/orders/{await self._order(action)}/fulfilment", action.step
                    )
                case Say():
                    await self._say(action, action.key)
                case ResolveOrder():
                    path = f"/v1/orders/{await self._order(action)}/activity/resolve"
                    await self._post(action, path, token=self._staff)
                case ResolveSaid():
                    # Said again it changes nothing, and the answer tells which entry it was.
                    said = await self._say(action.said, action.key)
                    await self._post(action, f"/v1/activity/{said['id']}/resolve", {}, token=self._staff)
                case AskAboutOrder() | SayInTicket() | HandleTicket() | Publish() | FillCart():
                    try:
                        await self._of_people(action)
                    except NotTakenError as refused:
                        raise _refused(action, refused.status, refused.answer) from None
        if action.ends:
            self.orders.pop(action.story, None)

    async def play_all(self, actions: Iterable[Action]) -> None:
        """Do one thing after the other."""
        for action in actions:
            await self.play(action)

    async def _of_people(self, action: InTicket | Publish | FillCart) -> None:
        match action:
            case Publish():
                await front.publish(self.call, self._program, action)
            case FillCart():
                await front.fill_cart(self.call, self._program, action)
            case _:
                await self._helpdesk.do(action, await self._order(action))

    async def _say(self, said: Say, key: str) -> dict[str, Any]:
        event = said.event
        if said.story:
            event = event.model_copy(update={"order": await self._order(said)})
        return await self._send(said, "POST", "/v1/activity", _json(event), key=f"say.{key}")

    async def _deliver(self, webhook: Webhook) -> None:
        payload = stripe_events.body(webhook, self.orders.get(webhook.story))
        secret = _FORGERS_SECRET if webhook.forged else self._secret
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": stripe_events.signature(payload, secret, webhook.at),
        }
        status, answer = await self.call("POST", "/webhooks/stripe", headers, payload)
        expected = status in _REFUSED_FORGERY if webhook.forged else status == 200
        if not expected:
            raise _refused(webhook, status, answer)

    async def _order(self, action: Action) -> str:
        """The number of the story's order; one that a session made is found by its customer's e-mail."""
        number = self.orders.get(action.story)
        if number is None:
            number = await self._look_up(action)
            self.orders[action.story] = number
        return number

    async def _look_up(self, action: Action) -> str:
        headers = {"authorization": f"Bearer {self._staff}"}
        query = f"limit=1&q={quote(f'+{mark(action.story)}@', safe='')}"
        status, answer = await self.call("GET", "/v1/orders", headers, query=query)
        found = json.loads(answer).get("items") if status == 200 else None
        if not found:
            raise _refused(action, status, answer)
        number: str = found[0]["number"]
        return number

    async def _post(
        self,
        action: Action,
        path: str,
        body: BaseModel | dict[str, Any] | None = None,
        *,
        token: str | None = None,
    ) -> dict[str, Any]:
        payload = b"" if body is None else _json(body)
        return await self._send(action, "POST", path, payload, token=token)

    async def _send(
        self,
        action: Action,
        method: str,
        path: str,
        body: bytes,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        headers = {
            "authorization": f"Bearer {token or self._program}",
            "content-type": "application/json",
            "idempotency-key": key or action.key,
        }
        status, answer = await self.call(method, path, headers, body)
        if status not in (200, 201):
            raise _refused(action, status, answer)
        told: dict[str, Any] = json.loads(answer)
        return told


def _json(body: BaseModel | dict[str, Any]) -> bytes:
    if isinstance(body, BaseModel):
        return body.model_dump_json(exclude_none=True).encode()
    return json.dumps(body).encode()


def _refused(action: Action, status: int, answer: bytes) -> RefusedError:
    try:
        code = json.loads(answer).get("code")
    except (ValueError, AttributeError):
        code = None
    return RefusedError(action, status, code)
