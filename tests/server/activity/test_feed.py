"""The feed: tabs, filters, order, what is hidden by default, and one walk along an index whatever is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server.activity import service as activity
from server.activity.page import page_statement, page_values
from server.activity.selection import shape_of, values
from server.activity.service import FeedQuery
from server.contract.activity import Entry
from server.contract.base import ActionState
from server.kit.clock import HOUR, MINUTE, FrozenClock
from server.kit.db import Store, open_store
from server.kit.paging import PageRequest, Position
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from tests.server.activity.making import GBP, OWNER, START, caller, entries, feed, make_order, messages, told

STORY: list[tuple[str, dict[str, Any]]] = [
    ("order.created", {"params": {"amount": GBP, "via": "Stripe"}}),
    ("order.email.confirmation_sent", {}),
    ("order.submission_failed", {"params": {"provider": "Printify"}, "texts": {"reason": "no ink"}}),
    ("order.cancelled", {}),
    ("sync.started", {"order_id": None}),
    ("sync.failed", {"order_id": None, "texts": {"reason": "timeout"}}),
    ("abandoned_cart.created", {"order_id": None}),
    ("job.exhausted", {"order_id": None, "params": {"job": "mail"}}),
    ("custom.gift", {"texts": {"message": "Wrapped"}}),
]


@pytest.fixture
def shop(store: Store, clock: FrozenClock) -> Store:
    """One entry of every category, a minute apart; the oldest first."""

    def unit(tx: Tx) -> None:
        order_id, _ = make_order(tx)
        for minute, (name, given) in enumerate(STORY):
            defaults = {"order_id": order_id, "occurred_at": START + minute * MINUTE}
            activity.log(tx, name, **{**defaults, **given})

    clock.advance(HOUR)
    store.write(unit)
    return store


EVERYTHING = [
    "Wrapped",
    "Job mail gave up",
    "Cart abandoned",
    "Product sync failed: timeout",
    "Product sync started",
    "Order cancelled",
    "Submission to Printify failed: no ink",
    "Order confirmation sent to tom@example.com",
    "Order placed — £43.00 via Stripe",
]
INTERNAL = {"Job mail gave up", "Cart abandoned", "Product sync started"}
NEEDS_ATTENTION = [
    "Job mail gave up",
    "Product sync failed: timeout",
    "Order cancelled",
    "Submission to Printify failed: no ink",
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (FeedQuery(internal=True), EVERYTHING),
        (FeedQuery(), [message for message in EVERYTHING if message not in INTERNAL]),
        (FeedQuery("attention"), NEEDS_ATTENTION),
        (FeedQuery("attention", internal=True), NEEDS_ATTENTION),
        (FeedQuery("attention", folded=False), NEEDS_ATTENTION),
        (FeedQuery(category="orders"), [EVERYTHING[5], EVERYTHING[6], EVERYTHING[8]]),
        (FeedQuery(category="emails"), [EVERYTHING[7]]),
        (FeedQuery(category="syncs"), ["Product sync failed: timeout"]),
        (FeedQuery(category="syncs", internal=True), [EVERYTHING[3], EVERYTHING[4]]),
        (FeedQuery(category="carts"), []),
        (FeedQuery(category="carts", internal=True), ["Cart abandoned"]),
        (FeedQuery(category="system"), []),
        (FeedQuery("attention", category="system"), ["Job mail gave up"]),
        (FeedQuery("attention", category="emails"), []),
        (FeedQuery(category="custom"), ["Wrapped"]),
        (FeedQuery(level="warning"), ["Order cancelled"]),
        (FeedQuery(level="error", internal=True), [EVERYTHING[1], EVERYTHING[3], EVERYTHING[6]]),
        (FeedQuery(level="info"), [EVERYTHING[0], EVERYTHING[7], EVERYTHING[8]]),
        (FeedQuery("attention", level="error", category="orders"), [EVERYTHING[6]]),
        (FeedQuery("attention", level="info"), []),
        (FeedQuery(type="order.cancelled"), ["Order cancelled"]),
        (FeedQuery(type="order.cancel"), []),
        (FeedQuery(type="sync.started"), []),
        (FeedQuery(type="sync.started", internal=True), ["Product sync started"]),
        (FeedQuery("attention", type="job.exhausted"), ["Job mail gave up"]),
        (FeedQuery(category="orders", level="error", q="ink printify"), [EVERYTHING[6]]),
        (FeedQuery(category="emails", q="ink"), []),
        (FeedQuery("attention", q="timeout"), ["Product sync failed: timeout"]),
        (FeedQuery(folded=True), [message for message in EVERYTHING if message not in INTERNAL]),
    ],
)
def test_what_a_filter_shows(shop: Store, query: FeedQuery, expected: list[str]) -> None:
    assert messages(shop, query) == expected


def test_an_entry_is_whole(shop: Store) -> None:
    entry = feed(shop)[6]
    assert entry.type == "order.submission_failed"
    assert entry.label == "Submission failed"
    assert (entry.level, entry.category, entry.internal) == ("error", "orders", False)
    assert entry.order is not None
    assert entry.order.number == "SS-260223-0046"
    assert entry.facts == {"provider": "Printify", "reason": "no ink"}
    assert entry.group.key.startswith("order.submission_failed:")
    assert (entry.group.count, entry.group.orders, entry.group.seen) == (1, 1, entry.id)
    assert entry.group.first_at == entry.group.last_at == entry.occurred_at


def test_the_counts_for_the_badge(shop: Store) -> None:
    assert shop.read(activity.attention_count) == 4
    order = feed(shop, FeedQuery(type="order.created"))[0].order
    assert order is not None
    assert shop.read(lambda tx: activity.attention_by_order(tx, [order.id, "nothing"])) == {order.id: 2}
    assert shop.read(lambda tx: activity.attention_by_order(tx, [])) == {}


def test_a_timeline_is_oldest_first_and_stable_on_ties(store: Store, clock: FrozenClock) -> None:
    def unit(tx: Tx) -> str:
        order_id, _ = make_order(tx)
        other, _ = make_order(tx, "SS-260223-0047", "zoe@example.com")
        for name, provider in (("submission_failed", "A"), ("submission_retried", "B"), ("submitted", "C")):
            activity.log(tx, f"order.{name}", order_id=order_id, params={"provider": provider})
        activity.log(tx, "order.created", order_id=order_id, occurred_at=START - 1)
        activity.log(tx, "order.created", order_id=other)
        return order_id

    order_id = store.write(unit)
    told = store.read(lambda tx: entries(activity.timeline(tx, order_id, OWNER)))
    assert [entry.type for entry in told] == [
        "order.created",
        "order.submission_failed",
        "order.submission_retried",
        "order.submitted",
    ]


def test_one_entry_and_none(shop: Store) -> None:
    first = feed(shop)[0]
    (again,) = shop.read(lambda tx: entries([activity.entry(tx, first.id, OWNER)]))
    assert again == first
    with pytest.raises(ProblemError) as refused:
        shop.read(lambda tx: activity.entry(tx, "nothing", OWNER))
    assert (refused.value.status, refused.value.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("role", "resolve", "reopen"),
    [
        ("owner", None, "not_resolved"),
        ("support", None, "not_resolved"),
        ("readonly", "insufficient_permissions", "insufficient_permissions"),
    ],
)
def test_each_entry_says_what_its_reader_may_do(
    shop: Store, role: Any, resolve: str | None, reopen: str | None
) -> None:
    page = shop.read(lambda tx: activity.feed(tx, FeedQuery("attention"), PageRequest(), caller(role)))
    for entry in entries(page.entries):
        assert [(state.name, state.allowed, state.reason) for state in own(entry)] == [
            ("resolve", resolve is None, resolve),
            ("reopen", reopen is None, reopen),
        ]
    info = shop.read(lambda tx: activity.feed(tx, FeedQuery(level="info"), PageRequest(), caller(role)))
    for entry in entries(info.entries):
        assert {state.reason for state in own(entry)} == {"not_resolvable"}


def own(entry: Entry) -> list[ActionState]:
    """The log's own actions on an entry; rooms above it offer more."""
    return [state for state in entry.actions if state.name in ("resolve", "reopen")]


