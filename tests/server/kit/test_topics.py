"""Topics: who may follow which, what is published at all, and that nothing is told twice or too early."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import select

import server.app.registered  # noqa: F401 - the rooms' topics
from server.kit import topics
from server.kit.access import PERMISSIONS, Principal, Role
from server.kit.clock import DAY, FrozenClock
from server.kit.db import Store
from server.kit.schema import topic_event
from server.kit.tx import Tx

ROOT = Path(__file__).parents[3] / "server"
ROLES: tuple[Role, ...] = get_args(Role)
ME, OTHER = "019c0000-0000-7000-8000-000000000001", "019c0000-0000-7000-8000-000000000002"
BILLING = ("orders", "invoices", "subscriptions", "profiles", "transactions")

STAFF_ONLY = {
    "shop:products": "catalog.read",
    f"shop:products:{OTHER}": "catalog.read",
    "shop:categories": "catalog.read",
    "shop:inventory": "catalog.read",
    "shop:cart:session:0a1b2c": "carts.read",
    **{f"billing:{name}": "billing.read" for name in BILLING},
    "admin:users": "users.read",
    "admin:roles": "users.read",
    "audit": "users.manage",  # those who see all of it
}
OF_A_USER = {
    "shop:cart:user:": "carts.read",
    **{f"billing:{name}:user:": "billing.read" for name in BILLING},
}
NOBODYS = [
    *("", "orders", "audit:x", "audit:", "AUDIT", "audit\n", "admin:", "admin:all"),
    *("billing", "billing:", "billing:orders:user", "billing:orders:user:", "billing:orders:user:a:b"),
    *("shop", "shop:cart", "shop:cart:user", "shop:products:", "shop:products:a b"),
    *(f"shop:products:{ME}:x", "shop:products:" + "x" * 200),
]


def principal(role: Role, user_id: str | None = ME) -> Principal:
    return Principal("tests", "tests", role, user_id)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_follows_what_it_may_and_nothing_else(role: Role) -> None:
    caller = principal(role)
    follows = role in PERMISSIONS["events.follow"]
    found = {}
    expected = {}
    for name, permission in STAFF_ONLY.items():
        found[name] = topics.may_follow(caller, name)
        expected[name] = follows and role in PERMISSIONS[permission]  # type: ignore[index]
    for prefix, permission in OF_A_USER.items():
        for user_id in (ME, OTHER):
            found[prefix + user_id] = topics.may_follow(caller, prefix + user_id)
            may = role in PERMISSIONS[permission]  # type: ignore[index]
            expected[prefix + user_id] = follows and (may or user_id == ME)
    for name in NOBODYS:
        found[name] = topics.may_follow(caller, name)
        expected[name] = False
    assert found == expected


@pytest.mark.parametrize("name", topics.declared_topics())
def test_a_customer_follows_topics_of_that_very_user_and_nothing_else(name: str) -> None:
    """Whatever a room declares."""
    for last in (ME, OTHER, "all", "none", "session"):
        topic = name + last if name.endswith(":") else name
        may = topics.may_follow(principal("user"), topic)
        assert not may or (name.endswith(":user:") and last == ME), topic
        assert not topics.may_follow(principal("user", None), topic)


def test_the_topics_of_the_shop_are_declared() -> None:
    named = {name for name in STAFF_ONLY if OTHER not in name and "session" not in name}
    named |= {"shop:products:", "shop:cart:session:", *OF_A_USER}
    assert named <= set(topics.declared_topics())


def test_a_topic_has_one_rule() -> None:
    with pytest.raises(ValueError, match="already"):
        topics.allow("audit", topics.staff("audit.read"))
    for prefix in ("", ":", "a::b", "A", "tickets:{id}", "a b"):
        with pytest.raises(ValueError, match="begins like this"):
            topics.allow(prefix, topics.staff("audit.read"))


# -- what is published -------------------------------------------------------------------------------------

_LOOKS = re.compile(r"(?:audit|(?:tickets|shop|billing|admin|content|posts|files|carts|people):[a-z_:*]*)\*?")


def _shape(node: ast.expr) -> str | None:
    """A text or an f-string with ``x`` for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    return None


def _modules_that_publish() -> list[Path]:
    found = [path for path in ROOT.rglob("*.py") if "publish(" in path.read_text(encoding="utf-8")]
    return [path for path in found if path.parent.name != "kit"]


def _topics_named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shapes = {shape for node in ast.walk(tree) if isinstance(node, ast.expr) and (shape := _shape(node))}
    return {shape for shape in shapes if _LOOKS.fullmatch(shape.replace("\0", "*"))}


