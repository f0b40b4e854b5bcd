"""Answers as a server gives them, for tests of the client."""

from __future__ import annotations

from typing import Any

NOW = "2026-02-23T10:00:00.000Z"
GBP = {"amount": 4300, "currency": "GBP"}

PULSE: dict[str, Any] = {
    "attention": 3,
    "topics": {"activity": 7, "orders": 4},
    "shop": {
        "name": "Sunday Socks",
        "environment": "practice",
        "currency": "GBP",
        "time_zone": "Europe/London",
    },
    "now": NOW,
}
ME: dict[str, Any] = {
    "user": {"id": "u1", "name": "Jamie", "email": None, "role": "owner", "active": True, "created_at": NOW},
    "role": "owner",
    "permissions": ["orders.read"],
    "token_name": "first token",
}
ROW: dict[str, Any] = {
    "id": "o1",
    "number": "SS-260223-0046",
    "customer": {"id": "p1", "name": "Tom Avery", "email": "tom@example.com"},
    "total": GBP,
    "payment_status": "paid",
    "fulfilment_status": "unfulfilled",
    "created_at": NOW,
    "updated_at": NOW,
}
ORDER: dict[str, Any] = ROW | {
    "items": [{"name": "Tee", "quantity": 1, "unit_price": GBP}],
    "address": {"name": "Tom Avery", "line1": "1 Mill Lane", "country": "GB"},
    "times": {"paid_at": NOW},
    "actions": [{"name": "ship", "allowed": True}],
}
COUNTS: dict[str, Any] = {"all": 5, "unpaid": 1, "to_ship": 2, "shipped": 1, "problems": 1}
ENTRY: dict[str, Any] = {
    "id": "e1",
    "type": "order.submission_failed",
    "label": "Submission failed",
    "level": "error",
    "category": "orders",
    "message": "Submission to Printify failed",
    "order": {"id": "o1", "number": "SS-260223-0046"},
    "actor": {"kind": "provider", "name": "Printify"},
    "occurred_at": NOW,
    "inserted_at": NOW,
    "group": {"key": "k1", "count": 2, "first_at": NOW, "last_at": NOW},
    "facts": {"reason": "variant out of stock"},
    "actions": [],
}
RESOLVED: dict[str, Any] = {"count": 2, "ids": ["e1", "e2"], "entry": ENTRY}


def page(*items: Any, older: str | None = None, newer: str | None = None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "next": older, "prev": newer}


def problem(status: int, code: str, **more: Any) -> dict[str, Any]:
    """The body of a refusal."""
    return {"type": "about:blank", "title": "No", "status": status, "code": code} | more
