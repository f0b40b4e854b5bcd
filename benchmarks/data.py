"""A shop with a long past, for measuring: rows written straight into the tables, once, and kept for the next run.

Only benchmarks do this. The practice shop tells its story through webhooks and API calls.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from server.activity.intake import TEXTS_KEPT
from server.kit.clock import DAY, FrozenClock, SystemClock, parse_instant
from server.kit.db import open_store
from server.kit.folding import mark_words
from server.kit.ids import Ids
from server.kit.migrate import migrate
from server.kit.sqlite import driver

_KINDS = (
    ("order.created", "info", "orders", "Order placed Stripe"),
    ("order.email.confirmation_sent", "info", "emails", "Order confirmation sent"),
    ("order.submitted", "info", "orders", "Submitted to Printify"),
    ("order.production", "info", "orders", "In production at Printify"),
    ("order.shipped", "info", "orders", "Shipped via DHL tracking"),
    ("order.delivered", "info", "orders", "Delivered"),
    ("sync.completed", "info", "syncs", "Product sync complete"),
    ("order.submission_failed", "error", "orders", "Submission to Printify failed"),
)
_COLUMNS = (
    "id, type, level, category, internal, order_id, person_id, actor_kind, actor_name, params, words, identity, "
    "group_key, occurred_at, inserted_at, resolved_at"
)
INSERT = f"INSERT INTO activity ({_COLUMNS}) VALUES ({', '.join('?' * 16)})"  # noqa: S608 - constants only


_TEXT = (
    "INSERT INTO activity_text (activity_id, name, person_id, occurred_at, value, words)"
    " VALUES (?, 'reason', ?, ?, ?, ?)"
)
_REASON = "Variant 17 is out of stock."
Order = tuple[str, str]
"""An order's id and its customer's."""


def _params(kind: str) -> dict[str, Any]:
    if kind == "order.created":
        return {"amount": {"amount": 4300, "currency": "GBP"}, "via": "Stripe"}
    if kind == "order.submission_failed":
        return {"provider": "Printify", "attempt": 1, "max_attempts": 3, TEXTS_KEPT: ["reason"]}
    if kind.startswith("order.s") or kind == "order.production":
        return {"provider": "Printify", "provider_order_id": "PFY-12345", "carrier": "DHL"}
    if kind == "sync.completed":
        return {"products": 47, "updated": 3}
    return {}


def activity_rows(count: int, *, orders: list[Order], last: int) -> Iterator[tuple[Any, ...]]:
    """``count`` believable activity rows, the newest at ``last`` (milliseconds), one every few seconds before it.

    Those about orders are about their customers, too, whom some of them name, as the log itself writes them.
    """
    dice = random.Random(7)
    clock = FrozenClock(last - count * 4_000)
    ids = Ids(clock, randomness=dice.randbytes)
    for number in range(count):
        clock.advance(4_000)
        kind, level, category, words = dice.choices(_KINDS, (20, 18, 16, 14, 14, 12, 5, 1))[0]
        at = clock.now()
        raised = level != "info"
        resolved = at + 60_000 if raised and number < count - 2_000 else None
        order, person = orders[number % len(orders)] if category != "syncs" else (None, None)
        yield (
            ids.new(),
            kind,
            level,
            category,
            0,
            order,
            person,
            "provider",
            "Printify",
            json.dumps(_params(kind)),
            mark_words(f"{words} {kind} SS-260223-{number % 10_000:04d}"),
            f"{number:064x}",
            f"{kind}:{number % 40}" if raised else f"{kind}:{number}",
            at,
            at,
            resolved,
        )


def make_shop(folder: Path, entries: int, *, orders: int = 2_000) -> Path:
    """A store in ``folder`` with so many entries; made when it is not there yet.

    Returns:
        The data directory.
    """
    data = folder / f"shop-{entries}-named"
    if (data / "complete").exists():
        return data
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = open_store(None, data, SystemClock())
    migrate(store)
    store.close()
    last = parse_instant("2026-02-23T10:00:00Z")
    with driver.connect(data / "shop.db") as connection:
        made = _orders(connection, orders, last)
        connection.executemany(INSERT, activity_rows(entries, orders=made, last=last))
        _reasons(connection)
        connection.execute("INSERT INTO topic (name, counter) VALUES ('activity', 1)")
    connection.close()
    (data / "complete").touch()
    return data


def _reasons(connection: sqlite3.Connection) -> None:
    """What the provider said of each submission that failed."""
    failed = connection.execute(
        "SELECT id, person_id, occurred_at FROM activity WHERE level = 'error'"
    ).fetchall()
    connection.executemany(_TEXT, [(*row, _REASON, mark_words(_REASON)) for row in failed])


def _orders(connection: sqlite3.Connection, count: int, last: int) -> list[Order]:
    """So many orders, five for every three customers."""
    ids = Ids(FrozenClock(last - 90 * DAY), randomness=random.Random(11).randbytes)
    people = [ids.new() for _ in range(max(1, count * 3 // 5))]
    connection.executemany(
        "INSERT INTO person (id, kind, name, email, email_key, name_key, mark, created_at, updated_at)"
        " VALUES (?, 'customer', ?, ?, ?, ?, ?, 0, 0)",
        [
            (
                one,
                f"Tom Avery {n}",
                f"tom{n}@example.com",
                f"tom{n}@example.com",
                f"tom avery {n}",
                f"{n:04X}",
            )
            for n, one in enumerate(people)
        ],
    )
    made = [(ids.new(), people[n % len(people)]) for n in range(count)]
    connection.executemany(
        "INSERT INTO shop_order (id, number, person_id, currency, total, payment_status, fulfilment_status,"
        " created_at, updated_at) VALUES (?, ?, ?, 'GBP', 4300, 'paid', 'delivered', ?, ?)",
        [
            (order, f"SS-260223-{n:04d}", person, last - n * 60_000, last)
            for n, (order, person) in enumerate(made)
        ],
    )
    return made
