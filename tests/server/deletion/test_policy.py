"""Who may delete whom: the checks in their order, the same for the plan, the record's actions and the deletion."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from server.accounts import standing, users
from server.accounts.models import user
from server.contract.access import StaffRole
from server.contract.deletion import Delete
from server.deletion import policy
from server.deletion import service as deletions
from server.kit.access import Principal, Role
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.people import service as people
from server.people.models import person
from tests.server.conftest import Staff
from tests.server.deletion import world

ROLES: tuple[StaffRole, ...] = ("owner", "admin", "support", "readonly")
Refusal = tuple[int, str, str | None]
ROLE = (403, "insufficient_permissions", "role")
OWNER = (403, "insufficient_permissions", "target_is_owner")
STAFF = (403, "insufficient_permissions", "target_is_staff")
MATRIX: dict[tuple[StaffRole, str], Refusal | None] = {
    ("owner", "owner"): None,
    ("owner", "admin"): None,
    ("owner", "support"): None,
    ("owner", "readonly"): None,
    ("owner", "customer"): None,
    ("admin", "owner"): OWNER,
    ("admin", "admin"): STAFF,
    ("admin", "support"): None,
    ("admin", "readonly"): None,
    ("admin", "customer"): None,
    **{(role, target): ROLE for role in ("support", "readonly") for target in (*ROLES, "customer")},
}


def another(store: Store, role: StaffRole, email: str = "another@example.com") -> str:
    """A second member of staff of a role; the person."""

    def unit(tx: Tx) -> str:
        if role == "owner":
            made = users.create_owner(tx, email=email, name="Second Person")
        else:
            caller = Principal("tests", "tests", "owner", standing_owner(tx))
            made = users.create_user(tx, email=email, name="Second Person", role=role, caller=caller)
        return str(tx.execute(select(user.c.person_id).where(user.c.id == made)).scalar_one())

    return store.write(unit)


def standing_owner(tx: Tx) -> str:
    return str(tx.execute(select(user.c.id).where(user.c.role == "owner").limit(1)).scalar_one())


def customer(store: Store, email: str = "mary@example.com") -> str:
    return store.write(lambda tx: people.find_or_create_customer(tx, email=email, name="Mary Example"))


def own(store: Store, staff: Staff, role: StaffRole) -> str:
    """The person of the fixture's member of staff."""
    wanted = select(user.c.person_id).where(user.c.id == staff.users[role])
    return str(store.read(lambda tx: tx.execute(wanted).scalar_one()))


def refusal(store: Store, person_id: str, caller: Principal | None) -> Refusal | None:
    """Why the rules refuse a deletion; None when they do not. Asked as it is enforced, shown and offered."""

    def unit(tx: Tx) -> Refusal | None:
        row = policy.find(tx, person_id)
        offered = policy.may_delete(tx, caller, person_id)
        shown = policy.protections(tx, caller, row)
        try:
            policy.check(tx, caller, row)
            problem = None
        except ProblemError as refused:
            problem = refused
        assert offered.allowed is (problem is None)
        if problem is None:
            assert not shown
            return None
        assert offered.reason in (problem.code, problem.reason)
        assert [(one.code, one.reason) for one in shown] == [(problem.code, problem.reason)]
        return problem.status, problem.code, problem.reason

    found = store.read(unit)
    if caller is not None:
        assert enforced(store, person_id, caller) == found
    return found


def enforced(store: Store, person_id: str, caller: Principal) -> Refusal | None:
    """The same as the deletion itself has it; the person is still there afterwards."""
    try:
        plan = world.planned(store, person_id, caller)
        told = Delete(plan=plan.hash, confirm="somebody else")
        store.write(lambda tx: deletions.delete(tx, person_id, told, caller))
    except ProblemError as problem:
        alive = select(person.c.erased_at).where(person.c.id == person_id)
        assert store.read(lambda tx: tx.execute(alive).scalar_one()) is None
        if problem.code == "confirmation_mismatch":
            return None
        return problem.status, problem.code, problem.reason
    raise AssertionError("somebody else's name was typed")


@pytest.mark.parametrize(("role", "target"), MATRIX)
def test_rank(store: Store, staff: Staff, role: StaffRole, target: str) -> None:
    """D25: only an Owner deletes Owners and Admins; only Owners and Admins delete; customers by both."""
    person_id = customer(store) if target == "customer" else another(store, target)  # type: ignore[arg-type]
    assert refusal(store, person_id, staff.principal(role)) == MATRIX[role, target]


