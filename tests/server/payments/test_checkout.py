"""Sessions at the payment page, from the signed webhook to the order and its story."""

from __future__ import annotations

from typing import Any

import pytest

from server.inbox.service import WAITS, prune, run_due
from server.kit.clock import DAY, HOUR
from server.kit.db import Store
from tests.server.payments.desk import Desk
from tests.support.hostile import SHORT
from tests.support.stripe_events import AT, Purchase, event

COMPLETED = "checkout.session.completed"


class TestAKnownOrder:
    @pytest.mark.parametrize("by", ["client_reference_id", "metadata", "id", "small letters"])
    def test_it_is_paid_whatever_it_is_named_by(self, desk: Desk, by: str) -> None:
        made = desk.order()
        buys = {
            "client_reference_id": Purchase(reference=made["number"]),
            "metadata": Purchase(metadata={"order_number": made["number"]}),
            "id": Purchase(reference=made["id"]),
            "small letters": Purchase(reference=f" {made['number'].lower()} "),
        }[by]
        desk.tell(buys.completed())
        paid = desk.only_order()
        assert paid["id"] == made["id"]
        assert paid["payment_status"] == "paid"
        assert paid["times"]["paid_at"] == "2026-02-23T10:00:00.000Z"
        assert desk.entries() == [("order.created", made["id"])]
        params = desk.entry("order.created").params
        assert params == {
            "amount": {"amount": 4300, "currency": "GBP"},
            "via": "Stripe",
            "mode": "live",
        }

    def test_metadata_is_asked_when_the_reference_is_the_shops_own(self, desk: Desk) -> None:
        made = desk.order()
        desk.tell(Purchase(reference="cart-77", metadata={"order_number": made["number"]}).completed())
        assert desk.only_order()["payment_status"] == "paid"

    def test_another_amount_pays_it_and_warns(self, desk: Desk) -> None:
        made = desk.order()
        desk.tell(Purchase(reference=made["number"], amount=5000).completed())
        paid = desk.only_order()
        assert (paid["payment_status"], paid["total"]["amount"]) == ("paid", 4300)
        assert desk.types() == ["order.created", "order.amount_mismatch"]

    def test_an_address_asked_for_at_the_page_is_kept(self, desk: Desk) -> None:
        made = desk.order()
        desk.tell(Purchase(reference=made["number"]).completed())
        assert desk.only_order()["address"]["line1"] == "1 Sock Lane"

    def test_an_address_the_order_has_stays(self, desk: Desk) -> None:
        made = desk.order(customer={"email": "mary@example.com", "address": {"line1": "2 Other Street"}})
        desk.tell(Purchase(reference=made["number"]).completed())
        assert desk.only_order()["address"]["line1"] == "2 Other Street"

    def test_paid_at_two_sessions_warns(self, desk: Desk) -> None:
        made = desk.order()
        desk.tell(Purchase("A", reference=made["number"]).completed())
        desk.tell(Purchase("B", reference=made["number"]).completed())
        assert desk.only_order()["payment_status"] == "paid"
        assert desk.types() == ["order.created", "order.paid_again"]


