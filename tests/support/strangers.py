"""A shop whose every text is a stranger's at its worst, filled as strangers fill it: by the API and signed webhooks.

What the server refuses is left out field by field, as its answer names them; the rest goes in. So the screens get to
see exactly what somebody could bring into a real shop.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from tests.support.hostile import Hostile
from tests.support.stripe_events import Purchase, sign

PLAIN: Final = "Plain"
MARKUP: Final = Hostile("markup", "[@click=app.quit]x[/][/b][link=https://evil.example]")
"""What passes for text everywhere."""
_LINE, _TEXT, _PHONE, _PRODUCT, _KEY = 255, 4096, 40, 64, 200
_TRIES: Final = 4  # each answer names wrong fields; they are left out and the rest is tried again


@dataclass
class Strangers:
    """Those who write into one shop.

    Args:
        http: reaches the server.
        owner: a token of the Owner.
        program: a token of the shop's own program.
        secret: with which Stripe signs.
    """

    http: httpx.Client
    owner: str = field(repr=False)
    program: str = field(repr=False)
    secret: str = field(repr=False)
    numbers: list[str] = field(default_factory=list)
    """The orders made so far, oldest first."""

    def bring(self, strings: Sequence[Hostile]) -> None:
        """Put every string into every field that takes it."""
        for count, hostile in enumerate(strings):
            self._order(count, hostile)

    def _order(self, count: int, hostile: Hostile) -> None:
        """An order that the shop's program makes, that Stripe calls paid, and whose fulfilment goes some way."""
        text = hostile.text
        email = f"h{count}@example.com"
        answer = self._post("/v1/orders", _new_order(text, f"{text[:60]}@example.com"), {
            "customer.email": email, "items.0.name": PLAIN,
        })  # fmt: skip
        number = answer["number"]
        self.numbers.append(number)
        named = Purchase(f"H{count}", amount=2400, reference=number, customer=text, email=email)
        self.webhook(named.completed(created=_now()))
        unnamed = Purchase(
            f"U{count}", customer=text, email=f"u{count}@example.com", lines=((text, 1, 3905),)
        )
        self.webhook((unnamed.failed if count % 2 else unnamed.completed)(created=_now()))
        if count % 4 == 0:
            self.webhook(named.refund(100, created=_now()))
        self._fulfilment(count, number, text)
        said = {"type": "custom.hostile", "level": "error", "message": text[:_TEXT], "order": number,
                "dedupe_key": text[:_KEY]}  # fmt: skip
        self._post("/v1/activity", said, {"message": PLAIN})

    def _fulfilment(self, count: int, number: str, text: str) -> None:
        path = f"/v1/orders/{number}/fulfilment"
        line, reason = text[:_LINE], text[:_TEXT]
        self._post(path, {"status": "submitted", "provider": line, "provider_order_id": line})
        url = f"https://track.example/{text[:200]}"
        shipped = {"status": "shipped", "carrier": line, "tracking_number": line, "tracking_url": url}
        after = (
            {"status": "failed", "reason": reason, "provider": line},
            shipped,
            {"status": "cancelled", "reason": reason},
        )
        self._post(path, after[count % len(after)])

    def webhook(self, event: dict[str, Any]) -> None:
        """Deliver an event, signed now; halves of characters travel as JSON's escapes."""
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(body, self.secret, _now()),
        }
        answer = self.http.post("/webhooks/stripe", content=body, headers=headers)
        assert answer.status_code == 200 or len(body) > 200_000, answer.text

    def settings(self, names: Sequence[str], strings: Sequence[Hostile]) -> None:
        """Put every string into these settings; what the server takes of the last ones stays."""
        headers = {"Authorization": f"Bearer {self.owner}", "Content-Type": "application/json"}
        for name in names:
            for hostile in (*strings, MARKUP):
                body = json.dumps({"value": hostile.text[:80]})
                answer = self.http.put(f"/v1/settings/{name}", content=body.encode(), headers=headers)
                assert answer.status_code in (200, 400, 413, 422), (name, answer.status_code, answer.text)

    def staff(self, name: str, email: str, role: str = "support") -> str:
        """Somebody of this name, or as much of it as the server takes: the name."""
        body = {"email": email, "name": name, "role": role}
        told: str = self._post("/v1/users", body, {"name": PLAIN}, token=self.owner)["name"]
        return told

    def _post(
        self,
        path: str,
        body: dict[str, Any],
        instead: dict[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Ask; leave out, or replace by what must be there, what the answer says is wrong."""
        headers = {"Authorization": f"Bearer {token or self.program}", "Content-Type": "application/json"}
        answer = None
        for _ in range(_TRIES):
            answer = self.http.post(path, content=json.dumps(body).encode(), headers=headers)
            if answer.status_code in (200, 201):
                told: dict[str, Any] = answer.json()
                return told
            assert answer.status_code in (400, 413, 422), (path, answer.status_code, answer.text)
            wrong = [item["field"] for item in answer.json().get("fields") or []]
            body = _without(body, wrong, instead or {}) if wrong else _mended(body)
        raise AssertionError((path, answer and answer.text))


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


def _new_order(text: str, email: str) -> dict[str, Any]:
    line = text[:_LINE]
    address = dict.fromkeys(("name", "line1", "line2", "city", "postal_code", "state"), line)
    return {
        "customer": {"email": email, "name": line, "phone": text[:_PHONE], "address": address},
        "items": [
            {"name": line, "quantity": 1, "unit_price": 2400, "product_id": text[:_PRODUCT]},
            {"name": line, "quantity": 2, "unit_price": 1},
        ],
        "currency": "GBP",
    }


def _without(body: dict[str, Any], wrong: Sequence[str], instead: dict[str, str]) -> dict[str, Any]:
    """The body without the fields at these places (``items.0.name``)."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    for place in wrong:
        *above, last = place.split(".")
        part: Any = copy
        for step in above:
            part = part[int(step) if step.isdigit() else step]
        if place in instead or (last == "name" and "items" in above):
            part[last] = instead.get(place, PLAIN)
        else:
            del part[last]
    return copy


def _mended(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what strict JSON refuses anywhere: NUL and halves of characters."""

    def mend(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: mend(part) for name, part in value.items()}
        if isinstance(value, list):
            return [mend(part) for part in value]
        if isinstance(value, str):
            return value.replace("\0", "").encode("utf-8", "replace").decode() or PLAIN
        return value

    mended: dict[str, Any] = mend(body)
    return mended
