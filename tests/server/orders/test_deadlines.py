"""The event that did not happen: expected by, told once when it is late, closed by itself when it comes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.activity import service as activity
from server.contract.orders import Order
from server.kit.clock import DAY, HOUR, MINUTE, FrozenClock, instant
from server.kit.db import Store
from server.orders import deadlines
from server.orders import service as orders
from server.orders.payment import Refund
from server.settings import service as settings
from tests.server.orders.shop import Shop, caller


@pytest.fixture
def provided(store: Store) -> Store:
    """A shop whose orders go to a provider."""
    store.write(lambda tx: settings.set_value(tx, "fulfilment.provider", "printify"))
    return store


def open_entries(store: Store) -> int:
    return store.read(activity.attention_count)


def test_each_state_expects_its_successor(provided: Store, shop: Shop, clock: FrozenClock) -> None:
    made = shop.pay(shop.order())
    for status, label, time in (
        ("submitted", "submitted", 30 * MINUTE),
        ("processing", "in production", 24 * HOUR),
        ("shipped", "shipped", 120 * HOUR),
        ("delivered", "delivered", 21 * DAY),
    ):
        next_step = made.expected
        assert next_step is not None
        assert (next_step.status, next_step.label, next_step.overdue) == (status, label, False)
        assert next_step.by == instant(clock.now() + time)
        clock.advance(MINUTE)
        made = shop.step(made.id, status)
    assert made.expected is None


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_nothing_is_expected_of_an_order_that_failed_or_was_cancelled(
    provided: Store, shop: Shop, status: str
) -> None:
    assert shop.step(shop.pay(shop.order()).id, status).expected is None


def test_nothing_is_expected_of_an_order_that_is_not_paid(
    provided: Store, shop: Shop, clock: FrozenClock
) -> None:
    made = shop.order()
    clock.advance(365 * DAY)
    assert shop.get(made.id).expected is None
    assert deadlines.tell_overdue(provided) == 0


def test_a_shop_without_a_provider_ships_by_hand(store: Store, shop: Shop, clock: FrozenClock) -> None:
    made = shop.pay(shop.order())
    assert made.expected is not None
    assert (made.expected.status, made.expected.by) == ("shipped", instant(clock.now() + 120 * HOUR))


def test_a_late_order_is_told_once_and_closes_by_itself(
    provided: Store, shop: Shop, clock: FrozenClock
) -> None:
    made = shop.pay(shop.order())
    clock.advance(30 * MINUTE - 1)
    assert deadlines.tell_overdue(provided) == 0
    clock.advance(1)
    assert deadlines.tell_overdue(provided) == 1
    assert deadlines.tell_overdue(provided) == 0
    late = shop.get(made.id)
    assert late.attention == 1
    assert late.expected is not None
    assert late.expected.overdue
    assert "Submission was expected by 2026-02-23 10:30 UTC and has not come" in sentences(provided, made)

    clock.advance(2 * HOUR)
    shop.step(made.id, "submitted")
    assert shop.get(made.id).attention == 0
    assert open_entries(provided) == 0
    assert "Submission came, late by 2 h" in sentences(provided, made)
    closed = shop.entry(made, "order.overdue")
    assert (closed.resolved_at, closed.resolved_by) == (clock.now(), None)
    assert deadlines.tell_overdue(provided) == 0


def test_a_later_step_closes_it_too_and_an_earlier_one_does_not(
    provided: Store, shop: Shop, clock: FrozenClock
) -> None:
    first, second = shop.pay(shop.order()), shop.pay(shop.order())
    shop.step(first.id, "submitted")
    shop.step(second.id, "submitted")
    clock.advance(25 * HOUR)
    assert deadlines.tell_overdue(provided) == 2
    shop.step(first.id, "shipped")
    assert (shop.get(first.id).attention, shop.get(second.id).attention) == (0, 1)
    assert "Production came, late by 1 h" in sentences(provided, first)
    clock.advance(200 * HOUR)
    assert deadlines.tell_overdue(provided) == 0, "what is overdue already is not told again"


def test_what_was_resolved_by_hand_still_says_how_late_it_came(
    provided: Store, shop: Shop, clock: FrozenClock
) -> None:
    made = shop.pay(shop.order())
    clock.advance(HOUR)
    deadlines.tell_overdue(provided)
    provided.write(lambda tx: activity.resolve_order(tx, made.id, caller()))
    clock.advance(DAY)
    assert deadlines.tell_overdue(provided) == 0
    shop.step(made.id, "submitted")
    assert "Submission came, late by 24 h" in sentences(provided, made)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_order_that_failed_or_was_cancelled_is_not_overdue_any_more(
    provided: Store, shop: Shop, clock: FrozenClock, status: str
) -> None:
    made = shop.pay(shop.order())
    clock.advance(HOUR)
    deadlines.tell_overdue(provided)
    shop.step(made.id, status)
    assert shop.entry(made, "order.overdue").resolved_at == clock.now()
    assert "order.came_late" not in shop.entries(made)


def test_an_order_whose_money_went_back_is_not_overdue_any_more(
    provided: Store, shop: Shop, clock: FrozenClock
) -> None:
    made = shop.pay(shop.order())
    clock.advance(HOUR)
    deadlines.tell_overdue(provided)
    money = Refund("Stripe", "re_1", made.total.amount, made.total.amount, "GBP", clock.now())
    provided.write(lambda tx: orders.mark_refunded(tx, made.id, money))
    assert shop.entry(made, "order.overdue").resolved_at == clock.now()
    assert shop.get(made.id).expected is None


def test_several_late_orders_are_one_thing_to_look_at(
    provided: Store, shop: Shop, clock: FrozenClock
) -> None:
    for _ in range(3):
        shop.pay(shop.order())
    clock.advance(HOUR)
    assert deadlines.tell_overdue(provided) == 3
    assert open_entries(provided) == 1


def test_zero_expects_nothing(provided: Store, shop: Shop, clock: FrozenClock) -> None:
    provided.write(lambda tx: settings.set_value(tx, "deadlines.submitted_minutes", "0"))
    made = shop.pay(shop.order())
    clock.advance(DAY)
    assert shop.get(made.id).expected is None
    assert deadlines.tell_overdue(provided) == 0


def test_ancient_history_is_not_told(provided: Store, shop: Shop, clock: FrozenClock) -> None:
    shop.pay(shop.order())
    clock.advance(30 * DAY + 31 * MINUTE)
    assert deadlines.tell_overdue(provided) == 0


def test_closing_that_fails_does_not_stand_in_the_way_of_the_step(
    provided: Store, shop: Shop, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shop.pay(shop.order())
    clock.advance(HOUR)
    deadlines.tell_overdue(provided)

    class Broken:
        def rows(self, *_: Any, **__: Any) -> None:
            raise RuntimeError

    monkeypatch.setattr("server.activity.resolution._SETTLE", Broken())
    assert shop.step(made.id, "submitted").fulfilment_status == "submitted"
    assert provided.drops.total == 1


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(0, "1 min"), (59 * MINUTE, "59 min"), (HOUR, "1 h"), (47 * HOUR, "47 h"), (50 * HOUR, "2 days")],
)
def test_a_length_of_time_in_words(milliseconds: int, said: str) -> None:
    assert deadlines.span(milliseconds) == said


def sentences(store: Store, made: Order) -> list[str]:
    found = store.read(lambda tx: activity.timeline(tx, made.id, caller()))
    return [str(json.loads(each)["message"]) for each in found]
