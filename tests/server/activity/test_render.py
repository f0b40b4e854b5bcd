"""Whatever stands in a row, it is shown as well as it can be, and no page breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, delete, insert, type_coerce, update

from server.activity import render
from server.activity import service as activity
from server.activity.models import activity as entry_table
from server.activity.models import activity_text
from server.activity.service import Actor, FeedQuery
from server.activity.template import Template, plain, show
from server.kit.db import Store
from server.kit.paging import PageRequest
from server.kit.tx import Tx
from server.orders.models import order
from server.people.models import person
from tests.server.activity.making import OWNER, START, caller, entries, feed, make_order, messages, told
from tests.support.hostile import SHORT


def put(store: Store, params: str = "{}", **columns: Any) -> None:
    """Write a row past the log, as another version or a broken disk might have; ``params`` as it stands there."""
    row = {
        "id": "e-1",
        "type": "order.created",
        "level": "info",
        "category": "orders",
        "internal": 0,
        "actor_kind": "system",
        "words": "",
        "identity": "i-1",
        "group_key": "g-1",
        "occurred_at": START,
        "inserted_at": START,
        **columns,
    }

    def unit(tx: Tx) -> None:
        tx.execute(delete(entry_table))
        tx.execute(insert(entry_table).values(**row, params=type_coerce(params, Text())))

    store.write(unit)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)
MONEY_LIKE = st.fixed_dictionaries({"amount": ANYTHING, "currency": ANYTHING})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    params=ANYTHING
    | st.dictionaries(
        st.sampled_from(["amount", "via", "provider", "attempt", "count", "first_at", "_texts", "carrier"]),
        ANYTHING | MONEY_LIKE,
    ),
    kind=st.sampled_from(
        [
            "order.created",
            "order.shipped",
            "order.submission_retried",
            "activity.gap",
            "order.email.shipping_sent",
        ]
    ),
)
@example(params={"_texts": [1]}, kind="order.created")
@example(params={"amount": {"amount": 10**50, "currency": "GBP"}}, kind="order.created")
def test_parameters_of_any_shape_are_shown(store: Store, params: Any, kind: str) -> None:
    put(store, json.dumps(params, ensure_ascii=False), type=kind)
    (entry,) = feed(store)
    assert entry.message
    assert len(entry.message) < 2500


@pytest.mark.parametrize(
    "columns",
    [
        {"type": "order.from_the_future", "level": "error"},
        {"type": ""},
        {"type": "{person}[x"},
        {"type": '"\\ \x01'},
        {"type": "x" * 3000},
        {"level": "fatal"},
        {"category": 'Möbel " \\'},
        {"internal": 7},
        {"actor_kind": "ghost"},
        {"actor_kind": "staff", "actor_user_id": "nobody"},
        {"actor_name": 'a "quoted" \n name'},
        {"order_id": "gone"},
        {"person_id": "gone", "type": "order.email.confirmation_sent"},
        {"occurred_at": -5},
        {"occurred_at": 2**60, "inserted_at": 2**61},
        {"resolved_at": 2**62, "resolved_by": "nobody", "level": "error"},
        {"group_key": 'g"\\'},
        {"id": 'e"\\ \u2028'},
    ],
)
def test_a_row_of_any_make_is_shown(store: Store, columns: dict[str, Any]) -> None:
    put(store, **columns)
    (entry,) = feed(store)
    assert entry.id == columns.get("id", "e-1")
    store.read(lambda tx: activity.entry(tx, entry.id, OWNER))


def test_a_type_of_a_newer_version_is_told_by_its_name(store: Store) -> None:
    put(store, '{"paper":"blue"}', type="order.gift_wrapped")
    (entry,) = feed(store)
    assert (entry.label, entry.message, entry.facts) == (
        "Order gift wrapped",
        "Order gift wrapped",
        {"paper": "blue"},
    )


def test_an_unknown_level_is_rather_seen_than_missed(store: Store) -> None:
    put(store, level="fatal")
    (entry,) = feed(store, FeedQuery("attention"))
    assert entry.level == "warning"
    assert store.write(lambda tx: activity.resolve(tx, entry.id, caller=OWNER)).count == 1


@pytest.mark.parametrize(
    "broken", ["", "{", "nonsense", '{"a":NaN}', '{"a":"\\ud800"}', "[" * 500, "9" * 6000]
)
def test_parameters_that_are_no_json_are_shown_as_they_are(store: Store, broken: str) -> None:
    put(store, broken)
    (entry,) = feed(store)
    assert entry.message == "Order placed — ?"
    assert entry.facts == {"unreadable": broken[:200]}


@pytest.mark.parametrize("hostile", SHORT, ids=lambda hostile: hostile.name)
def test_a_strangers_text_is_text(store: Store, hostile: Any) -> None:
    told(store, "order.shipped", params={"carrier": hostile.text}, actor=Actor("provider", name=hostile.text))
    told(store, "sync.failed", texts={"reason": hostile.text})
    assert len(feed(store)) == 2


def test_after_erasure_the_story_stands_without_the_person(store: Store) -> None:
    def unit(tx: Tx) -> str:
        order_id, person_id = make_order(tx)
        activity.log(tx, "order.email.confirmation_sent", order_id=order_id)
        activity.log(tx, "order.submission_failed", order_id=order_id, texts={"reason": "Tom moved"})
        activity.log(tx, "custom.note", order_id=order_id, texts={"message": "Tom called"})
        return person_id

    person_id = store.write(unit)
    assert messages(store)[::-1] == [
        "Order confirmation sent to tom@example.com",
        "Submission failed: Tom moved",
        "Tom called",
    ]

    def erase(tx: Tx) -> None:
        tx.execute(delete(activity_text).where(activity_text.c.person_id == person_id))
        nothing = dict.fromkeys(("name", "email", "email_key", "name_key"))
        tx.execute(
            update(person).where(person.c.id == person_id).values(**nothing, mark="7F2A", erased_at=tx.now)
        )

    store.write(erase)
    assert messages(store)[::-1] == [
        "Order confirmation sent to ⟨erased 7F2A⟩",
        "Submission failed: ⟨erased⟩",
        "⟨erased⟩",
    ]
    assert feed(store)[1].facts == {"reason": "⟨erased⟩"}
    store.write(lambda tx: tx.execute(update(person).values(mark="0000")).close())
    assert messages(store)[-1] == "Order confirmation sent to ⟨erased 0000⟩", "the person is looked up anew"


def test_a_person_is_named_as_they_are_now(store: Store) -> None:
    def unit(tx: Tx) -> None:
        order_id, _ = make_order(tx)
        activity.log(tx, "order.email.confirmation_sent", order_id=order_id)

    store.write(unit)
    assert messages(store) == ["Order confirmation sent to tom@example.com"]
    store.write(lambda tx: tx.execute(update(person).values(email="tom@new.example")).close())
    assert messages(store) == ["Order confirmation sent to tom@new.example"]


def test_facts_hide_our_own_marks(store: Store) -> None:
    told(store, "sync.failed", params={"provider": "Printify"}, texts={"reason": "quota"})
    assert feed(store)[0].facts == {"provider": "Printify", "reason": "quota"}


# -- sentences


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        ("A {b}[ c {d}] e", {"b": "1", "d": "2"}, "A 1 c 2 e"),
        ("A {b}[ c {d}] e", {"b": "1"}, "A 1 e"),
        ("A {b}[ c {d}] e", {"d": ""}, "A ? e"),
        ("A[ {b} {c}]", {"b": "1"}, "A"),
        ("A[ {b}][ {c}]", {"c": "1"}, "A 1"),
        ("{a}", {"a": "{b} [x]"}, "{b} [x]"),
    ],
)
def test_a_template(template: str, values: dict[str, str], said: str) -> None:
    assert Template(template).fill(values) == said


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, ""),
        ("x", "x"),
        (True, "yes"),
        (1.5, "1.5"),
        ({"from": 1, "to": 2}, "1 → 2"),
        ({"amount": 4300, "currency": "GBP"}, "£43.00"),
        ({"amount": "x", "currency": "GBP"}, "amount: x, currency: GBP"),
        ({"a": {"b": [1, None, "c"]}}, "a: b: 1, , c"),
        ([1, [2, [3, [4, [5]]]]], "1, 2, 3, 4, …"),
        (10**60, "…"),
        ("x" * 600, "x" * 511 + "…"),
        ({str(n): "x" * 100 for n in range(99)}, None),
        (object(), "…"),
    ],
)
def test_a_value_of_any_shape_is_one_line(value: Any, line: str | None) -> None:
    found = plain(value)
    assert len(found) <= 512
    assert line is None or found == line


def test_a_kind_shows_its_own_shape_and_any_other() -> None:
    assert show("money", {"amount": -1200, "currency": "JPY"}) == "-¥1,200"
    assert show("money", 43) == "43"
    assert show("instant", START) == "2026-02-23 10:00 UTC"
    assert show("instant", 10**30 - 1) == str(10**30 - 1)
    assert show("instant", "soon") == "soon"
    assert show("count", 3) == "3"


@pytest.mark.parametrize(
    "change",
    [
        {"level": "warning"},
        {"category": "syncs"},
        {"internal": 1},
        {"order_id": None},
        {"person_id": "nobody"},
        {"actor_kind": "job"},
        {"actor_name": "Printful"},
        {"actor_user_id": "user-1"},
        {"type": "order.shipped"},
        {"type": "order.email.confirmation_sent"},
        {"params": {"via": "Stripe"}},
        {"group_key": "another"},
        {"occurred_at": START - 1},
        {"inserted_at": START + 1},
        {"resolved_at": START + 2},
        {"level": "error", "resolved_at": START + 2, "resolved_by": "user-1"},
    ],
)
def test_what_was_said_before_is_never_said_of_a_changed_row(store: Store, change: dict[str, Any]) -> None:
    def unit(tx: Tx) -> None:
        order_id, _ = make_order(tx)
        activity.log(tx, "order.created", order_id=order_id)
        activity.log(tx, "order.submission_failed", order_id=order_id)

    store.write(unit)
    before = feed(store)
    store.write(lambda tx: tx.execute(update(entry_table).values(**change)).close())
    after = feed(store)
    render._told.cache_clear()
    assert after == feed(store)
    assert after != before or change.keys() <= {"person_id", "actor_user_id"}


def test_a_changed_order_group_or_caller_shows_at_once(store: Store) -> None:
    order_id, _ = store.write(make_order)
    told(store, "sync.failed", order_id=order_id)
    first = feed(store)[0]
    assert first.order is not None
    assert first.order.number == "SS-260223-0046"
    store.write(lambda tx: tx.execute(update(order).values(number="SS-260223-0047")).close())
    renamed = feed(store)[0].order
    assert renamed is not None
    assert renamed.number == "SS-260223-0047"
    told(store, "sync.failed", order_id=order_id)
    assert [entry.group.count for entry in feed(store, FeedQuery(folded=False))] == [2, 2]
    page = store.read(
        lambda tx: activity.feed(tx, FeedQuery(folded=False), PageRequest(), caller("readonly"))
    )
    assert not any(action.allowed for entry in entries(page.entries) for action in entry.actions)
    assert any(action.allowed for entry in feed(store, FeedQuery(folded=False)) for action in entry.actions)
