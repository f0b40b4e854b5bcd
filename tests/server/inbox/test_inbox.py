"""Webhooks are kept once and durably, worked on once, tried again, parked, given up on and forgotten in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from server.inbox import senders
from server.inbox.models import inbox
from server.inbox.senders import Event, Outcome, Sender
from server.inbox.service import (
    KEPT_DAYS,
    PARKED_FOR,
    WAITS,
    Incoming,
    Receipt,
    alone,
    note_failure,
    prune,
    receive,
    run_due,
    wake,
    work,
)
from server.kit.clock import DAY, HOUR, MINUTE, FrozenClock
from server.kit.db import Store
from server.kit.schema import store_fact
from server.kit.tx import Tx


class Bell:
    """A sender whose handlers write one fact per event, unless told to fail or to wait."""

    def __init__(self) -> None:
        self.broken: type[Exception] | None = None
        self.known: set[str] = set()
        self.gave_up: list[str] = []
        self.unmatched: list[str] = []
        self.rung: list[str] = []
        self.before_effect: Callable[[], None] = lambda: None

    def ring(self, tx: Tx, event: Event) -> Outcome:
        self.before_effect()
        if event.body.startswith("wait "):
            name = event.body.removeprefix("wait ")
            alone(tx, "bell", name)
            if name not in self.known and not _facts(tx, name):
                return Outcome("parked", waits_for=name)
        tx.execute(insert(store_fact).values(name=event.event_id, value=event.body))
        if self.broken:
            raise self.broken("the body says mary@example.com")
        self.rung.append(event.event_id)
        return Outcome(order_id="o1", person_id="p1")

    def name(self, tx: Tx, event: Event) -> Outcome:
        """Makes the name known that others wait for."""
        alone(tx, "bell", event.body)
        tx.execute(insert(store_fact).values(name=event.body, value="known"))
        wake(tx, "bell", event.body)
        return Outcome()


def _facts(tx: Tx, name: str) -> list[str]:
    return list(tx.execute(select(store_fact.c.value).where(store_fact.c.name == name)).scalars())


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    made = Bell()
    monkeypatch.setitem(
        senders._senders,
        "bell",
        Sender(
            "bell",
            {"ring": made.ring, "name": made.name},
            gave_up=lambda _tx, event: made.gave_up.append(event.event_id),
            unmatched=lambda _tx, event: made.unmatched.append(event.event_id),
        ),
    )
    return made


def told(event_id: str = "e1", body: str = "ding", kind: str = "ring", at: int = 1_000) -> Incoming:
    return Incoming("bell", "main", event_id, kind, at, body)


def tell(store: Store, *events: Incoming) -> list[Receipt]:
    async def all_of_them() -> list[Receipt]:
        return [await receive(store, event) for event in events]

    return asyncio.run(all_of_them())


def rows(store: Store) -> dict[str, tuple[str, int, int | None]]:
    return {
        row.event_id: (row.state, row.attempts, row.next_try_at)
        for row in store.read(lambda tx: tx.execute(select(inbox)).all())
    }


def effects(store: Store) -> list[str]:
    """Event ids whose effect stands (the store's own facts have underscores)."""
    return [
        name
        for name in store.read(
            lambda tx: tx.execute(select(store_fact.c.name).order_by(store_fact.c.name)).scalars().all()
        )
        if name.startswith("e")
    ]


def test_an_event_is_kept_and_worked_on(store: Store, bell: Bell) -> None:
    [receipt] = tell(store, told())
    assert not receipt.duplicate
    assert rows(store) == {"e1": ("done", 0, None)}
    assert effects(store) == ["e1"]
    kept = store.read(lambda tx: tx.execute(select(inbox)).one())
    assert (kept.order_id, kept.person_id, kept.body, kept.occurred_at) == ("o1", "p1", "ding", 1_000)


def test_told_twice_has_one_effect(store: Store, bell: Bell) -> None:
    receipts = tell(store, told(), told(body="dong"))
    assert [receipt.duplicate for receipt in receipts] == [False, True]
    assert receipts[0].id == receipts[1].id
    assert effects(store) == ["e1"]


def test_the_same_id_of_another_connection_is_another_event(store: Store, bell: Bell) -> None:
    other = Incoming("bell", "second", "e2", "ring", 1, "x")
    receipts = tell(store, told("e2", kind="unheard"), other)
    assert [receipt.duplicate for receipt in receipts] == [False, False]


def test_told_at_once_by_many_has_one_effect(store: Store, bell: Bell) -> None:
    gate = threading.Barrier(8)
    problems: list[Exception] = []

    def one() -> None:
        gate.wait(10)
        try:
            tell(store, told())
        except Exception as problem:  # noqa: BLE001 - shown below
            problems.append(problem)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems
    assert effects(store) == ["e1"]
    assert rows(store) == {"e1": ("done", 0, None)}


def test_what_is_settled_is_not_worked_on_again(store: Store, bell: Bell) -> None:
    [receipt] = tell(store, told())
    store.write(lambda tx: work(tx, receipt.id))
    assert bell.rung == ["e1"]
    store.write(lambda tx: note_failure(tx, receipt.id, "LateError"))
    assert rows(store) == {"e1": ("done", 0, None)}


def test_an_unknown_type_is_kept_and_ignored(store: Store, bell: Bell) -> None:
    tell(store, told(kind="sing"))
    assert rows(store) == {"e1": ("ignored", 0, None)}
    assert effects(store) == []


def test_a_failing_handler_leaves_nothing_but_the_row_and_is_tried_again(
    store: Store, bell: Bell, clock: FrozenClock
) -> None:
    bell.broken = RuntimeError
    tell(store, told())
    assert effects(store) == []
    assert rows(store) == {"e1": ("failed", 1, clock.now() + WAITS[0])}
    error = store.read(lambda tx: tx.execute(select(inbox.c.error)).scalar())
    assert error == "RuntimeError"
    assert run_due(store) == 0  # not yet
    bell.broken = None
    clock.advance(WAITS[0])
    assert run_due(store) == 1
    assert rows(store) == {"e1": ("done", 1, None)}
    assert effects(store) == ["e1"]
    assert run_due(store) == 0


def test_a_repeat_of_a_failed_event_does_not_use_up_its_tries(
    store: Store, bell: Bell, clock: FrozenClock
) -> None:
    bell.broken = RuntimeError
    tell(store, told(), told(), told())
    assert rows(store) == {"e1": ("failed", 1, clock.now() + WAITS[0])}


def test_after_the_last_try_a_person_is_told_once(store: Store, bell: Bell, clock: FrozenClock) -> None:
    bell.broken = ValueError
    tell(store, told())
    for wait in WAITS:
        assert bell.gave_up == []
        clock.advance(wait)
        assert run_due(store) == 1
    assert bell.gave_up == ["e1"]
    assert rows(store) == {"e1": ("dead", len(WAITS) + 1, None)}
    clock.advance(DAY)
    assert run_due(store) == 0


def test_one_bad_event_does_not_keep_the_others_waiting(store: Store, bell: Bell, clock: FrozenClock) -> None:
    bell.broken = ValueError
    tell(store, told("e1"), told("e2"))
    clock.advance(WAITS[0])

    def only_the_first_fails() -> None:
        bell.broken = ValueError if bell.broken is None and not tried else None
        tried.append(1)

    tried: list[int] = []
    bell.broken = None
    bell.before_effect = only_the_first_fails
    assert run_due(store) == 2
    assert [state for state, _, _ in rows(store).values()].count("done") == 1


def test_what_a_killed_process_kept_is_worked_on_by_the_next(
    store: Store, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed() -> None:
        raise Killed

    bell.before_effect = killed
    with pytest.raises(Killed):
        tell(store, told())
    assert rows(store)["e1"][0] == "received"
    bell.before_effect = lambda: None
    assert run_due(store) == 1
    assert effects(store) == ["e1"]


def test_a_repeat_finishes_what_was_cut_off(store: Store, bell: Bell) -> None:
    class Killed(BaseException):
        pass

    def killed() -> None:
        raise Killed

    bell.before_effect = killed
    with pytest.raises(Killed):
        tell(store, told())
    bell.before_effect = lambda: None
    [receipt] = tell(store, told())
    assert receipt.duplicate
    assert rows(store) == {"e1": ("done", 0, None)}


class TestParked:
    def test_it_is_worked_on_with_what_it_waited_for(self, store: Store, bell: Bell) -> None:
        tell(store, told("e1", "wait gong"), told("e2", "wait other"))
        assert rows(store)["e1"][0] == "parked"
        tell(store, told("n1", "gong", kind="name"))
        assert rows(store)["e1"] == ("done", 0, None)
        assert effects(store) == ["e1"]
        assert rows(store)["e2"][0] == "parked"

    def test_several_go_oldest_first(self, store: Store, bell: Bell) -> None:
        tell(store, told("e1", "wait gong", at=5), told("e2", "wait gong", at=3))
        tell(store, told("n1", "gong", kind="name"))
        assert bell.rung == ["e2", "e1"]
        assert effects(store) == ["e1", "e2"]

    def test_one_that_fails_does_not_disturb_what_woke_it(self, store: Store, bell: Bell) -> None:
        tell(store, told("e1", "wait gong"))
        bell.broken = KeyError
        tell(store, told("n1", "gong", kind="name"))
        assert rows(store)["n1"][0] == "done"
        assert rows(store)["e1"][:2] == ("failed", 1)
        assert effects(store) == []

    def test_it_is_looked_at_again_and_given_up_after_a_day(
        self, store: Store, bell: Bell, clock: FrozenClock
    ) -> None:
        tell(store, told("e1", "wait gong"))
        began, looks = clock.now(), 0
        while (due := rows(store)["e1"][2]) is not None:
            assert due - clock.now() >= MINUTE or due == began + PARKED_FOR
            clock.set(due)
            assert run_due(store) == 1
            looks += 1
        assert clock.now() == began + PARKED_FOR
        assert 8 <= looks <= 20
        assert rows(store)["e1"][0] == "dead"
        assert bell.unmatched == ["e1"]

    def test_even_then_it_is_worked_on_when_what_it_speaks_of_comes(
        self, store: Store, bell: Bell, clock: FrozenClock
    ) -> None:
        tell(store, told("e1", "wait gong"))
        clock.advance(PARKED_FOR)
        run_due(store)
        assert rows(store)["e1"][0] == "dead"
        tell(store, told("n1", "gong", kind="name"))
        assert effects(store) == ["e1"]
        assert bell.unmatched == ["e1"]

    def test_both_at_the_same_moment_do_not_miss_each_other(self, store: Store, bell: Bell) -> None:
        for turn in range(10):
            gate = threading.Barrier(2)

            def one(event: Incoming, gate: threading.Barrier = gate) -> None:
                gate.wait(10)
                tell(store, event)

            threads = [
                threading.Thread(target=one, args=(event,))
                for event in (
                    told(f"e{turn}", f"wait gong{turn}"),
                    told(f"n{turn}", f"gong{turn}", kind="name"),
                )
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        assert {state for state, _, _ in rows(store).values()} == {"done"}
        assert effects(store) == [f"e{turn}" for turn in range(10)]


def test_a_store_that_cannot_keep_it_does_not_say_it_did(store: Store, bell: Bell) -> None:
    store.write(lambda tx: tx.driver_sql("DROP TABLE inbox"))
    with pytest.raises(DBAPIError):
        tell(store, told())


def test_bodies_go_after_thirty_days_and_replays_are_still_known(
    store: Store, bell: Bell, clock: FrozenClock
) -> None:
    bell.broken = None
    tell(store, told("e1"), told("e2", kind="sing"), told("e3", "wait gong"))
    clock.advance(KEPT_DAYS * DAY)
    assert prune(store) == 0
    clock.advance(1)
    tell(store, told("e4"))
    assert prune(store, days=1) == 2  # never sooner than the senders may still repeat
    left = {row.event_id: row.body for row in store.read(lambda tx: tx.execute(select(inbox)).all())}
    assert left == {"e1": "", "e3": "wait gong", "e4": "ding"}  # e3 is not settled
    [receipt] = tell(store, told("e1"))
    assert receipt.duplicate
    assert effects(store) == ["e1", "e4"]
    assert prune(store) == 0


def test_nothing_of_a_body_is_logged(
    store: Store, bell: Bell, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    bell.broken = RuntimeError
    tell(store, told(body="mary@example.com"))
    clock.advance(HOUR)
    run_due(store)
    assert len(caplog.records) == 2
    assert all("mary" not in str(record.__dict__) for record in caplog.records)
