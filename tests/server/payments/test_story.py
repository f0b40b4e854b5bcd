"""The story of an order as its timeline tells it, from signed webhooks and the shop's own program."""

from __future__ import annotations

from typing import Any

from tests.server.payments.desk import Desk
from tests.support.stripe_events import AT, Purchase


def step(desk: Desk, number: str, status: str, **details: Any) -> None:
    answer = desk.http.post(
        f"/v1/orders/{number}/fulfilment",
        json={"status": status, **details},
        headers=desk.staff.bearer("storefront"),
    )
    assert answer.status_code == 200, answer.text
    desk.clock.advance(60_000)


def story(desk: Desk, number: str) -> list[str]:
    answer = desk.http.get(f"/v1/orders/{number}/timeline", headers=desk.staff.bearer("support"))
    assert answer.status_code == 200, answer.text
    return [entry["message"] for entry in answer.json()["items"]]


def test_from_the_payment_to_the_door(desk: Desk) -> None:
    number = desk.order()["number"]
    buys = Purchase(reference=number)
    desk.tell(buys.completed(created=AT - 60))
    step(
        desk, number, "failed", provider="Printify", reason="variant out of stock", attempt=1, max_attempts=3
    )
    step(desk, number, "submitted", provider_order_id="PFY-12345", attempt=2, max_attempts=3)
    step(desk, number, "processing")
    step(desk, number, "shipped", carrier="DHL", tracking_number="JD0146")
    step(desk, number, "delivered")
    desk.tell(buys.refund(1000, created=AT + 280), buys.refund(4300, created=AT + 290))
    assert story(desk, number) == [
        "Order placed — £43.00 via Stripe",
        "Submission to Printify failed: variant out of stock",
        "Submission retried — attempt 2 of 3",
        "Submitted to Printify (PFY-12345)",
        "In production at Printify",
        "Shipped via DHL — tracking: JD0146",
        "Delivered",
        "Refunded £10.00 of £43.00",
        "Refunded £43.00",
    ]


def test_when_money_goes_wrong(desk: Desk) -> None:
    number = desk.order()["number"]
    first = Purchase("first", reference=number)
    desk.tell(first.awaiting(created=AT - 9), first.failed(created=AT - 8))
    desk.tell(Purchase("second", reference=number, amount=5000).completed(created=AT - 7))
    desk.tell(Purchase("third", reference=number).completed(created=AT - 6))
    step(desk, number, "cancelled")
    assert story(desk, number) == [
        "Order placed — £43.00 via Stripe",
        "Payment of £43.00 via Stripe failed",
        "Payment received — £50.00 via Stripe",
        "Paid £50.00, but the order is £43.00",
        "Paid a second time — £43.00 via Stripe",
        "Order cancelled",
    ]
    pulse = desk.http.get("/v1/pulse", headers=desk.staff.bearer("support")).json()
    assert pulse["attention"] == 4


def test_yen_and_a_step_of_which_little_is_known(desk: Desk) -> None:
    desk.tell(Purchase(amount=1200, currency="jpy", shipping=None).completed())
    number = desk.only_order()["number"]
    step(desk, number, "failed")
    step(desk, number, "submitted", attempt=2)
    step(desk, number, "shipped")
    assert story(desk, number) == [
        "Order placed — ¥1,200 via Stripe",
        "Submission failed",
        "Submission retried — attempt 2",
        "Submitted",
        "Shipped",
    ]
