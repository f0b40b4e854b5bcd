"""Invoices and what is paid for them: every guard by its name, every transition told and written down once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select

from server.audit.models import audit
from server.billing import service as billing
from server.billing.models import invoice, transaction
from server.contract.base import Money
from server.contract.billing import NewInvoice, NewPayment
from server.kit.clock import DAY, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.schema import idempotency
from server.people.models import billing_profile
from tests.server.conftest import Staff
from tests.server.orders.shop import Shop
from tests.support.signed_up import Customer, sign_up
from tests.support.told import Told, Topics


@pytest.fixture
def mary(store: Store) -> Customer:
    return sign_up(store, "mary@example.com", "Mary Example")


@pytest.fixture
def owner(http: httpx.Client, staff: Staff) -> httpx.Client:
    http.headers.update(staff.bearer("owner"))
    return http


@pytest.fixture
def told(store: Store, owner: httpx.Client, mary: Customer) -> Topics:
    del owner, mary  # first everybody is let in
    topics = Topics(store)
    topics.new()
    return topics


def pounds(amount: int, currency: str = "GBP") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def made(client: httpx.Client, mary: Customer, **changed: Any) -> dict[str, Any]:
    body = {"person_id": mary.person_id, "total": pounds(1000)} | changed
    answer = client.post("/v1/invoices", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sent(client: httpx.Client, mary: Customer, **changed: Any) -> str:
    number: str = made(client, mary, **changed)["number"]
    assert client.post(f"/v1/invoices/{number}/send").json()["sent_at"] is not None
    return number


def pay(client: httpx.Client, key: str, amount: int, currency: str = "GBP", **more: Any) -> httpx.Response:
    return client.post(f"/v1/invoices/{key}/payments", json={"amount": pounds(amount, currency)} | more)


def refund(client: httpx.Client, key: str, amount: int, reason: str = "Too small") -> httpx.Response:
    return client.post(f"/v1/invoices/{key}/refunds", json={"amount": pounds(amount), "reason": reason})


def entries(store: Store) -> list[Any]:
    mine = select(audit).where(audit.c.action.startswith("billing.")).order_by(audit.c.seq)
    return list(store.read(lambda tx: tx.execute(mine).all()))


def test_the_whole_way_of_an_invoice(
    owner: httpx.Client, mary: Customer, told: Topics, store: Store, clock: FrozenClock
) -> None:
    found = made(owner, mary, due_on="2026-03-01")
    key, number = found["id"], found["number"]
    assert (number, found["state"], found["customer"]["id"]) == ("INV-2026-00001", "draft", mary.person_id)
    owner.post(f"/v1/invoices/{key}/send")
    clock.advance(1)
    part = pay(owner, key, 400, method="transfer").json()
    assert (part["state"], part["paid"]) == ("sent", pounds(400))
    clock.advance(1)
    whole = pay(owner, number, 600).json()
    assert (whole["state"], whole["paid"], whole["paid_at"] is not None) == ("paid", pounds(1000), True)
    clock.advance(1)
    back = refund(owner, key, 300).json()
    assert (back["state"], back["refunded"]) == ("paid", pounds(300))
    assert [(one["kind"], one["amount"]["amount"], one["method"]) for one in back["transactions"]] == [
        ("refund", -300, "other"),
        ("payment", 600, "other"),
        ("payment", 400, "transfer"),
    ]
    assert owner.get(f"/v1/invoices/{number}").json() == back

    money = [one["id"] for one in reversed(back["transactions"])]
    invoices = frozenset({"billing:invoices", f"billing:invoices:user:{mary.user_id}"})
    moved = frozenset({"billing:transactions", f"billing:transactions:user:{mary.user_id}"})

    def moves(event: str, n: int, amount: int) -> Told:
        ids = {"transaction_id": money[n], "invoice_id": key}
        return Told(event, ids | pounds(amount), moved)

    assert told.new("billing:") == [
        Told("invoice_created", {"invoice_id": key}, invoices),
        Told("invoice_sent", {"invoice_id": key}, invoices),
        moves("transaction_created", 0, 400),
        moves("transaction_created", 1, 600),
        Told("invoice_paid", {"invoice_id": key}, invoices),
        moves("transaction_refunded", 2, -300),
    ]
    written = entries(store)
    assert [one.action for one in written] == [
        "billing.invoice_created",
        "billing.invoice_sent",
        "billing.payment_recorded",
        "billing.payment_recorded",
        "billing.refund_recorded",
    ]
    assert {(one.module, one.mode, one.resource_id, one.target_user_id) for one in written} == {
        ("billing", "manual", key, mary.user_id)
    }
    assert written[-1].metadata == {
        "actor_role": "owner",
        "invoice_number": number,
        "status": "paid",
        "transaction_id": money[2],
        "method": "other",
        "amount": -300,
        "currency": "GBP",
    }
    assert "Too small" not in str([one._mapping for one in written]), "why is nobody's to keep"


def test_who_has_no_account_has_no_topic(owner: httpx.Client, store: Store, told: Topics) -> None:
    order = Shop(store).order(customer={"email": "guest@example.com"})
    told.new()
    answer = owner.post("/v1/invoices", json={"order": order.number, "total": pounds(4300)})
    found = answer.json()
    assert found["order"] == {"id": order.id, "number": order.number}
    assert found["customer"]["email"] == "guest@example.com"
    assert told.new("billing:") == [
        Told("invoice_created", {"invoice_id": found["id"]}, frozenset({"billing:invoices"}))
    ]
    assert entries(store)[-1].target_user_id is None


def test_every_guard_by_its_name_and_nothing_written(
    owner: httpx.Client, mary: Customer, told: Topics, store: Store
) -> None:
    draft, open_one = made(owner, mary)["number"], sent(owner, mary)
    paid, void = sent(owner, mary), made(owner, mary)["number"]
    pay(owner, paid, 1000)
    owner.post(f"/v1/invoices/{void}/void")
    before = [owner.get(f"/v1/invoices/{one}").json() for one in (draft, open_one, paid, void)]
    many = len(entries(store))
    told.new()
    refused = [
        (pay(owner, draft, 1), 409, "not_payable"),
        (pay(owner, paid, 1), 409, "not_payable"),
        (pay(owner, void, 1), 409, "not_payable"),
        (pay(owner, open_one, 1001), 409, "exceeds_remaining"),
        (pay(owner, open_one, 0), 422, "invalid_amount"),
        (pay(owner, open_one, -5), 422, "invalid_amount"),
        (pay(owner, open_one, 5, "EUR"), 422, "invalid_amount"),
        (refund(owner, open_one, 1), 409, "not_refundable"),
        (refund(owner, draft, 1), 409, "not_refundable"),
        (refund(owner, paid, 1001), 409, "exceeds_paid_amount"),
        (refund(owner, paid, 0), 422, "invalid_amount"),
        (refund(owner, paid, 1, ""), 422, "invalid_request"),
        (owner.post(f"/v1/invoices/{paid}/void"), 409, "invoice_not_voidable"),
        (owner.post(f"/v1/invoices/{void}/void"), 409, "invoice_not_voidable"),
        (owner.post(f"/v1/invoices/{open_one}/send"), 409, "invalid_transition"),
        (owner.post("/v1/invoices/none/send"), 404, "not_found"),
        (owner.get("/v1/invoices/none"), 404, "not_found"),
    ]
    assert [(one.status_code, one.json()["code"]) for one, _, _ in refused] == [
        (status, code) for _, status, code in refused
    ]
    assert [owner.get(f"/v1/invoices/{one}").json() for one in (draft, open_one, paid, void)] == before
    assert told.new() == []
    assert len(entries(store)) == many


def test_a_new_invoice_is_checked(owner: httpx.Client, mary: Customer, store: Store) -> None:
    eve = sign_up(store, "eve@example.com")
    order = Shop(store).order(customer={"email": "eve@example.com"})
    theirs = store.ids.new()
    values = {"person_id": eve.person_id, "label": "Home", "created_at": 1, "updated_at": 1}
    store.write(lambda tx: tx.execute(insert(billing_profile).values(id=theirs, **values)).rowcount)

    def refused(**body: Any) -> tuple[int, str]:
        answer = owner.post("/v1/invoices", json={"total": pounds(1)} | body)
        return answer.status_code, answer.json()["code"]

    who = {"person_id": mary.person_id}
    assert refused(**who, total=pounds(0)) == (422, "invalid_amount")
    assert refused(**who, total=pounds(-1)) == (422, "invalid_amount")
    assert refused() == refused(person_id="none") == refused(order="none") == (422, "invalid_request")
    assert refused(**who, order=order.id) == (422, "invalid_request")
    assert refused(**who, due_on="2026-02-30") == (422, "invalid_request")
    assert refused(**who, billing_profile_id=theirs) == (409, "billing_profile_not_owned")
    assert made(owner, eve, billing_profile_id=theirs, order=order.id)["billing_profile_id"] == theirs


def test_what_was_sent_is_overdue_the_day_after_it_is_due(
    owner: httpx.Client, mary: Customer, clock: FrozenClock
) -> None:
    key = sent(owner, mary, due_on="2026-02-23")
    never = sent(owner, mary)

    def listed(which: str) -> list[str]:
        items = owner.get("/v1/invoices", params={"state": which}).json()["items"]
        return [one["number"] for one in items]

    assert owner.get(f"/v1/invoices/{key}").json()["state"] == "sent", "today is not late yet"
    assert (listed("sent"), listed("overdue")) == ([never, key], [])
    clock.advance(DAY)
    assert owner.get(f"/v1/invoices/{key}").json()["state"] == "overdue"
    assert (listed("sent"), listed("overdue")) == ([never], [key])
    assert pay(owner, key, 1000).json()["state"] == "paid"
    other = sent(owner, mary, due_on="2026-02-23")
    assert owner.post(f"/v1/invoices/{other}/void").json()["state"] == "void"


def test_a_zero_decimal_currency_is_counted_as_it_is(owner: httpx.Client, mary: Customer) -> None:
    key = sent(owner, mary, total=pounds(1200, "JPY"))
    assert pay(owner, key, 1201, "JPY").json()["code"] == "exceeds_remaining"
    assert pay(owner, key, 1200, "JPY").json()["state"] == "paid"


def test_the_actions_say_what_would_be_refused(owner: httpx.Client, mary: Customer, staff: Staff) -> None:
    def states(key: str, role: Any = "owner") -> dict[str, str | None]:
        found = owner.get(f"/v1/invoices/{key}", headers=staff.bearer(role)).json()["actions"]
        return {one["name"]: None if one["allowed"] else one["reason"] for one in found}

    draft = made(owner, mary)["number"]
    assert states(draft) == {
        "send": None,
        "record_payment": "not_payable",
        "refund": "not_refundable",
        "void": None,
    }
    paid = sent(owner, mary)
    pay(owner, paid, 1000)
    assert states(paid) == {
        "send": "invalid_transition",
        "record_payment": "not_payable",
        "refund": None,
        "void": "invoice_not_voidable",
    }
    assert set(states(paid, "readonly").values()) == {"insufficient_permissions"}
    for role in ("support", "readonly", "storefront"):
        assert owner.post(f"/v1/invoices/{draft}/send", headers=staff.bearer(role)).status_code == 403


def test_a_repeat_pays_once_and_keeps_nobodys_name(
    owner: httpx.Client, mary: Customer, told: Topics, store: Store
) -> None:
    key = sent(owner, mary)
    many = len(entries(store))
    told.new()
    body = {"amount": pounds(400)}
    for _ in range(2):
        answer = owner.post(f"/v1/invoices/{key}/payments", json=body, headers={"Idempotency-Key": "k"})
        assert answer.json()["paid"] == pounds(400)
    assert [one.event for one in told.new("billing:")] == ["transaction_created"]
    assert len(entries(store)) == many + 1
    kept = store.read(lambda tx: tx.execute(select(idempotency.c.body)).scalar_one())
    assert "mary" not in kept.lower()


def test_transactions_are_listed(owner: httpx.Client, mary: Customer, store: Store) -> None:
    eve = sign_up(store, "eve@example.com")
    one, other = sent(owner, mary), sent(owner, eve)
    for key, amount in ((one, 10), (other, 20), (one, 30)):
        pay(owner, key, amount)

    def listed(**which: str) -> list[int]:
        items = owner.get("/v1/transactions", params=which).json()["items"]
        return [row["amount"]["amount"] for row in items]

    assert listed() == [30, 20, 10]
    assert listed(invoice=one) == listed(person=mary.person_id) == [30, 10]
    assert listed(invoice="none") == []
    page = owner.get("/v1/transactions", params={"limit": "2"}).json()
    rest = owner.get("/v1/transactions", params={"limit": "2", "cursor": page["next"]}).json()
    assert [row["amount"]["amount"] for row in rest["items"]] == [10]


def test_services_write_no_audit_entry(store: Store, mary: Customer) -> None:
    new = NewInvoice(person_id=mary.person_id, total=Money(amount=1000, currency="GBP"))
    store.write(lambda tx: billing.send(tx, billing.create(tx, new)).id)
    assert entries(store) == []


def test_racing_payments_never_pay_too_much(store: Store, mary: Customer) -> None:
    new = NewInvoice(person_id=mary.person_id, total=Money(amount=1000, currency="GBP"))
    part = NewPayment(amount=Money(amount=400, currency="GBP"))
    for _ in range(10):
        key = store.write(lambda tx: str(billing.send(tx, billing.create(tx, new)).id))
        start = threading.Barrier(4, timeout=10)

        def act(key: str = key, start: threading.Barrier = start) -> str:
            start.wait()
            try:
                return store.write(lambda tx: billing.pay(tx, key, part)) and "paid"
            except ProblemError as refused:
                return refused.code

        with ThreadPoolExecutor(4) as pool:
            results = sorted(future.result(20) for future in [pool.submit(act) for _ in range(4)])
        assert results == ["exceeds_remaining"] * 2 + ["paid"] * 2
    sums = select(func.sum(transaction.c.amount)).group_by(transaction.c.invoice_id)
    assert set(store.read(lambda tx: list(tx.execute(sums).scalars()))) == {800}
    assert set(store.read(lambda tx: list(tx.execute(select(invoice.c.paid)).scalars()))) == {800}


def test_racing_invoices_have_numbers_of_their_own(store: Store, mary: Customer) -> None:
    new = NewInvoice(person_id=mary.person_id, total=Money(amount=1, currency="GBP"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.write(lambda tx: billing.create(tx, new)), range(20)))
    numbers = store.read(lambda tx: sorted(tx.execute(select(invoice.c.number)).scalars()))
    assert numbers == [f"INV-2026-{n:05d}" for n in range(1, 21)]