class TestAnUnknownOrder:
    def test_it_is_made_from_what_the_session_says(self, desk: Desk) -> None:
        desk.tell(Purchase(lines=(("Wool socks", 2, 1200), ("Sock bag", 1, 1505))).completed())
        made = desk.only_order()
        assert made["number"] == "SS-260223-0001"
        assert made["payment_status"] == "paid"
        assert made["total"] == {"amount": 4300, "currency": "GBP"}
        assert made["shipping"] == {"amount": 395, "currency": "GBP"}
        assert [
            (i["name"], i["quantity"], i["unit_price"]["amount"], i["product_id"]) for i in made["items"]
        ] == [
            ("Wool socks", 2, 1200, "prod_1"),
            ("Sock bag", 1, 1505, "prod_2"),
        ]
        customer = made["customer"]
        assert (customer["email"], customer["name"], customer["phone"]) == (
            "mary@example.com",
            "Mary Example",
            "+442079460018",
        )
        assert made["address"] == {
            "name": "Mary Example",
            "line1": "1 Sock Lane",
            "line2": None,
            "city": "London",
            "postal_code": "E1 6AN",
            "state": None,
            "country": "GB",
        }
        assert desk.entries() == [("order.created", made["id"])]

    def test_without_lines_it_has_one(self, desk: Desk) -> None:
        desk.tell(Purchase().completed())
        [line] = desk.only_order()["items"]
        assert (line["quantity"], line["unit_price"]["amount"]) == (1, 3905)

    def test_a_reference_nobody_knows_makes_a_new_one(self, desk: Desk) -> None:
        desk.tell(Purchase(reference="SS-200101-0001").completed())
        assert desk.only_order()["number"] == "SS-260223-0001"

    def test_the_same_customer_is_found_again(self, desk: Desk) -> None:
        desk.tell(Purchase("A").completed(), Purchase("B", email="MARY@example.com").completed())
        rows = desk.http.get("/v1/orders", headers=desk.staff.bearer("owner")).json()["items"]
        assert len({row["customer"]["id"] for row in rows}) == 1

    @pytest.mark.parametrize("payment_status", ["paid", "no_payment_required"])
    def test_nothing_to_pay_is_paid(self, desk: Desk, payment_status: str) -> None:
        buys = Purchase(amount=0, shipping=None)
        desk.tell(buys.completed(payment_status=payment_status, payment_intent=None))
        made = desk.only_order()
        assert (made["payment_status"], made["total"]["amount"]) == ("paid", 0)

    def test_yen_are_whole(self, desk: Desk) -> None:
        desk.tell(Purchase(amount=1200, currency="jpy", shipping=200).completed())
        assert desk.only_order()["total"] == {"amount": 1200, "currency": "JPY"}
        assert desk.entry("order.created").params["amount"] == {"amount": 1200, "currency": "JPY"}

    def test_a_price_in_parts_of_a_penny_stays_exact(self, desk: Desk) -> None:
        told = Purchase(lines=(("Sock", 3, 100),)).completed()
        line = told["data"]["object"]["line_items"]["data"][0]
        line["price"]["unit_amount"] = None
        line["amount_subtotal"] = 100
        desk.tell(told)
        [made] = desk.only_order()["items"]
        assert (made["name"], made["quantity"], made["unit_price"]["amount"]) == ("3 of Sock", 1, 100)

    def test_where_older_versions_say_the_address(self, desk: Desk) -> None:
        old = {"name": "Mo", "address": {"line1": "3 Old Road", "country": "gb"}}
        desk.tell(Purchase().completed(collected_information=None, shipping_details=old))
        address = desk.only_order()["address"]
        assert (address["name"], address["line1"], address["country"]) == ("Mo", "3 Old Road", None)

    @pytest.mark.parametrize(
        "changed",
        [
            {"customer_details": None},
            {"customer_details": {"email": "no address"}},
            {"customer_details": {"email": 7, "name": ["x"]}},
            {"customer_details": "mary"},
            {"collected_information": None},
            {"collected_information": {"shipping_details": {"address": 5}}},
            {"shipping_cost": {"amount_total": -1}},
            {"shipping_cost": None},
            {"line_items": {"data": [{"description": "half a line"}]}},
            {"line_items": {"data": "x"}},
            {"metadata": None},
            {"metadata": ["order_number"]},
            {"client_reference_id": 5},
            {"payment_intent": {"id": "pi_1", "object": "payment_intent"}},
            {"payment_intent": None},
        ],
    )
    def test_what_only_describes_never_keeps_a_payment_from_being_seen(
        self, desk: Desk, changed: dict[str, Any]
    ) -> None:
        desk.tell(Purchase().completed(**changed))
        made = desk.only_order()
        assert (made["payment_status"], made["total"]["amount"]) == ("paid", 4300)

    def test_strange_names_are_kept_as_far_as_they_can_be(self, desk: Desk) -> None:
        for number, hostile in enumerate(SHORT):
            buys = Purchase(f"h{number}", customer=hostile.text, email=f"h{number}@example.com")
            desk.tell(buys.completed(), buys.refund(4300))
            rows = desk.http.get("/v1/orders?limit=1", headers=desk.staff.bearer("owner")).json()["items"]
            made = desk.get(rows[0]["id"])
            assert made["customer"]["email"] == f"h{number}@example.com", hostile.name
            assert made["payment_status"] == "refunded", hostile.name
            name = made["customer"]["name"]
            if name is None:
                assert not hostile.text.strip(), hostile.name
            else:
                assert "\0" not in name
                assert len(name) <= 255
                assert name == hostile.text.strip() or "\ufffd" in name or name.endswith("…"), hostile.name
        assert {state for _, state in desk.inbox()} == {"done"}
        assert desk.types() == ["order.created", "order.refunded"] * len(SHORT)


