"""A shop that customers ask something of: tickets in every state, and customers who read what they are told."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from server.kit.access import Role
from server.settings import service as settings
from tests.flows.world import World
from tests.support.signed_up import Customer, sign_up

PARCEL = "Where is my parcel?"
BLANKET = "The blanket has a hole"


@dataclass
class Helpdesk:
    """The tickets of a shop, by a short name, and its customers who have an account."""

    world: World
    ids: dict[str, str] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)

    def customer(self, name: str) -> Customer:
        """A customer with an account of their own."""
        if name not in self.customers:
            email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
            self.customers[name] = sign_up(self.world.store, email, name)
        return self.customers[name]

    def asks(self, key: str, name: str, title: str, text: str, order: str | None = None) -> str:
        """A customer opens a ticket: its id."""
        body = {"title": title, "description": text} | ({"order": order} if order else {})
        self.ids[key] = self._as_customer(name, "POST", "/v1/my/tickets", body)["id"]
        return self.ids[key]

    def answers(self, key: str, name: str, text: str) -> None:
        """A customer writes in a ticket."""
        self._as_customer(name, "POST", f"/v1/my/tickets/{self.ids[key]}/comments", {"body": text})

    def hands_in(self, key: str, name: str, called: str, content: bytes) -> str:
        """A customer puts a file beside a ticket: its id."""
        told = {"name": called, "media_type": "image/jpeg", "content": base64.b64encode(content).decode()}
        kept = self._as_customer(name, "POST", "/v1/my/files", told | {"ticket_id": self.ids[key]})
        return str(kept["id"])

    def reads(self, key: str, name: str) -> dict[str, Any]:
        """A ticket as its customer sees it."""
        return self._as_customer(name, "GET", f"/v1/my/tickets/{self.ids[key]}")

    def says(self, key: str, text: str, *, internal: bool = False, role: Role = "support") -> None:
        """Staff write in a ticket."""
        path = f"/v1/tickets/{self.ids[key]}/comments"
        self.world.post(path, {"body": text, "is_internal": internal}, role)

    def changes(self, key: str, role: Role = "support", **changes: Any) -> None:
        """Staff change a ticket."""
        self._as(self.world.staff.bearer(role), "PATCH", f"/v1/tickets/{self.ids[key]}", changes)

    def deletes(self, key: str) -> None:
        """The Owner deletes a ticket."""
        self._as(self.world.staff.bearer("owner"), "DELETE", f"/v1/tickets/{self.ids[key]}")

    def ticket(self, key: str) -> dict[str, Any]:
        """A ticket as the server holds it."""
        return self.world.get(f"/v1/tickets/{self.ids[key]}")

    def _as_customer(self, name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self._as(self.customer(name).bearer, method, path, body)

    def _as(self, headers: dict[str, str], method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.world.http.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found


def open_helpdesk(world: World) -> Helpdesk:
    """Tickets on an ordinary morning: the last one to move is the first in the list."""
    desk = Helpdesk(world)
    world.store.write(lambda tx: settings.set_value(tx, "tickets.enabled", "on"))
    numbers = {row["customer"]["name"]: row["number"] for row in world.get("/v1/orders", limit=20)["items"]}
    support, owner = world.staff.users["support"], world.staff.users["owner"]
    world.at("07:40")
    desk.asks("address", "Ola Berg", "Another address, please", "I have moved. Could it go to the new house?")
    desk.changes("address", status="resolved", reason="the order was cancelled")
    world.at("08:05")
    desk.asks("gift", "Priya Nair", "Can you wrap it as a gift?", "It is for my aunt.")
    desk.changes("gift", priority="low")
    desk.says("gift", "Gladly, with a ribbon.")
    world.at("08:50")
    desk.asks(
        "parcel", "Mei Lin", PARCEL,
        "It was to be here yesterday, and the tracking page says nothing.\n\nCould you look where it is?",
        numbers["Mei Lin"],
    )  # fmt: skip
    world.at("09:05")
    desk.changes("parcel", assigned_to=support)
    desk.says("parcel", "We have asked the carrier, and write again when we know more.")
    world.at("09:12")
    desk.says(
        "parcel",
        "DHL lost two of our parcels.\nSend another if it is not found today.",
        internal=True,
    )
    desk.changes("parcel", priority="high")
    world.at("09:30")
    desk.asks("invoice", "Søren Kjær", "An invoice with our VAT number", "The number is DK 12 34 56 78.")
    desk.changes("invoice", assigned_to=owner)
    world.at("09:58")
    desk.asks(
        "blanket",
        "Ana María Restrepo de la Cruz",
        BLANKET,
        "As big as a coin. I want my money back.",
    )
    desk.changes("blanket", priority="urgent")
    world.at("10:08")
    desk.answers("parcel", "Mei Lin", "It is still not here, and it was a present. What now?")
    world.at("10:14")
    return desk
