"""Money records are kept when somebody is erased: every number stays, and nobody is named."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.billing import service as billing
from server.billing.models import invoice, transaction
from server.contract.base import Money
from server.contract.billing import NewInvoice, NewPayment
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.tx import Tx
from server.people.models import billing_profile
from tests.support.erasing import erase
from tests.support.signed_up import sign_up
from tests.support.told import Topics

OWNER = Principal("t1", "a token", "owner", "u1")


def pounds(amount: int) -> Money:
    return Money(amount=amount, currency="GBP")


def test_invoices_and_transactions_stay_without_the_person(store: Store) -> None:
    mary = sign_up(store, "mary@example.com")
    profile = store.ids.new()
    values = {"person_id": mary.person_id, "label": "Home", "created_at": 1, "updated_at": 1}

    def unit(tx: Tx) -> str:
        tx.execute(insert(billing_profile).values(id=profile, **values))
        new = NewInvoice(person_id=mary.person_id, total=pounds(1000), billing_profile_id=profile)
        key = billing.create(tx, new)
        billing.send(tx, key)
        billing.pay(tx, key, NewPayment(amount=pounds(400), method="card"))
        return key

    key = store.write(unit)
    before = store.read(lambda tx: billing.get(tx, key, OWNER))
    done = erase(store, mary.person_id)
    assert (done["anonymise invoices"], done["anonymise transactions"]) == (1, 1)
    after = store.read(lambda tx: billing.get(tx, key, OWNER))
    assert after.customer is not None
    assert (after.customer.id, after.customer.email) == (None, None)
    assert len(after.customer.erased or "") == 4
    gone = {"customer", "billing_profile_id", "anonymized_at", "transactions"}
    assert after.model_dump(exclude=gone) == before.model_dump(exclude=gone)
    assert (after.billing_profile_id, after.anonymized_at is not None) == (None, True)
    assert [(one.amount, one.method) for one in after.transactions] == [(pounds(400), "card")]
    for table in (invoice, transaction):
        row = store.read(lambda tx, table=table: tx.execute(select(table)).one())  # type: ignore[misc]
        assert (row.person_id, row.person_mark) == (None, after.customer.erased)

    topics = Topics(store)
    topics.new()
    store.write(lambda tx: billing.pay(tx, key, NewPayment(amount=pounds(600))))
    assert {topic for one in topics.new() for topic in one.topics} == {
        "billing:transactions",
        "billing:invoices",
    }
    paid = store.read(lambda tx: billing.get(tx, key, OWNER))
    assert paid.state == "paid"
    assert {one.customer and one.customer.erased for one in paid.transactions} == {after.customer.erased}
