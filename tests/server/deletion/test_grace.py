"""The grace period: locked and hidden until it ends, restored as it was, and erased with all that came meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select, update

from server.accounts.models import user
from server.deletion import due, erasures, grace
from server.jobs.models import job
from server.kit.clock import DAY, MINUTE, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.kit.problems import ProblemError
from tests.server.conftest import Staff
from tests.server.deletion.bench import Bench


@pytest.fixture
def bench(http: httpx.Client, store: Store, staff: Staff) -> Bench:
    made = Bench(http, store, staff, "owner")
    made.wait_days(7)
    return made


def account(bench: Bench, user_id: str) -> bool:
    wanted = select(user.c.active).where(user.c.id == user_id)
    return bool(bench.store.read(lambda tx: tx.execute(wanted).scalar_one()))


def test_a_plan_says_how_long_the_erasure_waits(bench: Bench) -> None:
    person = bench.customer("mary@example.com")
    assert bench.call("POST", f"/people/{person}/deletion/plan").json()["grace_days"] == 7
    bench.wait_days(0)
    assert bench.call("POST", f"/people/{person}/deletion/plan").json()["grace_days"] == 0
    assert bench.delete(person)["state"] == "erased"


def test_a_scheduled_person_is_hidden_and_locked_and_still_whole(bench: Bench, clock: FrozenClock) -> None:
    person = bench.customer("mary@example.com", name="Mary")
    member = bench.account(person)
    made = bench.delete(person)
    assert (made["state"], made["receipt"], made["erased_at"]) == ("scheduled", None, None)
    assert bench.deletion(made["id"]).due_at == clock.now() + 7 * DAY
    assert bench.people(tab="customers") == []
    found = bench.person(person)
    assert (found["hidden"], found["email"]) == (True, "mary@example.com")
    assert not account(bench, member)
    assert bench.action(person, "edit") == (False, "deletion_scheduled")
    assert bench.action(person, "delete") == (False, "deletion_scheduled")
    assert bench.action(person, "restore") == (True, None)
    again = bench.call("POST", f"/people/{person}/deletion/plan").json()
    assert [one["code"] for one in again["protections"]] == ["deletion_scheduled"]
    assert bench.work() >= 0
    assert bench.row(person).email == "mary@example.com", "it is not due"


def test_sessions_of_a_locked_member_of_staff_end_at_once(bench: Bench) -> None:
    support = bench.staff_person("support")
    assert bench.http.get("/v1/me", headers=bench.staff.bearer("support")).status_code == 200
    bench.delete(support)
    assert bench.http.get("/v1/me", headers=bench.staff.bearer("support")).status_code == 401
    assert bench.open_tokens(bench.staff.users["support"]) == 0


def test_restored_is_as_it_was_but_for_the_ways_in(bench: Bench, clock: FrozenClock) -> None:
    support = bench.staff_person("support")
    before = bench.person(support)
    made = bench.delete(support)
    clock.advance(MINUTE)
    answer = bench.call("POST", f"/deletions/{made['id']}/restore")
    assert (answer.status_code, answer.json()["state"]) == (200, "restored")
    after = bench.person(support)
    for field in ("name", "email", "phone", "hidden", "erased_at", "orders", "addresses"):
        assert after[field] == before[field], field
    assert after["account"]["active"]
    assert bench.open_tokens(bench.staff.users["support"]) == 0, "tokens stay ended"
    assert bench.action(support, "edit") == (True, None)
    (entry,) = bench.audited("person.restored")
    assert (entry.actor_user_id, entry.target_user_id) == (
        bench.staff.users["owner"], bench.staff.users["support"],
    )  # fmt: skip
    clock.advance(8 * DAY)
    bench.work()
    assert bench.row(support).erased_at is None, "the job of a restored deletion does nothing"
    with pytest.raises(ProblemError) as refused:
        bench.store.write(lambda tx: grace.restore(tx, made["id"], bench.staff.principal("owner")))
    assert refused.value.code == "not_scheduled"


def test_an_account_that_was_shut_before_stays_shut(bench: Bench, clock: FrozenClock) -> None:
    person = bench.customer("mary@example.com")
    member = bench.account(person)
    bench.store.write(
        lambda tx: tx.execute(update(user).where(user.c.id == member).values(active=0, deactivated_at=tx.now))
    )
    clock.advance(MINUTE)
    made = bench.delete(person)
    assert bench.call("POST", f"/deletions/{made['id']}/restore").status_code == 200
    assert not account(bench, member)


def test_when_it_is_due_the_person_goes_with_all_that_came_meanwhile(
    bench: Bench, clock: FrozenClock
) -> None:
    person = bench.customer("mary@example.com", name="Mary Example")
    made = bench.delete(person)
    clock.advance(DAY)
    bench.store.write(lambda tx: due.end(tx, deletion_id=made["id"]))
    assert bench.row(person).erased_at is None, "a job that came too early does nothing"
    order = bench.shop.order(customer={"email": "MARY@example.com", "address": {"line1": "9 Late Lane"}})
    assert order.customer is not None
    assert order.customer.id == person, "an order for somebody hidden is taken"
    assert bench.people(tab="customers") == [], "and does not bring them back"
    clock.advance(6 * DAY - 1)
    bench.work()
    assert bench.row(person).erased_at is None, "a millisecond too early"
    clock.advance(1)
    bench.work()
    row = bench.row(person)
    assert (row.erased_at, row.email, row.name, row.hidden_at) == (clock.now(), None, None, None)
    done = bench.deletion(made["id"])
    assert done.state in ("erased", "clean")
    assert done.counts["anonymise orders"] == done.counts["delete addresses"] == 1
    assert done.receipt["plan_hash"] == done.plan_hash is not None
    found = bench.shop.get(order.id)
    assert found.customer is not None
    assert (found.customer.erased, found.customer.email) == (row.mark, None)
    (entry,) = bench.audited("user.deleted")
    assert (entry.actor_user_id, entry.actor_role) == (bench.staff.users["owner"], "owner")


def test_who_may_not_delete_may_not_restore(
    bench: Bench, http: httpx.Client, store: Store, staff: Staff
) -> None:
    support = bench.staff_person("support")
    admin = bench.staff_person("admin")
    of_support, of_admin = bench.delete(support)["id"], bench.delete(admin)["id"]
    assert (
        Bench(http, store, staff, "readonly").call("POST", f"/deletions/{of_support}/restore").status_code
        == 403
    )
    assert Bench(http, store, staff, "readonly").action(support, "restore") == (
        False,
        "insufficient_permissions",
    )
    assert bench.call("POST", "/deletions/nothing/restore").status_code == 404
    assert bench.call("POST", f"/deletions/{of_admin}/restore").status_code == 200
    staff.tokens["admin"] = bench.http.post(
        "/v1/tokens", json={"name": "x", "role": "admin"}, headers=staff.bearer("owner")
    ).json()["token"]  # an Owner's token with the rights of an Admin
    lower = Bench(http, store, staff, "admin")
    assert lower.call("POST", f"/deletions/{of_support}/restore").status_code == 200
    owner_row = bench.store.read(
        lambda tx: tx.execute(select(user).where(user.c.id == staff.users["owner"])).one()
    )
    with pytest.raises(ProblemError) as refused:
        grace.may_restore(staff.principal("admin"), owner_row)
    assert refused.value.reason == "target_is_owner"


def test_the_job_that_ends_it_is_not_withdrawn_alone(bench: Bench, clock: FrozenClock) -> None:
    """Otherwise a person would stay hidden for ever, neither restored nor erased."""
    person = bench.customer("mary@example.com")
    made = bench.delete(person)
    waiting = select(job.c.id).where(job.c.kind == grace.DUE)
    job_id = bench.store.read(lambda tx: tx.execute(waiting).scalar_one())
    answer = bench.call("POST", f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "deletion_scheduled")
    assert bench.call("POST", f"/deletions/{made['id']}/restore").status_code == 200
    state = bench.store.read(
        lambda tx: tx.execute(select(job.c.state).where(job.c.id == job_id)).scalar_one()
    )
    assert state == "cancelled", "restoring withdraws it"


def at_once(*calls: Callable[[], None]) -> None:
    """Begin all of them at one moment, and wait for them."""
    begin = threading.Barrier(len(calls))

    def started(call: Callable[[], None]) -> None:
        begin.wait()
        call()

    threads = [threading.Thread(target=started, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("turn", range(6))
def test_restoring_and_erasing_at_one_moment_do_one_of_both(
    bench: Bench, clock: FrozenClock, turn: int
) -> None:
    """Whichever comes first wins whole: never an erased person whose deletion says restored, nor the other way."""
    person = bench.customer("mary@example.com")
    deletion_id = bench.delete(person)["id"]
    clock.advance(7 * DAY)
    caller = bench.staff.principal("owner")
    refused: list[str] = []

    def restore() -> None:
        try:
            bench.store.write(lambda tx: grace.restore(tx, deletion_id, caller))
        except ProblemError as refusal:
            refused.append(refusal.code)

    at_once(restore, lambda: bench.store.write(lambda tx: due.end(tx, deletion_id=deletion_id)))
    state, row = bench.deletion(deletion_id).state, bench.row(person)
    assert state in ("erased", "restored")
    assert (state == "erased") == (row.erased_at is not None) == (refused == ["not_scheduled"])
    assert (state == "restored") == (row.email is not None and row.hidden_at is None)


def test_each_turn_stands_in_the_list_of_erasures(
    bench: Bench, config: ServerConfig, clock: FrozenClock
) -> None:
    path = config.data_dir / erasures.FILE
    person = bench.customer("mary@example.com", name="Mary Example")
    first = bench.delete(person)["id"]
    assert erasures.in_file(path).entries[first].state == "scheduled"
    bench.call("POST", f"/deletions/{first}/restore")
    assert erasures.in_file(path).entries[first].state == "restored"
    clock.advance(MINUTE)
    second = bench.delete(person)["id"]
    clock.advance(7 * DAY)
    bench.work()
    entries = erasures.in_file(path).entries
    assert {key: entry.state for key, entry in entries.items()} == {first: "restored", second: "erased"}
    assert entries[second].receipt == bench.deletion(second).receipt
    assert path.stat().st_mode & 0o777 == 0o600
    assert "mary" not in path.read_text().casefold()