# -- folding


def fail(store: Store, number: str, reason: str = "variant 17 out of stock", **given: Any) -> str:
    def unit(tx: Tx) -> str:
        order_id, _ = make_order(tx, number, f"{number}@example.com", name=None)
        found = activity.log(
            tx,
            "order.submission_failed",
            order_id=order_id,
            params={"provider": "Printify"},
            texts={"reason": reason},
            **given,
        )
        assert found is not None
        return found

    return store.write(unit)


def test_the_same_problem_is_one_group(store: Store, clock: FrozenClock) -> None:
    fail(store, "SS-1")
    clock.advance(MINUTE)
    newest = fail(store, "SS-2", "Variant 99 out of stock!")
    late = fail(store, "SS-3", occurred_at=START - MINUTE)
    fail(store, "SS-4", "address unknown")
    told(
        store,
        "order.submission_failed",
        params={"provider": "Printful"},
        texts={"reason": "variant out of stock"},
    )
    assert store.read(activity.attention_count) == 3
    folded = feed(store, FeedQuery("attention"))
    assert [entry.group.count for entry in folded] == [1, 1, 3]
    group = folded[2].group
    assert folded[2].id == newest, "the newest stands for the group"
    assert group.seen == late, "what was recorded last is what a reader has seen"
    assert group.orders == 3
    assert (group.first_at.minute, group.last_at.minute) == (59, 1)

    unfolded = feed(store, FeedQuery("attention", folded=False))
    assert [entry.group.count for entry in unfolded] == [1, 1, 3, 3, 3]
    members = feed(store, FeedQuery(group=group.key))
    assert [entry.order.number for entry in members if entry.order] == ["SS-2", "SS-1", "SS-3"]
    assert len(feed(store, FeedQuery(group=group.key, folded=True))) == 1


