"""The export: all that the erasure would find, without what opens a door, and nothing of others."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select

from server.deletion import erasing, export, planning
from server.kit.clock import FrozenClock, parse_instant
from server.kit.db import Store
from server.kit.schema import INT, store_fact
from server.kit.tx import Tx
from server.lookup.models import lookup_session
from server.orders.models import order
from server.people import erasure
from server.people.erasure import Subject
from tests.server.conftest import Staff
from tests.server.deletion.bench import Bench

ANYBODY = Subject("p", "u", "0000", 0)
SECRETIVE = ("hash", "secret", "key", "sealed", "token", "password", "fingerprint", "words", "identity")
"""Words in the names of columns that may be secrets: each is either withheld or known to be none."""
KNOWN_TO_BE_NONE = {
    ("job", "unique_key"): "ids",
    ("audit", "token_id"): "an id",
    ("idempotency", "token_id"): "an id",
    ("file", "sha256"): "of what the person sent",
}
NUMBERS = {
    *("seq", "attempt", "attempts", "max_attempts", "fulfilment_attempt", "number", "position", "status"),
    *("amount", "total", "shipping", "refunded", "paid", "quantity", "unit_price", "size", "comment_count"),
    *("shipping_amount", "quantity", "year"),
}
"""Columns of numbers that are no moments."""


@pytest.fixture
def bench(http: httpx.Client, store: Store, staff: Staff) -> Bench:
    return Bench(http, store, staff, "owner")


def lived(bench: Bench) -> str:
    """Somebody who left something everywhere, and somebody else beside."""
    customer = {
        "email": "mary@example.com",
        "name": "Mary Poppins",
        "phone": "+44 20 7946 0000",
        "address": {"line1": "17 Cherry Tree Lane", "city": "London"},
    }
    for _ in range(2):
        bench.shop.order(customer=customer)
    found = bench.shop.pay(bench.shop.order(customer=customer))
    bench.shop.order(customer={"email": "tom@example.com", "name": "Tom Foreign"})
    assert found.customer is not None
    person = str(found.customer.id)
    bench.account(person)
    bench.ask("POST", f"/{person}/notes", {"body": "Practically perfect."})
    bench.ask("POST", f"/{person}/billing-profiles", {"label": "Home", "tax_id": "GB 77"})
    bench.ticket(person, 1)
    bench.store.write(
        lambda tx: tx.execute(
            insert(lookup_session).values(
                id=tx.new_id(),
                secret_hash="hash-of-a-session",
                person_id=person,
                created_at=tx.now,
                expires_at=tx.now,
            )
        )
    )
    return person


def exported(bench: Bench, person: str) -> dict[str, Any]:
    answer = bench.call("GET", f"/people/{person}/export")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_an_export_holds_what_the_erasure_would_find(bench: Bench, store: Store, clock: FrozenClock) -> None:
    person = lived(bench)
    found = exported(bench, person)
    assert (found["person_id"], parse_instant(found["made_at"])) == (person, clock.now())
    tables = found["tables"]
    assert (tables["person"][0]["email"], tables["person"][0]["name"]) == ("mary@example.com", "Mary Poppins")
    assert tables["address"][0]["line1"] == "17 Cherry Tree Lane"
    assert len(tables["shop_order"]) == 3
    assert {row["name"] for row in tables["order_item"]} == {"Wool socks", "Sock bag"}
    assert tables["person_note"][0]["body"] == "Practically perfect."
    assert tables["billing_profile"][0]["tax_id"] == "GB 77"
    assert tables["ticket"][0]["title"] == "Where is it?"
    assert tables["activity"]

    def counted(tx: Tx) -> dict[str, int]:
        return erasing.counts(tx, planning.subject(tx, person))

    planned = store.read(counted)
    for rule in erasure.rules():
        assert len(tables.get(rule.table.name, [])) >= planned.get(rule.key, 0), rule.key


def test_nothing_of_others_is_in_it(bench: Bench) -> None:
    text = bench.call("GET", f"/people/{lived(bench)}/export").text
    assert "Foreign" not in text
    assert "tom@example.com" not in text


def test_times_are_rfc_3339_and_secrets_are_left_out(bench: Bench, store: Store, clock: FrozenClock) -> None:
    person = lived(bench)
    answer = bench.call("GET", f"/people/{person}/export")
    tables = answer.json()["tables"]
    assert parse_instant(tables["shop_order"][0]["created_at"]) == clock.now()
    assert tables["shop_order"][0]["shipped_at"] is None
    assert tables["shop_order"][0]["total"] == 4300, "an amount stays a number"
    assert tables["lookup_session"]
    assert "secret_hash" not in tables["lookup_session"][0]
    assert "hash-of-a-session" not in answer.text
    for table, rows in tables.items():
        for row in rows:
            assert not [name for name in row if (table, name) in export.WITHHELD]


def test_every_column_that_may_be_a_secret_was_thought_of() -> None:
    parts = export.parts(ANYBODY)
    columns = [(part.table.name, column.name) for part in parts for column in part.table.columns]
    doubtful = {one for one in columns if any(word in one[1] for word in SECRETIVE)}
    assert doubtful - set(export.WITHHELD) - set(KNOWN_TO_BE_NONE) == set()
    known = {(table.name, column.name) for table in order.metadata.sorted_tables for column in table.columns}
    assert set(export.WITHHELD) <= known, "a column that is not there is withheld"


def test_every_column_of_numbers_is_a_moment_or_known_to_be_none() -> None:
    unknown = [
        f"{part.table.name}.{column.name}"
        for part in export.parts(ANYBODY)
        for column in part.table.columns
        if column.type is INT and not export.is_time(column) and column.name not in NUMBERS
    ]
    assert unknown == []


def test_the_stream_is_the_export(bench: Bench, store: Store) -> None:
    person = lived(bench)
    streamed = exported(bench, person)["tables"]  # with the entry that it was made
    whole = store.read(lambda tx: export.export(tx, person)).model_dump(mode="json")
    assert streamed == whole["tables"]


def test_an_export_is_recorded_and_nothing_else_is_kept(bench: Bench, store: Store) -> None:
    person = lived(bench)

    def figures() -> dict[str, int]:
        tables = [
            table
            for table in order.metadata.sorted_tables
            if table.name not in ("audit", "topic", "topic_event")
        ]
        return store.read(
            lambda tx: {
                table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables
            }
        )

    before = figures()
    rows = sum(len(found) for found in exported(bench, person)["tables"].values())
    assert figures() == before
    (entry,) = bench.audited("person.exported")
    assert (entry.resource_id, entry.metadata["rows"]) == (person, rows - 1), "all but this entry itself"
    assert entry.actor_user_id == bench.staff.users["owner"]


def test_who_may_take_somebodys_data_along(
    bench: Bench, http: httpx.Client, store: Store, staff: Staff, clock: FrozenClock
) -> None:
    person = bench.customer("mary@example.com")
    owner = bench.staff_person("owner")
    for role, status in (("admin", 200), ("support", 403), ("readonly", 403), ("storefront", 403)):
        answer = Bench(http, store, staff, role).call("GET", f"/people/{person}/export")  # type: ignore[arg-type]
        assert answer.status_code == status, role
    answer = Bench(http, store, staff, "admin").call("GET", f"/people/{owner}/export")
    assert (answer.status_code, answer.json()["reason"]) == (403, "target_is_owner")
    assert Bench(http, store, staff, "admin").action(owner, "export") == (False, "target_is_owner")
    assert bench.call("GET", "/people/nobody/export").status_code == 404
    bench.wait_days(3)
    bench.delete(person)
    assert exported(bench, person)["tables"]["person"][0]["email"] == "mary@example.com", "hidden, not gone"
    bench.wait_days(0)
    other = bench.customer("tom@example.com")
    bench.delete(other)
    assert bench.call("GET", f"/people/{other}/export").json()["code"] == "already_erased"


def test_somebody_with_very_many_orders_is_streamed_in_pieces(bench: Bench, store: Store) -> None:
    person = bench.customer("mary@example.com")

    def fill(tx: Tx) -> None:
        common = {"currency": "GBP", "total": 1, "payment_status": "paid", "fulfilment_status": "delivered"}
        times = {"created_at": tx.now, "updated_at": tx.now}
        rows = [
            common | times | {"id": tx.new_id(), "number": f"SS-{n}", "person_id": person}
            for n in range(1_700)
        ]
        tx.execute(insert(order), rows)

    store.write(fill)
    about = store.read(lambda tx: planning.subject(tx, person))
    pieces = list(export.stream(store, about))
    assert max(map(len, pieces)) < 2_000, "no piece is larger than a row"
    found = json.loads(b"".join(pieces))["tables"]["shop_order"]
    assert {row["number"] for row in found} == {f"SS-{n}" for n in range(1_700)}
    assert len(found) == 1_700


def test_strangers_text_comes_as_it_is(bench: Bench) -> None:
    wild = 'a\x1b]52;c;x\x07"\\\u202e<b>\u2028 ⟨erased⟩ 😀'
    person = bench.customer("mary@example.com", name=wild)
    assert exported(bench, person)["tables"]["person"][0]["name"] == wild
    assert store_fact.name not in exported(bench, person)["tables"]
