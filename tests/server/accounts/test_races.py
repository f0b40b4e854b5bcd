"""Two Owners who take each other away: one stays, on both databases, every time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.accounts import service, users
from server.accounts.models import user
from server.kit.access import Principal
from server.kit.db import Store
from server.kit.problems import ProblemError
from server.kit.tx import Tx

ROUNDS = 25
DEMOTE: dict[str, Any] = {"role": "admin", "active": None}
DEACTIVATE: dict[str, Any] = {"role": None, "active": False}


def owners(store: Store) -> tuple[str, str]:
    def unit(tx: Tx) -> tuple[str, str]:
        return (
            service.create_owner(tx, email="one@example.com"),
            service.create_owner(tx, email="two@example.com"),
        )

    return store.write(unit)


def as_owner(user_id: str) -> Principal:
    return Principal("token", "token", "owner", user_id)


def act(store: Store, start: threading.Barrier, actor: str, target: str, what: dict[str, Any]) -> str:
    start.wait()
    try:
        store.write(lambda tx: users.change(tx, target, **what, caller=as_owner(actor)))
    except ProblemError as refused:
        return refused.code
    return "done"


@pytest.mark.parametrize(
    ("mine", "yours"),
    [(DEACTIVATE, DEACTIVATE), (DEMOTE, DEMOTE), (DEMOTE, DEACTIVATE)],
    ids=["deactivate", "demote", "mixed"],
)
def test_two_owners_against_each_other(store: Store, mine: dict[str, Any], yours: dict[str, Any]) -> None:
    one, two = owners(store)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            start = threading.Barrier(2, timeout=10)
            both = [
                pool.submit(act, store, start, one, two, mine),
                pool.submit(act, store, start, two, one, yours),
            ]
            results = sorted(future.result(20) for future in both)
            assert results[-1] != "done" or results[0] != "done", "both went"
            assert results.count("done") == 1
            assert active_owners(store) == 1
            store.write(
                lambda tx: (
                    tx.execute(update(user).values(role="owner", active=1, deactivated_at=None)).rowcount
                )
            )


def test_two_owners_stepping_down_at_once(store: Store) -> None:
    one, two = owners(store)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            start = threading.Barrier(2, timeout=10)
            both = [pool.submit(act, store, start, owner, owner, DEMOTE) for owner in (one, two)]
            assert sorted(future.result(20) for future in both) == ["cannot_demote_last_owner", "done"]
            assert active_owners(store) == 1
            store.write(lambda tx: tx.execute(update(user).values(role="owner")).rowcount)


def active_owners(store: Store) -> int:
    count = select(func.count()).select_from(user).where((user.c.role == "owner") & (user.c.active == 1))
    return int(store.read(lambda tx: tx.execute(count).scalar_one()))
