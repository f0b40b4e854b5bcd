"""A change holds at once, for every thread and process, and reading is still almost free."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from server.audit.models import audit
from server.kit import topics
from server.kit.clock import FrozenClock
from server.kit.db import Store, open_store
from server.kit.problems import ProblemError
from server.kit.setting_source import Override
from server.kit.sqlite import SqliteStore
from server.kit.tx import Tx
from server.settings import service
from server.settings.models import setting


@pytest.fixture
def other(store: Store, database_url: str, clock: FrozenClock) -> Iterator[Store]:
    """Another process's store on the same database, as far as the first one can tell."""
    opened = open_store(database_url, Path(), clock)
    opened.setting_source.box = store.setting_source.box
    yield opened
    opened.close()


def name_of(store: Store) -> str:
    return store.read(lambda tx: service.get(tx, "shop.name"))


def set_name(store: Store, name: str) -> None:
    store.write(lambda tx: service.set_value(tx, "shop.name", name))


def test_every_kind_has_its_type(store: Store) -> None:
    def unit(tx: Tx) -> tuple[str, int, bool, bool, str, str]:
        service.set_value(tx, "fulfilment.automatic", "off")
        service.set_value(tx, "actions.undo_seconds", "0")
        return (
            service.get(tx, "mail.smtp.host"),
            service.get(tx, "actions.undo_seconds"),
            service.get(tx, "fulfilment.automatic"),
            service.get(tx, "mail.shipping"),
            service.get(tx, "jobs.nightly_at"),
            service.get(tx, "printify.url"),
        )

    assert store.write(unit) == ("", 0, False, True, "03:30", "https://api.printify.com/v1")


def test_the_from_name_is_the_shops_until_it_has_one(store: Store) -> None:
    def from_name() -> str:
        return store.read(lambda tx: service.get(tx, "mail.from_name"))

    assert from_name() == "My shop"
    set_name(store, "Petals")
    assert from_name() == "Petals"
    store.write(lambda tx: service.set_value(tx, "mail.from_name", "Olive of Petals"))
    assert from_name() == "Olive of Petals"
    store.write(lambda tx: service.unset(tx, "mail.from_name"))
    assert from_name() == "Petals"


def test_another_process_sees_a_change_at_its_next_look(store: Store, other: Store) -> None:
    for name in ("One", "Two", "Three"):
        set_name(store, name)
        assert (name_of(store), name_of(other)) == (name, name)
        assert other.write(lambda tx: service.get(tx, "shop.name")) == name
    store.write(lambda tx: service.unset(tx, "shop.name"))
    assert name_of(other) == "My shop"


def test_a_real_other_process_sees_a_change(store: Store, database_url: str) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from server.kit.db import open_store; from server.settings import service\n"
        "store = open_store(sys.argv[1], Path())\n"
        "for _ in sys.stdin:\n"
        "    print(store.read(lambda tx: service.get(tx, 'shop.name')), flush=True)\n"
        "store.close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, database_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        assert process.stdin
        assert process.stdout
        for name in ("My shop", "One", "Two"):
            if name != "My shop":
                set_name(store, name)
            process.stdin.write("?\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == name
        process.stdin.close()
        assert process.wait() == 0


def test_another_thread_sees_a_change(store: Store) -> None:
    assert name_of(store) == "My shop"
    seen: list[str] = []
    set_name(store, "One")
    thread = threading.Thread(target=lambda: seen.append(name_of(store)))
    thread.start()
    thread.join()
    assert seen == ["One"]


def test_a_transaction_sees_its_own_change_and_nobody_sees_one_that_is_undone(
    store: Store, other: Store
) -> None:
    assert name_of(store) == "My shop"

    def fails(tx: Tx) -> None:
        service.set_value(tx, "shop.name", "Never")
        assert service.get(tx, "shop.name") == "Never"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write(fails)
    assert name_of(store) == "My shop"
    set_name(other, "Real")  # its counter is the one that the undone change had
    assert name_of(store) == "Real"
    assert store.read(topics.counters)["settings"] == 1


def test_a_part_that_is_undone_leaves_nothing_behind(store: Store, other: Store) -> None:
    def part(tx: Tx) -> None:
        with tx.savepoint():
            service.set_value(tx, "shop.name", "Never")
            service.get(tx, "shop.name")
            raise RuntimeError

    def unit(tx: Tx) -> None:
        with pytest.raises(RuntimeError):
            part(tx)

    def looks(tx: Tx) -> str:
        unit(tx)
        return service.get(tx, "shop.name")

    assert store.write(looks) == "My shop"
    store.write(unit)
    set_name(other, "Real")  # its counter is the one that the undone change had
    assert name_of(store) == "Real"


def test_a_unit_sees_what_one_before_it_in_the_same_commit_changed(
    sqlite_store: SqliteStore, clock: FrozenClock
) -> None:
    """Then the group is rolled back and each is tried alone, so nothing of what was read in it may be kept."""
    assert name_of(sqlite_store) == "My shop"
    entered, go = threading.Event(), threading.Event()
    tries: list[str] = []

    def holds(tx: Tx) -> None:
        entered.set()
        assert go.wait(30)

    def once(what: str, unit: Callable[[Tx], object]) -> Callable[[Tx], object]:
        def first_time_only(tx: Tx) -> object:
            if what in tries:
                raise RuntimeError
            tries.append(what)
            return unit(tx)

        return first_time_only

    def fails(tx: Tx) -> None:
        raise RuntimeError

    seen: list[str] = []
    units: list[Callable[[Tx], object]] = [
        once("set", lambda tx: service.set_value(tx, "shop.name", "Never")),
        once("get", lambda tx: seen.append(service.get(tx, "shop.name"))),
        fails,
    ]
    waiting = [threading.Thread(target=sqlite_store.write, args=[holds])]
    waiting[0].start()
    assert entered.wait(30)
    for number, unit in enumerate(units):
        thread = threading.Thread(target=lambda unit=unit: _quietly(sqlite_store, unit))
        thread.start()
        waiting.append(thread)
        while sqlite_store._queue.qsize() <= number:
            pass
    go.set()
    for thread in waiting:
        thread.join()
    assert seen == ["Never"], "the change before it in its own group"
    other = open_store(f"sqlite:///{sqlite_store.path}", Path(), clock)
    set_name(other, "Real")  # its counter is the one that the undone change had
    other.close()
    assert name_of(sqlite_store) == "Real"


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: FrozenClock) -> Iterator[SqliteStore]:
    opened = open_store(sqlite_url, Path(), clock)
    assert isinstance(opened, SqliteStore)
    yield opened
    opened.close()