@pytest.mark.parametrize("role", ROLES)
def test_nobody_deletes_themselves(store: Store, staff: Staff, role: StaffRole) -> None:
    """D23, before every other rule: told to the last Owner and to a reader alike."""
    refused = refusal(store, own(store, staff, role), staff.principal(role))
    assert refused == (403, "cannot_delete_self", None)


@pytest.mark.parametrize("role", ROLES[1:])
def test_the_last_owner_is_protected_from_everybody(store: Store, staff: Staff, role: StaffRole) -> None:
    """D24, also told to whoever is outranked."""
    refused = refusal(store, own(store, staff, "owner"), staff.principal(role))
    assert refused == (409, "cannot_delete_last_owner", None)


def test_only_active_owners_count(store: Store, staff: Staff) -> None:
    """D24: deactivated Owners are no other Owner; an inactive one may go while an active one is there."""
    second = another(store, "owner")
    first = own(store, staff, "owner")
    caller = staff.principal("owner")
    set_active(store, second, 0)
    assert refusal(store, first, staff.principal("admin")) == (409, "cannot_delete_last_owner", None)
    assert refusal(store, second, caller) is None
    set_active(store, second, 1)
    assert refusal(store, first, staff.principal("admin")) == OWNER


def set_active(store: Store, person_id: str, active: int) -> None:
    changed = update(user).where(user.c.person_id == person_id).values(active=active)
    store.write(lambda tx: tx.execute(changed))


@pytest.mark.parametrize(
    "caller",
    [
        None,
        Principal("t", "a storefront", "storefront", None),
        Principal("t", "nobody's", "owner", None),
        Principal("t", "of somebody gone", "owner", "0198f000-0000-7000-8000-000000000000"),
        Principal("t", "malformed", "owner", ""),
    ],
)
def test_there_is_no_system_path(store: Store, staff: Staff, caller: Principal | None) -> None:
    """D26."""
    assert refusal(store, customer(store), caller) == (403, "invalid_current_user", None)


def test_a_caller_deactivated_meanwhile_is_nobody(store: Store, staff: Staff) -> None:
    set_active(store, own(store, staff, "admin"), 0)
    assert refusal(store, customer(store), staff.principal("admin")) == (403, "invalid_current_user", None)


@pytest.mark.parametrize("now", ["admin", "support"])
def test_the_role_is_the_one_of_the_transaction(store: Store, staff: Staff, now: Role) -> None:
    """A token remembers more than its user may since."""
    another(store, "owner", "second@example.com")
    stale = Principal("t", "made as an Owner", "owner", staff.users["owner"])
    changed = update(user).where(user.c.id == staff.users["owner"]).values(role=now)
    store.write(lambda tx: tx.execute(changed))
    target = another(store, "admin", "target@example.com")
    assert refusal(store, target, stale) == (STAFF if now == "admin" else ROLE)


def test_a_token_of_less_is_less(store: Store, staff: Staff) -> None:
    small = Principal("t", "an Owner's for support", "support", staff.users["owner"])
    assert refusal(store, customer(store), small) == ROLE


def test_a_customer_with_an_account_is_a_customer(store: Store, staff: Staff) -> None:
    person_id = customer(store)
    store.write(lambda tx: users.make_account(tx, person_id, "user"))
    assert refusal(store, person_id, staff.principal("admin")) is None
    assert refusal(store, person_id, staff.principal("support")) == ROLE


def test_whoever_is_erased_or_on_the_way_is_not_deleted_again(store: Store, staff: Staff) -> None:
    person_id = customer(store)
    hidden = update(person).where(person.c.id == person_id).values(hidden_at=1)
    store.write(lambda tx: tx.execute(hidden))
    assert refusal(store, person_id, staff.principal("owner")) == (409, "deletion_scheduled", None)
    other = customer(store, "tom@example.com")
    world.delete(store, other, staff.principal("owner"))
    with pytest.raises(ProblemError) as refused:
        world.planned(store, other, staff.principal("owner"))
    assert refused.value.code == "already_erased"


def test_owners_are_held_before_they_are_counted() -> None:
    """The lock is the one of every other rule about Owners."""
    assert standing.hold_owners is users.hold_owners
