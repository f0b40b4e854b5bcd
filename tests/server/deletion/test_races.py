"""Two Owners who delete each other in the same moment: one succeeds, and the shop keeps an Owner. Every time."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from server.accounts import users
from server.accounts.models import user
from server.contract.deletion import Delete
from server.contract.orders import NewOrder
from server.deletion import service as deletions
from server.deletion.models import deletion
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order
from server.people import service as people
from server.people.models import person
from tests.server.conftest import Staff
from tests.server.deletion import world

RACES = [20, pytest.param(1_000, marks=pytest.mark.deep)]


def owners(store: Store) -> int:
    active = select(func.count()).select_from(user).where(user.c.role == "owner", user.c.active == 1)
    return int(store.read(lambda tx: tx.execute(active).scalar_one()))


def one_race(store: Store, count: int) -> None:
    """Two fresh Owners beside none other, each with a plan to delete the other."""

    def unit(tx: Tx) -> list[tuple[str, str]]:
        tx.execute(deletion.delete())  # so that no limit stands in the way
        tx.execute(update(user).where(user.c.role == "owner").values(active=0))
        pair = [users.create_owner(tx, email=f"{side}{count}@example.com") for side in "ab"]
        of = {row.id: row.person_id for row in tx.execute(select(user.c.id, user.c.person_id))}
        return [(user_id, of[user_id]) for user_id in pair]

    (first, first_person), (second, second_person) = store.write(unit)
    callers = [Principal("t", "t", "owner", first), Principal("t", "t", "owner", second)]
    targets = [second_person, first_person]
    plans = [world.planned(store, target, caller) for target, caller in zip(targets, callers, strict=True)]
    begin = threading.Barrier(2)
    came: list[str] = []

    def go(side: int) -> None:
        told = Delete(plan=plans[side].hash, confirm=plans[side].confirm)
        begin.wait()
        try:
            done = store.write(lambda tx: deletions.delete(tx, targets[side], told, callers[side]))
            came.append(done.state)
        except ProblemError as refused:
            came.append(refused.code)

    threads = [threading.Thread(target=go, args=(side,)) for side in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["erased", "invalid_current_user"], came
    assert owners(store) == 1


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("races", RACES)
def test_two_owners_delete_each_other(store: Store, staff: Staff, races: int) -> None:
    """D36."""
    for count in range(races):
        one_race(store, count)


NEW_ORDER = {
    "customer": {"email": "mary@example.com", "name": "Mary Example"},
    "items": [{"name": "Wool socks", "quantity": 1, "unit_price": 1200}],
    "currency": "GBP",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("races", [10, pytest.param(300, marks=pytest.mark.deep)])
def test_an_order_in_the_very_moment_is_never_tied_to_who_is_gone(
    store: Store, staff: Staff, races: int
) -> None:
    """It refuses the plan, or is the first of a new, empty customer."""
    met = {an_order_meanwhile(store, staff.principal("owner")) for _ in range(races)}
    assert met <= {"erased", "plan_changed"}


def an_order_meanwhile(store: Store, caller: Principal) -> str:
    """Two orders come while their customer is deleted; what became of the deletion."""
    store.write(lambda tx: tx.execute(deletion.delete()))
    store.write(lambda tx: orders.create(tx, NewOrder.model_validate(NEW_ORDER)))
    target = str(store.read(lambda tx: people.find_customer(tx, "mary@example.com")))
    plan = world.planned(store, target, caller)
    told = Delete(plan=plan.hash, confirm=plan.confirm)
    begin = threading.Barrier(3)

    def order_it() -> None:
        begin.wait()
        store.write(lambda tx: orders.create(tx, NewOrder.model_validate(NEW_ORDER)))

    threads = [threading.Thread(target=order_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    begin.wait()
    try:
        came = str(store.write(lambda tx: deletions.delete(tx, target, told, caller)).state)
    except ProblemError as refused:
        came = refused.code
    for thread in threads:
        thread.join()
    tied = select(func.count()).select_from(order.join(person, person.c.id == order.c.person_id))
    gone = tied.where(person.c.erased_at.is_not(None))
    assert store.read(lambda tx: tx.execute(gone).scalar_one()) == 0
    return came