def test_all_folded_keeps_everything_but_the_older_open_members(store: Store, clock: FrozenClock) -> None:
    for number in range(3):
        fail(store, f"SS-{number}")
        told(store, "order.delivered")
        clock.advance(MINUTE)
    first = feed(store, FeedQuery("attention", folded=False))[-1]
    store.write(lambda tx: activity.resolve(tx, first.id, caller=OWNER))
    folded = feed(store, FeedQuery(folded=True))
    assert [entry.type.split(".")[1] for entry in folded] == [
        "delivered",
        "submission_failed",
        "delivered",
        "delivered",
        "submission_failed",
    ]
    assert [entry.group.count for entry in folded if entry.level == "error"] == [2, 1]


def test_a_group_counts_what_the_filter_shows(store: Store, clock: FrozenClock) -> None:
    for number in range(3):
        fail(store, f"SS-{number}")
        clock.advance(MINUTE)
    (entry,) = feed(store, FeedQuery("attention", q="ss-1"))
    assert entry.order is not None
    assert (entry.order.number, entry.group.count, entry.group.orders) == ("SS-1", 1, 1)
    (entry,) = feed(store, FeedQuery("attention", q="stock"))
    assert entry.group.count == 3


def test_cancelled_orders_do_not_fold_into_each_other(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for number in ("SS-1", "SS-2"):
            order_id, _ = make_order(tx, number)
            activity.log(tx, "order.cancelled", order_id=order_id)
            activity.log(tx, "order.cancelled", order_id=order_id)
        activity.log(tx, "order.cancelled")
        activity.log(tx, "order.cancelled")

    store.write(unit)
    assert sorted(entry.group.count for entry in feed(store, FeedQuery("attention"))) == [1, 1, 2, 2]


def test_the_persons_name_does_not_part_the_same_problem(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for number, email, name in (
            ("SS-1", "tom@example.com", "Tom Avery"),
            ("SS-2", "zoe@example.com", "Zoë Brûlé"),
        ):
            order_id, _ = make_order(tx, number, email, name)
            reason = f"Address of {name} <{email}> (order {number}) is unknown"
            activity.log(tx, "order.submission_failed", order_id=order_id, texts={"reason": reason})

    store.write(unit)
    assert [entry.group.count for entry in feed(store, FeedQuery("attention"))] == [2]


# -- one walk along an index


def explain(store: Store, query: FeedQuery, position: Position | None = None) -> str:
    """What the database says about how it would find a page."""
    statement = page_statement(
        shape_of(query, store.dialect), folds=query.folds, positioned=position is not None, upwards=False
    )
    how, column = ("EXPLAIN QUERY PLAN", 3) if store.dialect == "sqlite" else ("EXPLAIN", 0)

    def unit(tx: Tx) -> str:
        sql, parameters = statement.ready(tx, {**values(query), **page_values(position, 51)})
        return "\n".join(str(tuple(row)[column]) for row in tx.driver_sql(f"{how} {sql}", parameters))

    return store.read(unit)


@pytest.mark.parametrize("position", [None, Position(START, "x")])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (FeedQuery(), "ix_activity_newest"),
        (FeedQuery(internal=True), "ix_activity_newest"),
        (FeedQuery(folded=True), "ix_activity_newest"),
        (FeedQuery(category="syncs"), "ix_activity_category"),
        (FeedQuery(level="error"), "ix_activity_raised"),
        (FeedQuery("attention"), "ix_activity_open"),
        (FeedQuery("attention", folded=False), "ix_activity_open"),
        (FeedQuery(group="g"), "ix_activity_open_group"),
    ],
)
def test_sqlite_walks_along_an_index_and_sorts_nothing(
    sqlite_url: str, clock: FrozenClock, query: FeedQuery, index: str, position: Position | None
) -> None:
    store = open_store(sqlite_url, Path(), clock)
    try:
        plan = explain(store, query, position)
    finally:
        store.close()
    first, *rest = plan.splitlines()
    assert f" entry USING INDEX {index}" in first, plan
    assert "TEMP B-TREE" not in plan, plan
    assert not any(line.startswith("SCAN") for line in rest), plan


