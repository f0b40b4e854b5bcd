"""Telling what happened: what is stored, what is refused, what is kept out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from server.activity import service as activity
from server.activity.intake import MAX_PARAMS, MAX_TEXT, REMOVED, OddEntryError, Subject, clean_params
from server.activity.models import activity as entry_table
from server.activity.models import activity_text
from server.activity.service import Actor, FeedQuery
from server.kit import topics
from server.kit.clock import DAY, HOUR, MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.tx import Tx
from server.orders.models import order
from tests.server.activity.making import GBP, OWNER, START, entries, feed, make_order, messages, told


def rows(store: Store) -> list[Any]:
    return store.read(lambda tx: list(tx.execute(select(entry_table).order_by(entry_table.c.seq))))


def test_what_nobody_says_is_filled_in(store: Store) -> None:
    told(store, "order.delivered")
    (row,) = rows(store)
    assert (row.level, row.category, row.internal, row.params) == ("info", "orders", 0, {})
    assert (row.occurred_at, row.inserted_at) == (START, START)
    assert (row.actor_kind, row.order_id, row.person_id, row.resolved_at) == ("system", None, None, None)
    assert store.read(topics.counters) == {"activity": 1}


def test_a_level_and_a_category_of_the_writer_win(store: Store) -> None:
    told(store, "custom.stock.low", level="warning", category="stock", texts={"message": "2 left"})
    (entry,) = feed(store, FeedQuery("attention"))
    assert (entry.level, entry.category, entry.label, entry.message) == (
        "warning",
        "stock",
        "Stock low",
        "2 left",
    )


def test_an_event_told_again_is_the_first_one(store: Store) -> None:
    first = told(store, "order.paid", params={"amount": GBP}, identity=("stripe", "evt_1"))
    again = told(store, "order.paid", params={"amount": {**GBP, "amount": 1}}, identity=("stripe", "evt_1"))
    assert again == first
    assert told(store, "order.paid", identity=("stripe", "evt_2")) != first
    assert told(store, "order.refunded", identity=("stripe", "evt_1")) != first, (
        "another type is another event"
    )
    assert len(rows(store)) == 3
    assert messages(store)[-1] == "Payment received — £43.00"


def test_told_again_in_one_transaction_and_the_parts_do_not_run_together(store: Store) -> None:
    def unit(tx: Tx) -> list[str | None]:
        return [
            activity.log(tx, "order.paid", identity=identity)
            for identity in (("a", "bc"), ("ab", "c"), ("a", "bc"), "abc", ["abc"])
        ]

    first, other, again, text, listed = store.write(unit)
    assert first == again
    assert text == listed
    assert len({first, other, text}) == 3


def test_an_event_told_again_moves_no_counter(store: Store) -> None:
    told(store, "order.paid", identity="x")
    told(store, "order.paid", identity="x")
    assert store.read(topics.counters) == {"activity": 1}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"type": "order.unheard_of"}, "unknown_type"),
        ({"type": "custom." + "x" * 100}, "unknown_type"),
        ({"type": 7}, "unknown_type"),
        ({"level": "fatal"}, "bad_level"),
        ({"level": 3}, "bad_level"),
        ({"category": "Not a category"}, "bad_category"),
        ({"category": 3}, "bad_category"),
        ({"params": ["a"]}, "bad_params"),
        ({"params": "text"}, "bad_params"),
        ({"params": {"at": object()}}, "bad_params"),
        ({"params": {"of": float("nan")}}, "bad_params"),
        ({"params": {"of": 10**40}}, "bad_params"),
        ({"params": {3: "x"}}, "bad_params"),
        ({"params": {"a": [[[[[[1]]]]]]}}, "bad_params"),
        ({"params": {f"p{n}": "x" * 1000 for n in range(20)}}, "params_too_large"),
        ({"texts": "reason"}, "bad_texts"),
        ({"texts": {"reason": 3}}, "bad_texts"),
        ({"texts": {"Reason": "x"}}, "bad_texts"),
        ({"texts": {f"t{'x' * n}": "x" for n in range(9)}}, "bad_texts"),
        ({"occurred_at": "2026-02-23"}, "bad_time"),
        ({"occurred_at": 1.5}, "bad_time"),
        ({"actor": None}, "AttributeError"),
        ({"identity": 7}, "TypeError"),
    ],
)
def test_an_odd_entry_raises_nothing_and_is_counted(store: Store, given: dict[str, Any], reason: str) -> None:
    def unit(tx: Tx) -> str | None:
        make_order(tx)
        return activity.log(tx, **{"type": "order.delivered", **given})

    assert store.write(unit) is None
    assert store.drops.by_reason() == {reason: 1}
    assert rows(store) == []
    assert store.read(lambda tx: tx.execute(select(order.c.number)).scalar()) == "SS-260223-0046"


def test_texts_are_cut_cleaned_and_kept_apart(store: Store) -> None:
    told(store, "sync.failed", texts={"reason": "  bad \x00 \ud800 " + "x" * 9000, "note": "   "})
    (row,) = rows(store)
    stored = store.read(lambda tx: tx.execute(select(activity_text)).one())
    assert stored.value.startswith("bad \ufffd \ufffd xxx")
    assert len(stored.value) == MAX_TEXT
    assert "xxx" not in json.dumps(row.params) + row.words + row.group_key
    assert feed(store)[0].facts == {"reason": stored.value}


def test_params_are_cleaned_and_cut(store: Store) -> None:
    told(
        store,
        "order.shipped",
        params={"carrier": "D\x00H\udfffL", "note": "y" * 5000, "none": None, "_own": 1},
    )
    facts = feed(store)[0].facts
    assert facts["carrier"] == "D\ufffdH\ufffdL"
    assert len(facts["note"]) == 1024
    assert facts.keys() == {"carrier", "note"}


@pytest.mark.parametrize(
    "value",
    [
        "for Tom Avery",
        "TOM AVERY",
        "Tom Áverý",
        "tom@example.com",
        "see TOM@EXAMPLE.COM please",
        "mail somebody.else@example.org",
        {"deep": ["x", {"er": "tom avery"}]},
    ],
)
def test_no_name_and_no_email_gets_into_the_log(store: Store, value: Any) -> None:
    def unit(tx: Tx) -> None:
        order_id, _ = make_order(tx)
        assert activity.log(
            tx,
            "order.shipped",
            order_id=order_id,
            params={"carrier": "DHL", "note": value},
            actor=Actor("provider", name=value if isinstance(value, str) else "DHL"),
        )

    store.write(unit)
    (row,) = rows(store)
    stored = json.dumps([row.params, row.words, row.actor_name, row.group_key], ensure_ascii=False).lower()
    assert "tom" not in stored
    assert "@" not in stored
    assert REMOVED in stored
    assert row.params["carrier"] == "DHL", "the rest of the facts stays"


def test_a_name_is_taken_out_as_words_of_its_own_only() -> None:
    subject = Subject("p", "tom@example.com", "ola")
    kept, found = clean_params({"carrier": "Olathe Freight", "to": "Ola"}, subject)
    assert kept == {"carrier": "Olathe Freight", "to": REMOVED}
    assert found


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        ),
    )
)
def test_whatever_comes_params_are_storable_or_odd(params: dict[str, Any]) -> None:
    try:
        kept, _ = clean_params(params, Subject("p", "tom@example.com", "tom avery"))
    except OddEntryError:
        return
    stored = json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()
    assert len(stored) <= MAX_PARAMS
    assert b"\x00" not in stored
    assert json.loads(stored) == kept


def test_an_order_brings_its_person_along(store: Store) -> None:
    def unit(tx: Tx) -> str:
        order_id, person_id = make_order(tx)
        activity.log(tx, "order.email.confirmation_sent", order_id=order_id, texts={"note": "hello"})
        return person_id

    person_id = store.write(unit)
    assert rows(store)[0].person_id == person_id
    assert store.read(lambda tx: tx.execute(select(activity_text.c.person_id)).scalar()) == person_id


def test_a_late_event_stands_where_it_happened_and_says_when_it_came(
    store: Store, clock: FrozenClock
) -> None:
    told(store, "order.shipped")
    clock.advance(HOUR)
    told(store, "order.submitted", params={"provider": "Printify"}, occurred_at=START - MINUTE)
    assert messages(store) == ["Shipped", "Submitted to Printify"]
    late = feed(store)[1]
    assert (late.inserted_at - late.occurred_at).total_seconds() == 3660


@pytest.mark.parametrize("ahead", [5 * MINUTE + 1, DAY, 2**41, 2**62])
def test_a_time_too_far_ahead_is_not_believed(store: Store, ahead: int) -> None:
    told(store, "order.shipped", occurred_at=START + ahead)
    assert rows(store)[0].occurred_at == START
    assert "occurred_at_sent" in feed(store)[0].facts


def test_a_clock_a_little_ahead_is_believed(store: Store) -> None:
    told(store, "order.shipped", occurred_at=START + 5 * MINUTE)
    assert rows(store)[0].occurred_at == START + 5 * MINUTE
    assert feed(store)[0].facts == {}


def test_a_time_before_time_is_not_believed(store: Store) -> None:
    told(store, "order.shipped", occurred_at=-1)
    assert rows(store)[0].occurred_at == START
    assert feed(store)[0].facts == {"occurred_at_sent": -1}


def test_the_sent_time_is_written_as_a_time(store: Store) -> None:
    told(store, "order.shipped", occurred_at=START + DAY)
    assert feed(store)[0].facts == {"occurred_at_sent": "2026-02-24T10:00:00.000Z"}


def test_a_deleted_order_leaves_its_story_behind(store: Store) -> None:
    def unit(tx: Tx) -> str:
        order_id, _ = make_order(tx)
        activity.log(tx, "order.cancelled", order_id=order_id)
        return order_id

    order_id = store.write(unit)
    assert feed(store)[0].order is not None

    def forget(tx: Tx) -> int:
        gone = activity.forget_order(tx, order_id)
        tx.execute(delete(order).where(order.c.id == order_id))
        return gone

    assert store.write(forget) == 1
    (entry,) = feed(store, FeedQuery("attention"))
    assert (entry.order, entry.message) == (None, "Order cancelled")
    assert store.read(lambda tx: entries(activity.timeline(tx, order_id, OWNER))) == []


def test_an_order_deleted_without_a_word_leaves_no_dead_link(store: Store) -> None:
    def unit(tx: Tx) -> str:
        order_id, _ = make_order(tx)
        activity.log(tx, "order.cancelled", order_id=order_id)
        tx.execute(delete(order).where(order.c.id == order_id))
        return order_id

    store.write(unit)
    assert feed(store)[0].order is None


def test_who_did_it_is_kept(store: Store) -> None:
    told(store, "order.shipped", actor=Actor("provider", name="Printify"))
    (entry,) = feed(store)
    assert (entry.actor.kind, entry.actor.name) == ("provider", "Printify")


def test_a_member_of_staff_is_named_as_they_are_now(store: Store, staff: Any) -> None:
    told(store, "order.shipped", actor=Actor("staff", staff.users["support"]))
    told(store, "order.delivered", actor=Actor("staff", "gone-long-ago"))
    delivered, shipped = feed(store)
    assert shipped.actor.name == "support@example.com"
    assert (delivered.actor.kind, delivered.actor.name) == ("staff", None)
