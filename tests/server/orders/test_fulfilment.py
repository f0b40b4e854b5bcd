"""Steps of fulfilment: each stamped once, each told once, none that the state forbids."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.orders import FulfilmentStep
from server.kit import topics
from server.kit.clock import MINUTE, FrozenClock, instant
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.orders import service as orders
from server.orders.states import STEPS, may_step
from tests.server.orders.shop import Shop, caller


def test_the_whole_way(shop: Shop, clock: FrozenClock) -> None:
    made = shop.pay(shop.order())
    steps: list[tuple[str, dict[str, Any]]] = [
        ("submitted", {"provider": "Printify", "provider_order_id": "PFY-12345"}),
        ("processing", {}),
        (
            "shipped",
            {"carrier": "DHL", "tracking_number": "JD01", "tracking_url": "https://dhl.example/JD01"},
        ),
        ("delivered", {}),
    ]
    stamps = []
    for status, details in steps:
        clock.advance(MINUTE)
        stamps.append(instant(clock.now()))
        made = shop.step(made.number, status, **details)
        assert made.fulfilment_status == status
    times = made.times
    assert [times.submitted_at, times.processing_at, times.shipped_at, times.delivered_at] == stamps
    assert (made.provider, made.provider_order_id) == ("Printify", "PFY-12345")
    assert (made.carrier, made.tracking_number, made.tracking_url) == (
        "DHL",
        "JD01",
        "https://dhl.example/JD01",
    )
    assert shop.entries(made) == [
        "order.created",
        "order.submitted",
        "order.production",
        "order.shipped",
        "order.delivered",
    ]
    assert shop.entry(made, "order.submitted").params == {
        "provider": "Printify",
        "provider_order_id": "PFY-12345",
    }
    assert shop.entry(made, "order.shipped").params == {
        "carrier": "DHL",
        "tracking_number": "JD01",
        "tracking_url": "https://dhl.example/JD01",
        "provider": "Printify",
    }


@pytest.mark.parametrize("status", STEPS)
def test_the_same_status_again_is_no_step(shop: Shop, clock: FrozenClock, status: str) -> None:
    made = shop.step(shop.order().id, status)
    entries = shop.entries(made)
    clock.advance(MINUTE)
    again = shop.step(made.id, status)
    assert again == made
    assert shop.entries(made) == entries
    assert len(entries) == 1


def test_details_that_come_later_are_kept_without_an_entry(shop: Shop) -> None:
    made = shop.step(shop.order().id, "shipped", carrier="DHL")
    made = shop.step(made.id, "shipped", carrier="UPS", tracking_number="JD01")
    assert (made.carrier, made.tracking_number) == ("DHL", "JD01")
    assert shop.entries(made) == ["order.shipped"]


def test_steps_may_be_left_out(shop: Shop) -> None:
    made = shop.step(shop.order().id, "shipped")
    assert made.times.submitted_at is None
    assert shop.entries(made) == ["order.shipped"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("shipped", "submitted"),
        ("delivered", "cancelled"),
        ("delivered", "failed"),
        ("shipped", "failed"),
        ("cancelled", "shipped"),
        ("cancelled", "failed"),
    ],
)
def test_a_step_that_the_state_forbids_changes_nothing(shop: Shop, first: str, then: str) -> None:
    made = shop.step(shop.order().id, first)
    with pytest.raises(ProblemError) as refused:
        shop.step(made.id, then, tracking_number="X")
    assert (refused.value.status, refused.value.code) == (409, "invalid_transition")
    assert shop.get(made.id) == made
    assert len(shop.entries(made)) == 1


def test_a_failure_is_told_with_its_reason_apart(shop: Shop) -> None:
    made = shop.step(shop.order().id, "failed", provider="Printify", reason="variant out of stock")
    assert (made.fulfilment_status, made.problem) == ("failed", "variant out of stock")
    entry = shop.entry(made, "order.submission_failed")
    assert entry.level == "error"
    assert "stock" not in str(entry._mapping)
    assert shop.texts(made) == ["variant out of stock"]


def test_a_failure_without_words_still_says_what_is_wrong(shop: Shop) -> None:
    assert shop.step(shop.order().id, "failed").problem == "Submission failed"


def test_failed_retried_and_submitted_all_stand(shop: Shop, clock: FrozenClock) -> None:
    made = shop.order()
    failed_at = instant(clock.now())
    shop.step(made.id, "failed", provider="Printify", reason="out of stock", attempt=1, max_attempts=3)
    clock.advance(MINUTE)
    shop.step(made.id, "failed", reason="out of stock", attempt=2, max_attempts=3)
    clock.advance(MINUTE)
    made = shop.step(made.id, "submitted", provider_order_id="PFY-1", attempt=3, max_attempts=3)
    assert shop.entries(made) == [
        "order.submission_failed",
        "order.submission_failed",
        "order.submission_retried",
        "order.submitted",
    ]
    assert shop.entry(made, "order.submission_retried").params == {
        "provider": "Printify",
        "attempt": 3,
        "max_attempts": 3,
    }
    assert made.problem is None
    assert made.times.failed_at == failed_at  # stamped once
    assert shop.texts(made) == ["out of stock", "out of stock"]


@pytest.mark.parametrize(
    ("again", "entries"),
    [
        ({"reason": "no paper", "attempt": 1}, 1),
        ({"reason": "no paper"}, 1),
        ({}, 1),
        ({"reason": "no ink", "attempt": 1}, 2),
        ({"reason": "no ink"}, 2),
        ({"reason": "no paper", "attempt": 2}, 2),
        ({"attempt": 2}, 2),
    ],
)
def test_a_failure_told_again_is_new_only_with_another_reason_or_attempt(
    shop: Shop, again: dict[str, Any], entries: int
) -> None:
    made = shop.step(shop.order().id, "failed", reason="no paper", attempt=1)
    shop.step(made.id, "failed", **again)
    assert shop.entries(made) == ["order.submission_failed"] * entries


@pytest.mark.parametrize("through", ["submitted", "processing", "shipped"])
def test_what_failed_and_went_through_needs_nobody_any_more(shop: Shop, through: Any) -> None:
    made = shop.step(shop.order().id, "failed", reason="no paper")
    assert made.attention == 1
    assert shop.step(made.id, through).attention == 0


def test_what_failed_and_is_given_up_stays_open(shop: Shop) -> None:
    made = shop.step(shop.order().id, "failed", reason="no paper")
    assert shop.step(made.id, "cancelled").attention == 2


def test_the_same_failure_after_a_success_is_a_new_one(shop: Shop) -> None:
    made = shop.step(shop.order().id, "failed", reason="no paper")
    shop.step(made.id, "submitted")
    shop.step(made.id, "failed", reason="no paper")
    assert shop.entries(made).count("order.submission_failed") == 2
    assert "order.submission_retried" not in shop.entries(made)  # no attempt was named


def test_cancelling_is_a_warning(shop: Shop) -> None:
    made = shop.step(shop.order().id, "cancelled", reason="customer asked")
    assert shop.entry(made, "order.cancelled").level == "warning"
    assert made.attention == 1
    assert made.times.cancelled_at is not None


class TestTimes:
    def test_a_step_keeps_when_it_happened(self, shop: Shop) -> None:
        made = shop.step(shop.order().id, "shipped", occurred_at="2026-02-22T23:00:00+02:00")
        assert made.times.shipped_at is not None
        assert made.times.shipped_at.isoformat() == "2026-02-22T21:00:00+00:00"
        entry = shop.entry(made, "order.shipped")
        assert entry.occurred_at == entry.inserted_at - 13 * 60 * MINUTE

    def test_a_little_ahead_is_believed(self, shop: Shop) -> None:
        made = shop.step(shop.order().id, "shipped", occurred_at="2026-02-23T10:05:00Z")
        assert made.fulfilment_status == "shipped"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("2026-02-23T10:05:00.001Z", "occurred_at_in_future"),
            ("2026-02-23T10:00:00", "invalid_request"),
            ("2026-02-30T10:00:00Z", "invalid_request"),
            ("yesterday", "invalid_request"),
            ("", "invalid_request"),
        ],
    )
    def test_what_cannot_be_is_refused(self, shop: Shop, text: str, code: str) -> None:
        made = shop.order()
        with pytest.raises(ProblemError) as refused:
            shop.step(made.id, "shipped", occurred_at=text)
        assert (refused.value.status, refused.value.code) == (422, code)
        assert shop.get(made.id) == made


def test_who_did_it_is_kept(shop: Shop, store: Store) -> None:
    made = shop.step(shop.order().id, "submitted")
    step = FulfilmentStep(status="shipped")
    program = orders.actor_of(caller("storefront"))
    store.write(lambda tx: orders.fulfil(tx, made.id, step, actor=program))
    person, machine = shop.entry(made, "order.submitted"), shop.entry(made, "order.shipped")
    assert (person.actor_kind, person.actor_user_id) == ("staff", "u1")
    assert (machine.actor_kind, machine.actor_user_id) == ("system", None)


@pytest.mark.parametrize("status", ["shipped", "failed"])
def test_told_by_many_at_once_it_is_one_step(shop: Shop, status: Any) -> None:
    made = shop.order()
    gate = threading.Barrier(6)
    problems: list[Exception] = []

    def one() -> None:
        try:
            gate.wait(10)
            shop.step(made.id, status, reason="no yarn")
        except Exception as problem:  # noqa: BLE001 - shown below
            problems.append(problem)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems
    assert len(shop.entries(made)) == 1


def test_an_unknown_order_cannot_take_a_step(shop: Shop) -> None:
    with pytest.raises(ProblemError, match="not_found"):
        shop.step("SS-260223-0009", "shipped")


def test_a_step_moves_the_topic_and_no_step_does_not(shop: Shop, store: Store) -> None:
    made = shop.order()
    shop.step(made.id, "shipped")
    before = store.read(topics.counters)["orders"]
    shop.step(made.id, "shipped")
    assert store.read(topics.counters)["orders"] == before == 2


@given(st.lists(st.sampled_from(STEPS), max_size=12))
def test_whatever_is_told_ends_where_the_rules_lead(steps: list[Any]) -> None:
    status: Any = "unfulfilled"
    seen = {status}
    for step in steps:
        if may_step(status, step):
            assert status not in ("delivered", "cancelled")
            assert step != status
            status = step
            seen.add(status)
    assert not ({"delivered", "cancelled"} <= seen)