def _quietly(store: Store, unit: Callable[[Tx], object]) -> None:
    with suppress(RuntimeError):
        store.write(unit)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engines = [
        value
        for name in ("engine", "_reader_engine", "_writer_engine")
        if (value := getattr(store, name, None)) is not None
    ]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_an_unchanged_table_is_read_once(store: Store) -> None:
    def unit(tx: Tx) -> None:
        service.get(tx, "mail.smtp.host")
        service.get(tx, "mail.smtp.port")
        service.shop(tx)

    with statements(store) as said:
        store.read(unit)
    assert sum("FROM setting" in one for one in said) == 1
    with statements(store) as said:
        store.read(unit)
        store.write(unit)
    assert not any("setting" in one for one in said)
    assert sum("topic" in one for one in said) <= 2, "the counter alone, once in each"


def test_the_environment_goes_before_what_is_stored_and_says_so(store: Store) -> None:
    set_name(store, "Stored")
    store.setting_source.overrides = {"shop.name": Override("SHOPBELL_SHOP_NAME", "Given")}
    store.setting_source.forget()
    assert name_of(store) == "Given"
    for change in (
        lambda tx: service.set_value(tx, "shop.name", "Other"),
        lambda tx: service.unset(tx, "shop.name"),
    ):
        with pytest.raises(ProblemError) as caught:
            store.write(change)
        assert (caught.value.status, caught.value.code) == (409, "overridden_by_environment")
        assert "SHOPBELL_SHOP_NAME" in str(caught.value.detail)
        assert "Given" not in str(caught.value.detail)
    store.setting_source.overrides = {}
    store.setting_source.forget()
    assert name_of(store) == "Stored"


def test_each_change_is_recorded_by_name_alone(store: Store) -> None:
    set_name(store, "Petals & Paper")
    store.write(lambda tx: service.set_value(tx, "printify.token", "canary-canary-canary"))
    store.write(lambda tx: service.unset(tx, "shop.name"))
    store.write(lambda tx: service.unset(tx, "shop.name"))
    rows = store.read(lambda tx: tx.execute(select(audit)).all())
    assert [(row.action, row.resource_type, row.resource_id) for row in rows] == [
        ("setting.changed", "setting", "shop.name"),
        ("setting.changed", "setting", "printify.token"),
        ("setting.changed", "setting", "shop.name"),
    ], "unsetting what is not set changes nothing"
    assert "Petals" not in repr(rows)
    assert "canary" not in repr(rows)


def test_a_setting_of_a_newer_version_harms_nothing(store: Store) -> None:
    row = {"name": "of.a.newer.version", "value": "x", "updated_at": 1}
    store.write(lambda tx: tx.execute(insert(setting).values(row)).rowcount)
    assert name_of(store) == "My shop"
    assert store.read(service.complaints) == []