class TestMoneyThatComesLater:
    def test_placed_then_paid(self, desk: Desk) -> None:
        buys = Purchase()
        desk.tell(buys.awaiting())
        assert desk.only_order()["payment_status"] == "pending"
        desk.tell(buys.succeeded(created=AT + 1))
        assert desk.only_order()["payment_status"] == "paid"
        assert desk.types() == ["order.created", "order.paid"]

    def test_placed_then_failed(self, desk: Desk) -> None:
        buys = Purchase()
        desk.tell(buys.awaiting(), buys.failed())
        made = desk.only_order()
        assert (made["payment_status"], made["attention"]) == ("failed", 1)
        assert desk.types() == ["order.created", "order.payment_failed"]

    def test_the_money_is_told_before_the_placing(self, desk: Desk) -> None:
        buys = Purchase()
        desk.tell(buys.succeeded(created=AT), buys.awaiting(created=AT - DAY // 1000))
        assert desk.only_order()["payment_status"] == "paid"
        assert sorted(desk.types()) == ["order.created", "order.paid"]
        placed, paid = desk.entry("order.created"), desk.entry("order.paid")
        assert paid.occurred_at - placed.occurred_at == DAY


class TestToldTwice:
    def test_the_same_event(self, desk: Desk) -> None:
        told = Purchase().completed(event_id="evt_1")
        desk.tell(told, told, told)
        assert desk.only_order()["payment_status"] == "paid"
        assert desk.types() == ["order.created"]
        assert desk.inbox() == [(COMPLETED, "done")]

    def test_the_same_session_under_another_event(self, desk: Desk) -> None:
        buys = Purchase()
        desk.tell(buys.completed(), buys.completed())
        assert desk.only_order()["payment_status"] == "paid"
        assert desk.types() == ["order.created"]
        assert desk.inbox() == [(COMPLETED, "done")] * 2

    def test_long_after_its_body_went(self, desk: Desk, store: Store) -> None:
        told = Purchase().completed(event_id="evt_1")
        desk.tell(told)
        desk.clock.advance(40 * DAY)
        assert prune(store) == 1
        desk.tell(told)
        desk.only_order()
        assert desk.types() == ["order.created"]


class TestTimes:
    def test_a_late_event_keeps_when_it_happened(self, desk: Desk) -> None:
        desk.tell(Purchase().completed(created=AT - 2 * 86_400))
        entry = desk.entry("order.created")
        assert entry.occurred_at == (AT - 2 * 86_400) * 1000
        assert entry.inserted_at == desk.clock.now()
        assert desk.only_order()["times"]["paid_at"] == "2026-02-21T10:00:00.000Z"

    @pytest.mark.parametrize("created", [AT + 301, AT + 10**6, 2**53, 2**62])
    def test_a_time_in_the_future_becomes_that_of_receipt(self, desk: Desk, created: int) -> None:
        desk.tell(Purchase().completed(created=created))
        entry = desk.entry("order.created")
        assert entry.occurred_at == desk.clock.now()
        assert entry.params["sent_at"] == created
        assert desk.only_order()["times"]["paid_at"] == "2026-02-23T10:00:00.000Z"

    def test_five_minutes_ahead_are_believed(self, desk: Desk) -> None:
        desk.tell(Purchase().completed(created=AT + 300))
        assert desk.entry("order.created").occurred_at == (AT + 300) * 1000

    @pytest.mark.parametrize("created", [None, "2026-02-23T10:00:00Z", -5, 1.5, True])
    def test_no_time_is_that_of_receipt(self, desk: Desk, created: Any) -> None:
        desk.tell(Purchase().completed(created=created))
        assert desk.entry("order.created").occurred_at == desk.clock.now()


def test_test_mode_is_told(desk: Desk) -> None:
    desk.tell(Purchase(livemode=False).completed())
    assert desk.entry("order.created").params["mode"] == "test"


def test_an_expired_session_is_kept_for_later_and_changes_nothing(desk: Desk) -> None:
    made = desk.order()
    desk.tell(Purchase(reference=made["number"]).expired(), Purchase("B").expired())
    assert desk.only_order() == desk.get(made["id"])
    assert desk.only_order()["payment_status"] == "pending"
    assert desk.types() == []
    assert desk.inbox() == [("checkout.session.expired", "done")] * 2


def test_a_card_that_was_only_kept_makes_no_order(desk: Desk) -> None:
    desk.tell(
        Purchase().completed(
            mode="setup", amount_total=None, currency=None, payment_status="no_payment_required"
        )
    )
    assert desk.counts()["all"] == 0
    assert desk.inbox() == [(COMPLETED, "ignored")]


@pytest.mark.parametrize("kind", ["customer.created", "v2.core.account.created", "made.up", "x" * 100])
def test_unknown_types_are_kept_and_ignored(desk: Desk, kind: str) -> None:
    desk.tell(event(kind, {"id": "thing_1", "object": "thing", "new": {"shape": [1, 2.5, None]}}))
    assert desk.inbox() == [(kind, "ignored")]
    assert desk.types() == []


def test_a_session_that_does_not_say_how_much_is_tried_again_then_told(desk: Desk, store: Store) -> None:
    desk.tell(Purchase().completed(amount_total=None))
    assert desk.inbox() == [(COMPLETED, "failed")]
    assert desk.counts()["all"] == 0
    for wait in WAITS:
        assert desk.types() == []
        desk.clock.advance(wait)
        run_due(store)
    assert desk.inbox() == [(COMPLETED, "dead")]
    entry = desk.entry("webhook.failed")
    assert entry.level == "error"
    assert entry.params["event_type"] == COMPLETED
    assert "mary" not in str(entry._mapping)


@pytest.mark.parametrize("amount", [-1, 10**13, "4300", 43.0, True])
def test_an_amount_that_cannot_be_is_no_payment(desk: Desk, amount: Any) -> None:
    desk.tell(Purchase().completed(amount_total=amount))
    assert desk.counts()["all"] == 0
    assert desk.inbox() == [(COMPLETED, "failed")]


def test_a_failure_that_passes_loses_nothing(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("server.orders.making.next_number", lambda _tx: 1 // 0)
        desk.tell(Purchase().completed())
    assert desk.inbox() == [(COMPLETED, "failed")]
    assert desk.counts()["all"] == 0
    desk.clock.advance(HOUR)
    assert run_due(store) == 1
    made = desk.only_order()
    assert made["payment_status"] == "paid"
    assert made["times"]["paid_at"] == "2026-02-23T10:00:00.000Z"
    assert desk.types() == ["order.created"]