def test_postgresql_finds_its_index_in_a_large_log(postgresql_url: str, clock: FrozenClock) -> None:
    store = open_store(postgresql_url, Path(), clock)
    try:
        store.write(_fill)
        store.write(lambda tx: tx.execute(text("ANALYZE activity")).close())
        for query, index in (
            (FeedQuery(), "ix_activity_newest"),
            (FeedQuery(category="syncs"), "ix_activity_category"),
            (FeedQuery("attention", folded=False), "ix_activity_open"),
            (FeedQuery("attention"), "ix_activity_open"),
        ):
            plan = explain(store, query)
            assert index in plan, plan
            assert "Seq Scan on activity" not in plan, plan
            assert "Sort" not in plan or query.folds, plan
    finally:
        store.close()


def _fill(tx: Tx) -> None:
    tx.execute(
        text(
            "INSERT INTO activity (id, type, level, category, internal, actor_kind, params, words, identity,"
            " group_key, occurred_at, inserted_at) SELECT 'e' || n, 'order.delivered',"
            " CASE WHEN n % 100 = 0 THEN 'error' ELSE 'info' END, CASE WHEN n % 20 = 0 THEN 'syncs' ELSE 'orders' END,"
            " 0, 'system', '{}', 'delivered', 'i' || n, 'g' || n % 40, n, n FROM generate_series(1, 20000) n"
        )
    )
