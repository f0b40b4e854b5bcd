"""Receipts: what they say, that they name nobody, and that one changed byte is one too many."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.deletion import receipts
from server.kit.clock import parse_instant
from server.kit.crypto import Key, KeyRing, SecretBox
from server.kit.db import Store
from server.kit.migrate import HEAD
from tests.server.conftest import Staff
from tests.server.deletion.bench import Bench

KEY = Key.of(b"a key to sign with, 32 bytes....")
PUBLIC = receipts.signer(KEY).public_key().public_bytes_raw().hex()
OTHER = Key.of(b"another key to sign with, of 32.")


def signed(**changed: Any) -> bytes:
    """A receipt as it is written, of somebody who never was."""
    counts = [{"table": "address", "records": "addresses", "fate": "delete", "count": 3}]
    receipt = {
        "what": receipts.KIND,
        "format": receipts.FORMAT,
        "deletion_id": "d1",
        "mark": "7F2A",
        "kind": "customer",
        "asked_at": "2026-02-23T10:00:00.000Z",
        "asked_by_role": "owner",
        "erased_at": "2026-02-23T10:00:00.000Z",
        "plan_hash": "0" * 64,
        "counts": counts,
        "counts_sha256": hashlib.sha256(b"x").hexdigest(),
        "shopbell": "0.1.0",
        "schema": "0003",
        "store_id": "0123456789abcdef",
        "public_key": PUBLIC,
    } | changed
    signature = receipts.signer(KEY).sign(receipts._signed(receipt)).hex()
    return receipts.document(receipt, signature).encode()


GOOD = signed()


@pytest.fixture
def bench(http: httpx.Client, store: Store, staff: Staff) -> Bench:
    return Bench(http, store, staff, "owner")


def document_of(bench: Bench, deletion_id: str) -> bytes:
    row = bench.deletion(deletion_id)
    return receipts.document(row.receipt, row.signature).encode()


def own_keys(store: Store) -> list[str]:
    return receipts.public_keys(store.setting_source.box.ring)


def test_an_erasure_has_a_receipt_that_says_what_was_done_and_names_nobody(
    bench: Bench, store: Store
) -> None:
    order = bench.shop.order(
        customer={
            "email": "canary@example.com",
            "name": "Canary Bird",
            "phone": "+44 20 7946 0123",
            "address": {"line1": "7 Canary Street", "city": "Bath"},
        }
    )
    assert order.customer is not None
    person = str(order.customer.id)
    bench.ask("POST", f"/{person}/notes", {"body": "Canary sings."})
    made = bench.delete(person)
    receipt = made["receipt"]
    assert receipt["mark"] == made["mark"] == bench.row(person).mark
    assert (receipt["kind"], receipt["asked_by_role"], receipt["deletion_id"]) == (
        "customer",
        "owner",
        made["id"],
    )
    assert receipt["schema"] == HEAD
    assert len(receipt["plan_hash"]) == 64
    assert parse_instant(receipt["erased_at"]) == bench.deletion(made["id"]).erased_at
    told = {(entry["fate"], entry["records"]): entry["count"] for entry in receipt["counts"]}
    assert {f"{fate} {records}": count for (fate, records), count in told.items()} == made["counts"]
    assert (
        told["delete", "addresses"] == told["anonymise", "orders"] == told["delete", "notes about them"] == 1
    )
    document = document_of(bench, made["id"])
    for word in (b"canary", b"7946", person.encode(), bench.staff.users["owner"].encode()):
        assert word not in document.lower()
    found = receipts.verify(document, own_keys(store))
    assert (found.holds, found.known) == (True, True)
    assert found.receipt == receipt


def test_the_same_document_is_made_of_what_the_api_answers(bench: Bench) -> None:
    person = bench.customer("mary@example.com")
    made = bench.delete(person)
    answered = bench.call("GET", f"/deletions/{made['id']}").json()
    told = {"receipt": answered["receipt"], "signature": answered["signature"]}
    assert (json.dumps(told, indent=2, sort_keys=True) + "\n").encode() == document_of(bench, made["id"])


def test_old_receipts_stay_this_shops_when_its_key_is_changed(bench: Bench, store: Store) -> None:
    first = document_of(bench, bench.delete(bench.customer("mary@example.com"))["id"])
    before = store.setting_source.box.ring.known()
    store.setting_source.box = SecretBox(KeyRing([OTHER, *before]))  # as `key rotate` leaves it
    second = document_of(bench, bench.delete(bench.customer("tom@example.com"))["id"])
    for document in (first, second):
        assert receipts.verify(document, own_keys(store)).known
    assert json.loads(first)["receipt"]["public_key"] != json.loads(second)["receipt"]["public_key"]
    assert json.loads(first)["receipt"]["store_id"] == json.loads(second)["receipt"]["store_id"]
    store.setting_source.box = SecretBox(KeyRing([OTHER]))
    found = receipts.verify(first, own_keys(store))
    assert (found.holds, found.known) == (True, False)
    assert any("not known here" in sentence for sentence in found.sentences)


def test_without_a_key_nobody_is_erased_without_a_proof(bench: Bench, store: Store) -> None:
    person = bench.customer("mary@example.com")
    plan = bench.call("POST", f"/people/{person}/deletion/plan").json()
    store.setting_source.box = SecretBox(KeyRing())
    answer = bench.call(
        "POST", f"/people/{person}/deletion", {"plan": plan["hash"], "confirm": "mary@example.com"}
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "key_unusable")
    assert bench.row(person).email == "mary@example.com"


def test_a_good_receipt_holds_with_and_without_the_key() -> None:
    assert receipts.verify(GOOD, [PUBLIC]) == replace(
        receipts.verify(GOOD),
        known=True,
        sentences=("The signature holds.", "It was made with a key of this shop."),
    )
    assert not receipts.verify(GOOD).known
    assert not receipts.verify(GOOD, ["0" * 64]).known


@given(data=st.data())
@settings(max_examples=300)
def test_one_changed_byte_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != GOOD[at]))
    found = receipts.verify(GOOD[:at] + bytes([byte]) + GOOD[at + 1 :], [PUBLIC])
    assert (found.holds, found.known, found.receipt) == (False, False, None)


@given(at=st.integers(0, len(GOOD)), more=st.binary(min_size=1, max_size=8))
@settings(max_examples=200)
def test_one_byte_more_or_less_is_refused(at: int, more: bytes) -> None:
    longer = GOOD[:at] + more + GOOD[at:]
    assert not receipts.verify(longer, [PUBLIC]).holds
    if at < len(GOOD):
        assert not receipts.verify(GOOD[:at] + GOOD[at + 1 :], [PUBLIC]).holds


@given(st.binary(max_size=400))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_no_receipt_is_refused_and_nothing_breaks(given_bytes: bytes) -> None:
    assert not receipts.verify(given_bytes, [PUBLIC]).holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"receipt": null, "signature": null}',
        "[" * 5_000,
        GOOD.decode().upper(),
        GOOD.decode().replace(": 3", ": 3.0"),
        GOOD.decode().replace("7F2A", "\\u0037F2A"),
        GOOD.decode().replace('"count"', '"count": 9, "count"'),
        json.dumps(json.loads(GOOD)),
        GOOD.decode().replace("\n", "\r\n"),
        "\ufeff" + GOOD.decode(),
        GOOD.decode() + " " * receipts.LONGEST,
    ],
)
def test_another_spelling_of_a_receipt_is_none(text: str) -> None:
    assert not receipts.verify(text.encode(), [PUBLIC]).holds


def test_a_forger_can_sign_but_not_as_the_shop() -> None:
    """Whoever makes a receipt of their own brings their own key: the signature holds, and it is nobody's here."""
    forged = json.loads(GOOD)["receipt"] | {
        "mark": "0000",
        "public_key": receipts.signer(OTHER).public_key().public_bytes_raw().hex(),
    }
    signature = receipts.signer(OTHER).sign(receipts._signed(forged)).hex()
    found = receipts.verify(receipts.document(forged, signature).encode(), [PUBLIC])
    assert (found.holds, found.known) == (True, False)
    claimed = forged | {"public_key": PUBLIC}
    signature = receipts.signer(OTHER).sign(receipts._signed(claimed)).hex()
    assert not receipts.verify(receipts.document(claimed, signature).encode(), [PUBLIC]).holds