def test_every_topic_that_is_named_anywhere_has_a_rule() -> None:
    """In the modules that publish and in those that name topics."""
    places = {*_modules_that_publish(), *ROOT.rglob("topics.py")} - {ROOT / "kit" / "topics.py"}
    wrong = []
    for path in sorted(places):
        for shape in _topics_named_in(path):
            if shape.startswith("\0") or shape.endswith(":"):
                continue  # a rule's own beginning, or one put together from a name that is looked at itself
            if topics.rule_of(shape.replace("\0", "x")) is None:
                wrong.append((str(path.relative_to(ROOT)), shape.replace("\0", "{}")))
    assert wrong == []


def test_what_is_published_in_the_code_is_looked_at() -> None:
    """The test above sees something: each call of ``publish`` names its event as a text."""
    calls = 0
    for path in _modules_that_publish():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "topics.publish":
                calls += 1
    assert calls > 0


# -- publishing --------------------------------------------------------------------------------------------


def rows(store: Store) -> list[tuple[str, str]]:
    found = store.read(
        lambda tx: tx.execute(
            select(topic_event.c.topic, topic_event.c.event).order_by(topic_event.c.seq)
        ).all()
    )
    return [(row.topic, row.event) for row in found]


def test_an_event_is_told_once_on_each_topic_and_with_its_transaction(store: Store) -> None:
    store.write(lambda tx: topics.publish(tx, "user_updated", "admin:users", "audit", "admin:users", id="u1"))
    assert rows(store) == [("admin:users", "user_updated"), ("audit", "user_updated")]
    assert store.read(topics.counters) == {"events": 1}

    def half(tx: Tx) -> None:
        topics.publish(tx, "user_updated", "admin:users")
        raise InterruptedError

    with pytest.raises(InterruptedError):
        store.write(half)
    assert len(rows(store)) == 2
    store.write(lambda tx: topics.publish(tx, "user_updated"))  # nobody to tell
    assert store.read(topics.counters) == {"events": 1}


@pytest.mark.parametrize("event", ["", "Upper", "a b", "a\nb", "é", "x" * 65])
def test_what_is_no_name_of_an_event_is_a_mistake(store: Store, event: str) -> None:
    with pytest.raises(ValueError, match="no event"):
        store.write(lambda tx: topics.publish(tx, event, "audit"))


@pytest.mark.parametrize("name", ["", "a b", "tickets:", "a\nb", "tickets:é"])
def test_what_is_no_topic_is_a_mistake(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="no topics"):
        store.write(lambda tx: topics.publish(tx, "user_updated", "audit", name))


def test_a_commit_that_moves_a_counter_wakes_and_no_other_does(store: Store) -> None:
    woken: list[int] = []

    def note() -> None:
        woken.append(store.read(topics.counters).get("orders", 0))

    store.moved.listen(note)
    store.write(lambda tx: tx.touch("orders"))
    assert woken[-1] == 1, "who is woken sees what was committed"
    count = len(woken)
    store.write(topics.counters)
    assert len(woken) == count
    store.moved.leave(note)
    store.write(lambda tx: tx.touch("orders"))
    assert len(woken) == count


def _publishing(name: str, n: int) -> Callable[[Tx], None]:
    return lambda tx: topics.publish(tx, "x", name, n=n)


def test_pages_are_read_by_topic_and_place(store: Store) -> None:
    for n in range(6):
        name = ("audit", "admin:users", "admin:roles")[n % 3]
        store.write(_publishing(name, n))
    frontier = topics.frontier()
    place = store.read(frontier.look)
    assert place == 6
    read = store.read(lambda tx: topics.after(tx, ["audit", "admin:roles"], 1, place, 2))
    assert [(event.seq, event.topic, event.data) for event in read] == [
        (3, "admin:roles", '{"n":2}'),
        (4, "audit", '{"n":3}'),
    ]
    assert store.read(lambda tx: topics.moved_between(tx, 4, 6)) == {"admin:users", "admin:roles"}


def test_what_is_forgotten_is_known(store: Store, clock: FrozenClock) -> None:
    for _ in range(3):
        store.write(lambda tx: topics.publish(tx, "x", "audit"))
    clock.advance(DAY)
    assert store.read(topics.forgotten) == 0
    assert store.write(lambda tx: topics.forget(tx, tx.now, 2)) == 2
    assert store.read(topics.forgotten) == 2
    assert store.write(lambda tx: topics.forget(tx, tx.now, 2)) == 1
    assert store.read(topics.forgotten) == 3
    assert store.read(topics.drawn) == 3, "numbers are never given again"
