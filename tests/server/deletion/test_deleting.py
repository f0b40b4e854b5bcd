"""A deletion over HTTP: planned, typed, pinned, limited, recorded once, done as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import insert, select, update

from server.accounts import service as accounts
from server.accounts import users
from server.accounts.models import invitation, oauth_link, token, user
from server.activity.models import activity
from server.audit import service as audits
from server.audit.models import audit
from server.billing.models import invoice, transaction
from server.contract.deletion import Delete
from server.contract.orders import Address, NewOrder
from server.deletion import erasing, erasures, receipts, steps, traces
from server.deletion import service as deletions
from server.deletion.models import deletion
from server.deletion.models import plan as plans
from server.jobs import service as jobs
from server.jobs.models import job
from server.kit import topics
from server.kit.clock import DAY, HOUR, MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.schema import idempotency, topic_event
from server.kit.tx import Tx
from server.mail.models import mail
from server.orders import service as orders
from server.orders.models import order
from server.people import service as people
from server.people.models import address, billing_profile, note, person
from tests.server.conftest import Staff
from tests.server.deletion import world

MARY = "Mary.Example@Example.com"
NAME = "Mary Example"


@pytest.fixture
def mary(store: Store, staff: Staff) -> str:
    """A customer with a little of everything: two orders, an address, notes, a mail, a cart and an account."""
    return store.write(lambda tx: make_mary(tx, staff))


def make_mary(tx: Tx, staff: Staff) -> str:
    new = NewOrder.model_validate(
        {
            "customer": {
                "email": MARY,
                "name": NAME,
                "phone": "+44 20 7946 0991",
                "address": {"name": NAME, "line1": "12 Long Lane", "city": "Leeds", "country": "GB"},
            },
            "items": [{"name": "Wool socks", "quantity": 2, "unit_price": 1200}],
            "currency": "GBP",
        }
    )
    first, second = orders.create(tx, new), orders.create(tx, new)
    person_id = str(tx.execute(select(order.c.person_id).where(order.c.id == first)).scalar_one())
    tx.execute(
        update(order)
        .where(order.c.id == first)
        .values(fulfilment_error="nobody at 12 Long Lane", carrier="DHL")
    )
    author = staff.users["support"]
    told = {"author_user_id": author, "created_at": tx.now}
    tx.execute(insert(note).values(id=tx.new_id(), person_id=person_id, body="Calls on Mondays", **told))
    tx.execute(insert(mail).values(**a_mail(tx, person_id, first)))
    user_id = users.make_account(tx, person_id, "user")
    accounts.make_token(tx, user_id=user_id, role="user", name="session")
    tx.execute(
        insert(oauth_link).values(
            id=tx.new_id(), user_id=user_id, provider="google", subject="mary-at-google", created_at=tx.now
        )
    )
    money = {"person_id": person_id, "order_id": first, "currency": "GBP", "created_at": tx.now}
    bill = tx.new_id()
    tx.execute(
        insert(invoice).values(
            id=bill, number="INV-1", state="paid", total=2400, paid=2400, updated_at=tx.now, **money
        )
    )
    tx.execute(
        insert(transaction).values(
            id=tx.new_id(), kind="payment", invoice_id=bill, amount=2400, method="card", **money
        )
    )
    orders.find(tx, second)
    return person_id


def a_mail(tx: Tx, person_id: str, order_id: str | None = None) -> dict[str, Any]:
    mail_id = tx.new_id()
    return {
        "id": mail_id,
        "kind": "confirmation",
        "person_id": person_id,
        "order_id": order_id,
        "message_id": f"<{mail_id}@shop.example.com>",
        "state": "failed",
        "reason": f"550 {MARY} unknown",
        "created_at": tx.now,
    }


class Desk:
    """Deletions over HTTP in few words."""

    def __init__(self, http: httpx.Client, staff: Staff) -> None:
        self.http, self.staff = http, staff

    def plan(self, person_id: str, role: str = "owner") -> dict[str, Any]:
        answer = self.http.post(f"/v1/people/{person_id}/deletion/plan", headers=self.staff.bearer(role))  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    def delete(
        self, person_id: str, plan: dict[str, Any] | None = None, role: str = "owner", **told: Any
    ) -> httpx.Response:
        made = plan or self.plan(person_id, role)
        body = {"plan": made["hash"], "confirm": made["confirm"]} | told
        key = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
        headers = self.staff.bearer(role) | key  # type: ignore[arg-type]
        return self.http.post(f"/v1/people/{person_id}/deletion", json=body, headers=headers)


@pytest.fixture
def desk(http: httpx.Client, staff: Staff) -> Desk:
    return Desk(http, staff)


def rows(store: Store, table: Any, *where: Any) -> list[Any]:
    return store.read(lambda tx: list(tx.execute(select(table).where(*where)).all()))


def one(store: Store, table: Any, *where: Any) -> Any:
    (found,) = rows(store, table, *where)
    return found


def is_there(store: Store, person_id: str) -> bool:
    return one(store, person, person.c.id == person_id).erased_at is None


# -- the plan -------------------------------------------------------------------------------------------


def test_a_plan_says_what_goes_what_is_anonymised_and_what_stays(desk: Desk, mary: str, store: Store) -> None:
    plan = desk.plan(mary)
    told = {(row["fate"], row["noun"]): row["count"] for row in plan["tables"]}
    assert told[("delete", "addresses")] == 1
    assert told[("delete", "notes about them")] == 1
    assert told[("delete", "account")] == 1
    assert told[("delete", "tokens and sessions")] == 1
    assert told[("delete", "accounts elsewhere")] == 1
    assert told[("anonymise", "orders")] == 2
    assert told[("anonymise", "e-mail logs")] == 1
    assert told[("anonymise", "contact record")] == 1
    assert plan["total"] == sum(row["count"] for row in plan["tables"] if row["fate"] != "keep")
    assert [row["fate"] for row in plan["tables"]] == sorted(
        (row["fate"] for row in plan["tables"]), key=["delete", "anonymise", "keep"].index
    )
    assert (plan["confirm"], plan["shown"], plan["kind"]) == (MARY, MARY, "customer")
    assert (plan["protections"], plan["grace_days"], plan["also"]) == ([], 0, 0)
    assert all(row["why"] for row in plan["tables"])
    assert is_there(store, mary)
    assert desk.plan(mary)["hash"] == plan["hash"], "nothing moved, so it is the same plan"


def test_a_plan_counts_others_of_the_same_address(desk: Desk, mary: str, store: Store) -> None:
    store.write(lambda tx: people.create_staff(tx, email=MARY.upper(), name="Mary of Staff"))
    assert desk.plan(mary)["also"] == 1


def test_a_plan_shows_what_protects(desk: Desk, store: Store, staff: Staff) -> None:
    wanted = select(user.c.person_id).where(user.c.id == staff.users["owner"])
    owner = store.read(lambda tx: tx.execute(wanted).scalar_one())
    (why,) = desk.plan(owner, "admin")["protections"]
    assert why["code"] == "cannot_delete_last_owner"
    assert why["detail"]


@pytest.mark.parametrize("role", ["support", "readonly", "storefront"])
def test_others_do_not_even_plan(desk: Desk, mary: str, role: str, http: httpx.Client, staff: Staff) -> None:
    for path in ("deletion/plan", "deletion"):
        body = {"plan": "0" * 64, "confirm": MARY}
        answer = http.post(f"/v1/people/{mary}/{path}", json=body, headers=staff.bearer(role))  # type: ignore[arg-type]
        assert answer.status_code == 403


# -- what is done ---------------------------------------------------------------------------------------


def test_what_was_planned_is_done_and_told(desk: Desk, mary: str, store: Store) -> None:
    """D27, D28: what goes is gone, what stays is anonymised, and the counts are those of the rows."""
    plan = desk.plan(mary)
    answer = desk.delete(mary, plan)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert done["counts"] == {f"{row['fate']} {row['noun']}": row["count"] for row in plan["tables"]}
    assert done["state"] == "erased"
    assert not any(word in answer.text.lower() for word in ("mary.", "mary e", "long lane", "leeds"))

    gone = one(store, person, person.c.id == mary)
    kept = {"id", "kind", "mark", "created_at", "updated_at", "erased_at"}
    assert {name for name, value in gone._mapping.items() if value is not None} == kept
    for table in (address, billing_profile, note, oauth_link, invitation):
        assert not rows(store, table)
    assert not rows(store, user, user.c.person_id == mary)
    for row in rows(store, order):
        assert (row.person_id, row.address_id, row.person_mark) == (None, None, gone.mark)
        assert row.anonymized_at == gone.erased_at
        assert (row.fulfilment_error, row.carrier) == (None, None)
        assert row.total == 2400
    sent = one(store, mail)
    assert (sent.person_id, sent.reason, sent.anonymized_at) == (None, None, gone.erased_at)
    assert sent.state == "failed"


def test_money_stays_to_the_penny(desk: Desk, mary: str, store: Store) -> None:
    """D29: somebody with invoices can be deleted, and no total moves."""
    before = one(store, invoice), one(store, transaction)
    assert desk.delete(mary).status_code == 200
    for old, new in zip(before, (one(store, invoice), one(store, transaction)), strict=True):
        assert new.person_id is None
        assert new.person_mark == one(store, person, person.c.id == mary).mark
        changed = {name for name in old._mapping if old._mapping[name] != new._mapping[name]}
        assert changed <= {"person_id", "person_mark", "anonymized_at"}


def test_an_order_shows_the_mark(
    desk: Desk, mary: str, http: httpx.Client, store: Store, staff: Staff
) -> None:
    number = rows(store, order)[0].number
    desk.delete(mary)
    mark = one(store, person, person.c.id == mary).mark
    head = staff.bearer("support")
    for told in (
        http.get(f"/v1/orders/{number}", headers=head).json(),
        http.get("/v1/orders", headers=head, params={"q": number}).json()["items"][0],
    ):
        assert told["customer"] == {"id": None, "name": None, "email": None, "phone": None, "erased": mark}
    assert http.get("/v1/orders", headers=head, params={"q": "mary"}).json()["items"] == []


def test_a_session_is_refused_at_the_next_request(
    store: Store, http: httpx.Client, desk: Desk, staff: Staff
) -> None:
    """D27: whoever is deleted is out at once."""
    head = staff.bearer("support")
    assert http.get("/v1/orders", headers=head).status_code == 200
    wanted = select(user.c.person_id).where(user.c.id == staff.users["support"])
    person_id = store.read(lambda tx: tx.execute(wanted).scalar_one())
    assert desk.delete(person_id, role="admin").status_code == 200
    assert http.get("/v1/orders", headers=head).status_code == 401
    assert not rows(store, token, token.c.user_id == staff.users["support"])


def test_what_staff_wrote_about_others_stays(desk: Desk, mary: str, store: Store, staff: Staff) -> None:
    """D30: a note by somebody who is deleted stays, without its writer."""
    wanted = select(user.c.person_id).where(user.c.id == staff.users["support"])
    person_id = store.read(lambda tx: tx.execute(wanted).scalar_one())
    assert desk.delete(person_id).status_code == 200
    told = one(store, note)
    assert (told.body, told.author_user_id) == ("Calls on Mondays", None)


def test_the_story_keeps_every_entry(
    desk: Desk, mary: str, store: Store, http: httpx.Client, staff: Staff
) -> None:
    from server.activity import service as log

    number = rows(store, order)[0].number
    key = rows(store, order)[0].id
    store.write(lambda tx: log.log(tx, "order.email.confirmation_sent", order_id=key, person_id=mary))
    store.write(
        lambda tx: log.log(
            tx, "order.cancelled", order_id=key, person_id=mary, texts={"reason": f"{NAME} asked"}
        )
    )
    before = rows(store, activity)
    desk.delete(mary)
    assert rows(store, activity) == before
    head = staff.bearer("support")
    told = http.get(f"/v1/orders/{number}/timeline", headers=head).json()
    sentences = json.dumps(told, ensure_ascii=False)
    mark = one(store, person, person.c.id == mary).mark
    assert f"Order confirmation sent to ⟨erased {mark}⟩" in sentences
    assert "Order cancelled" in sentences
    assert NAME not in sentences


def test_a_deletion_is_recorded_once_and_told_once(desk: Desk, mary: str, store: Store, staff: Staff) -> None:
    """D32: one entry with ids and the true role, one event after the commit, neither with anything of the person."""
    assert desk.delete(mary, role="admin").status_code == 200
    entry = one(store, audit, audit.c.action == "user.deleted")
    assert (entry.actor_user_id, entry.actor_role) == (staff.users["admin"], "admin")
    assert (entry.resource_type, entry.resource_id) == ("person", mary)
    assert set(entry.metadata) == {"kind", "role", "deletion_id"}
    told = one(store, topic_event, topic_event.c.event == "user_deleted")
    assert told.topic == "admin:users"
    assert set(told.data) == {"person_id", "user_id"}
    assert "example" not in json.dumps([entry.metadata, told.data]).lower()


def test_the_receipt_verifies(desk: Desk, mary: str, store: Store) -> None:
    done = desk.delete(mary).json()
    document = receipts.document(done["receipt"], done["signature"])
    ring = store.setting_source.box.ring
    assert receipts.verify(document.encode(), receipts.public_keys(ring)).known


def test_erasures_are_listed_and_read(desk: Desk, mary: str, http: httpx.Client, staff: Staff) -> None:
    done = desk.delete(mary).json()
    head = staff.bearer("admin")
    assert http.get("/v1/deletions", headers=head).json()["items"] == [done]
    theirs = http.get("/v1/deletions", params={"person": done["person_id"]}, headers=head)
    assert theirs.json()["items"] == [done]
    assert http.get("/v1/deletions", params={"person": "another"}, headers=head).json()["items"] == []
    assert http.get(f"/v1/deletions/{done['id']}", headers=head).json() == done
    assert http.get("/v1/deletions/unknown", headers=head).status_code == 404
    assert http.get("/v1/deletions", headers=staff.bearer("support")).status_code == 403


# -- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [MARY, MARY.lower(), MARY.upper(), f"  {MARY} ", f"\t{MARY.lower()}\n"])
def test_case_and_blanks_around_do_not_matter(desk: Desk, mary: str, store: Store, typed: str) -> None:
    assert desk.delete(mary, confirm=typed).status_code == 200
    assert not is_there(store, mary)


@pytest.mark.parametrize(
    "typed",
    [
        "mary.example@example.co",
        "Mary.Example@Example.com\u200b",  # a space of no width at the end
        "Mary\u200d.Example@Example.com",
        "\ufeffMary.Example@Example.com",
        "M\u0430ry.Example@Example.com",  # a Cyrillic a
        "\uff2dary.Example@Example.com",  # a wide M
        "Mary Example@Example.com",
        "Mary.Example @Example.com",
        "Mary Example",
        "delete",
    ],
)
def test_anything_else_typed_is_refused(desk: Desk, mary: str, store: Store, typed: str) -> None:
    answer = desk.delete(mary, confirm=typed)
    assert (answer.status_code, answer.json()["code"]) == (422, "confirmation_mismatch")
    assert is_there(store, mary)


def test_a_plan_of_before_is_refused_with_what_moved(desk: Desk, mary: str, store: Store) -> None:
    plan = desk.plan(mary)
    store.write(lambda tx: add_note(tx, mary))
    answer = desk.delete(mary, plan)
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_changed")
    assert answer.json()["drift"] == [
        {"table": "person_note", "noun": "notes about them", "planned": 1, "now": 2}
    ]
    assert is_there(store, mary)
    assert desk.delete(mary).status_code == 200


def add_note(tx: Tx, person_id: str) -> None:
    made = {"id": tx.new_id(), "person_id": person_id, "body": "one more", "created_at": tx.now}
    tx.execute(insert(note).values(made))


def test_who_they_are_is_part_of_the_plan(desk: Desk, mary: str, store: Store, clock: FrozenClock) -> None:
    plan = desk.plan(mary)
    changed = update(person).where(person.c.id == mary).values(updated_at=clock.now() + 1)
    store.write(lambda tx: tx.execute(changed))
    answer = desk.delete(mary, plan)
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_changed")
    assert answer.json()["drift"] == []


def test_unknown_foreign_and_old_plans_are_refused(
    desk: Desk, mary: str, store: Store, clock: FrozenClock
) -> None:
    other = store.write(lambda tx: people.find_or_create_customer(tx, email="tom@example.com"))
    theirs = desk.plan(other)
    for given in (theirs | {"confirm": MARY}, {"hash": "a" * 64, "confirm": MARY}):
        answer = desk.delete(mary, given)
        assert (answer.status_code, answer.json()["code"]) == (404, "plan_unknown")
    mine = desk.plan(mary)
    clock.advance(DAY)
    answer = desk.delete(mary, mine)
    assert (answer.status_code, answer.json()["code"]) == (410, "plan_unknown")
    assert is_there(store, mary)
    clock.advance(2 * DAY)
    desk.plan(other)
    assert [row.person_id for row in rows(store, plans)] == [other], "old plans are let go"


@pytest.mark.parametrize("unknown", ["nobody", "0198f000-0000-7000-8000-000000000000"])
def test_nobody_is_not_deleted(desk: Desk, http: httpx.Client, staff: Staff, unknown: str) -> None:
    for path, body in (("plan", None), ("", {"plan": "0" * 64, "confirm": "x"})):
        where = f"/v1/people/{unknown}/deletion/{path}".rstrip("/")
        answer = http.post(where, json=body, headers=staff.bearer("owner"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_twice_is_refused(desk: Desk, mary: str) -> None:
    plan = desk.plan(mary)
    assert desk.delete(mary, plan).status_code == 200
    answer = desk.delete(mary, plan)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_erased")


def test_a_repeat_with_its_key_gets_the_first_answer(desk: Desk, mary: str, store: Store) -> None:
    plan = desk.plan(mary)
    first = desk.delete(mary, plan, key="once")
    again = desk.delete(mary, plan, key="once")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    (kept,) = rows(store, idempotency)
    assert not any(word in kept.body.lower() for word in ("mary", "example.com", "lane"))
    assert len(rows(store, deletion)) == 1


# -- how often ------------------------------------------------------------------------------------------


def customers(store: Store, many: int) -> list[str]:
    def unit(tx: Tx) -> list[str]:
        return [people.find_or_create_customer(tx, email=f"c{n}@example.com") for n in range(many)]

    return store.write(unit)


def test_ten_an_hour(desk: Desk, store: Store, clock: FrozenClock) -> None:
    """D35."""
    everybody = customers(store, 13)
    for person_id in everybody[:10]:
        assert desk.delete(person_id).status_code == 200
        clock.advance(MINUTE)
    refused = desk.delete(everybody[10])
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == str(50 * 60)
    assert "10 deletions within the hour" in refused.json()["detail"]
    assert "50 minutes" in refused.json()["detail"]
    assert is_there(store, everybody[10])
    assert desk.delete(everybody[11], role="admin").status_code == 200, "another actor has another ten"
    clock.advance(50 * MINUTE - 1)
    assert desk.delete(everybody[10]).status_code == 429
    clock.advance(1)
    assert desk.delete(everybody[10]).status_code == 200
    assert desk.delete(everybody[12]).status_code == 429


def test_fifty_a_day_in_the_shop(desk: Desk, store: Store, clock: FrozenClock) -> None:
    everybody = customers(store, 51)
    for count, person_id in enumerate(everybody[:50]):
        if count % 10 == 0:
            clock.advance(HOUR)
        assert desk.delete(person_id).status_code == 200
    clock.advance(HOUR)
    refused = desk.delete(everybody[50], role="admin")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == str(19 * 3600)
    clock.advance(19 * HOUR)
    assert desk.delete(everybody[50], role="admin").status_code == 200


# -- all of it or nothing -------------------------------------------------------------------------------


class CutError(Exception):
    """What a step dies of."""


CUTS: dict[str, tuple[Any, str]] = {
    "the seal": (traces, "seal"),
    "the erasure": (erasing, "erase"),
    "the receipt": (receipts, "make"),
    "the audit": (audits, "record"),
    "the event": (topics, "publish"),
    "the job": (jobs, "enqueue"),
    "the list": (erasures, "remember"),
    "the answer": (deletions, "shown"),
}


def everything(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables."""
    from server.kit.schema import metadata

    def unit(tx: Tx) -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(repr, tx.execute(select(table)).all())) for table in metadata.sorted_tables
        }

    return store.read(unit)


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_failure_at_any_step_undoes_everything(
    store: Store, staff: Staff, mary: str, name: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D31: nothing of it stands, nobody is told."""
    caller = staff.principal("owner")
    plan = world.planned(store, mary, caller)
    before = everything(store)
    where, what = CUTS[name]
    real: Callable[..., Any] = getattr(where, what)

    def dies(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise CutError

    told = Delete(plan=plan.hash, confirm=plan.confirm)
    with monkeypatch.context() as patch:
        patch.setattr(where, what, dies)
        with pytest.raises(CutError):
            store.write(lambda tx: deletions.delete(tx, mary, told, caller))
    assert everything(store) == before
    assert store.write(lambda tx: deletions.delete(tx, mary, told, caller)).state == "erased"


def test_a_failure_at_any_rule_undoes_everything(
    store: Store, staff: Staff, mary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D31: cut after each rule in turn."""
    caller = staff.principal("owner")
    plan = world.planned(store, mary, caller)
    before = everything(store)
    told = Delete(plan=plan.hash, confirm=plan.confirm)
    real = erasing._carry_out
    for last in steps.in_order():

        def dies(tx: Tx, rule: Any, about: Any, last: Any = last) -> int:
            done = real(tx, rule, about)
            if rule is last:
                raise CutError
            return done

        monkeypatch.setattr(erasing, "_carry_out", dies)
        with pytest.raises(CutError):
            store.write(lambda tx: deletions.delete(tx, mary, told, caller))
        assert everything(store) == before, last.key


def test_something_tied_in_the_very_moment_undoes_everything(
    store: Store, staff: Staff, mary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is counted again: a row that came between the counting and the doing refuses the plan."""
    caller = staff.principal("owner")
    plan = world.planned(store, mary, caller)
    real = erasing.erase

    def later(tx: Tx, about: Any) -> dict[str, int]:
        add_note(tx, mary)
        return real(tx, about)

    monkeypatch.setattr(erasing, "erase", later)
    told = Delete(plan=plan.hash, confirm=plan.confirm)
    with pytest.raises(ProblemError) as refused:
        store.write(lambda tx: deletions.delete(tx, mary, told, caller))
    assert refused.value.code == "plan_changed"
    assert is_there(store, mary)
    assert not rows(store, job, job.c.kind == deletions.CLEAN)


def test_an_address_in_another_case_is_the_same_person_and_a_new_order_is_a_new_one(
    desk: Desk, mary: str, store: Store
) -> None:
    desk.delete(mary)
    again = store.write(lambda tx: people.find_or_create_customer(tx, email=MARY.lower()))
    assert again != mary
    place = Address(line1="12 Long Lane")
    store.write(lambda tx: people.add_address(tx, again, place))
    assert is_there(store, again)
