"""The list of erasures, and the replay: whatever an older store still holds of somebody goes again."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from server.deletion import erasures, replay
from server.deletion.erasures import Entry, Listed
from server.deletion.models import deletion
from server.jobs.models import job
from server.kit.clock import DAY, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.people.models import person
from tests.server.conftest import Staff
from tests.server.deletion.bench import Bench


@pytest.fixture
def bench(http: httpx.Client, store: Store, staff: Staff) -> Bench:
    return Bench(http, store, staff, "owner")


@pytest.fixture
def list_file(config: ServerConfig) -> Path:
    return config.data_dir / erasures.FILE


def id_of(name: str) -> str:
    """An id that a name always has."""
    return str(uuid5(NAMESPACE_URL, name))


def entry(person_id: str, state: Any = "erased", **changed: Any) -> Entry:
    """What the list says of somebody."""
    made = Entry(
        store=None,
        id=id_of(person_id),
        person_id=person_id,
        kind="customer",
        mark="7F2A",
        state=state,
        asked_by=None,
        asked_role="owner",
        asked_at=1_771_840_800_000,
        plan_hash=None,
        due_at=None,
        erased_at=1_771_840_800_000 if state == "erased" else None,
        counts=None,
        receipt=None,
        signature=None,
    )
    return Entry.model_validate(made.model_dump() | changed)


def listed(*entries: Entry) -> Listed:
    return Listed({each.id: each for each in entries})


def forget_erasure(bench: Bench, person_id: str, deletion_id: str, email: str) -> None:
    """Put the store back to where it was before an erasure, as an older backup has it."""
    bench.write(
        person_id, erased_at=None, email=email, email_key=email, name="Mary Example", name_key="mary example"
    )
    bench.address(person_id, line1="17 Cherry Tree Lane")

    def unit(tx: Any) -> None:
        tx.execute(delete(deletion).where(deletion.c.id == deletion_id))
        tx.execute(delete(job).where(job.c.kind.like("deletion.%")))

    bench.store.write(unit)


def test_an_older_store_has_nobody_back(bench: Bench, list_file: Path, clock: FrozenClock) -> None:
    mary, tom = bench.customer("mary@example.com"), bench.customer("tom@example.com")
    made = bench.delete(mary)
    bench.work()
    forget_erasure(bench, mary, made["id"], "mary@example.com")
    clock.advance(DAY)
    done = replay.catch_up(bench.store)
    assert (done.erased, done.scheduled, done.restored, done.broken) == (1, 0, 0, 0)
    row = bench.row(mary)
    assert (row.email, row.name, row.erased_at) == (None, None, clock.now())
    assert bench.row(tom).email == "tom@example.com"
    again = bench.deletion(made["id"])
    assert (again.receipt, again.signature) == (made["receipt"], made["signature"]), (
        "the receipt is still there"
    )
    assert again.erased_at == clock.now() - DAY, "it was done then"
    assert again.counts["delete addresses"] == 1, "and what the backup brought back is counted"
    assert [each.resource_id for each in bench.audited("person.erased_again")] == [mary]
    assert bench.work() >= 1
    assert bench.deletion(made["id"]).state == "clean", "it was cleaned up after, and looked for"
    assert replay.catch_up(bench.store) == replay.Replayed(), "a second time there is nothing to do"


def test_who_is_unknown_here_is_left_alone_unless_it_is_this_stores_own_list(
    bench: Bench, store: Store
) -> None:
    """A list of another shop does nothing; this shop's own keeps erasures of people who came after the backup."""
    own = store.write(erasures.store_id)
    foreign = entry(id_of("foreign"), store="another store")
    mine = entry(id_of("mine"), store=own)
    assert not replay.replay(store, listed(foreign, mine)).anything
    known = store.read(erasures.in_table)
    assert set(known) == {mine.id}
    assert known[mine.id] == mine


def test_somebody_erased_in_the_backup_already_stays_so(bench: Bench, store: Store) -> None:
    mary = bench.customer("mary@example.com")
    made = bench.delete(mary)
    before = bench.row(mary)
    assert not replay.catch_up(store).anything
    store.write(lambda tx: tx.execute(delete(deletion).where(deletion.c.id == made["id"])))
    assert not replay.catch_up(store).anything
    assert bench.row(mary) == before
    assert bench.deletion(made["id"]).receipt == made["receipt"], "the row is in the list again"


def test_a_person_who_is_there_is_erased_even_where_the_deletion_is_known(bench: Bench, store: Store) -> None:
    """A store that was mended by hand from an older one: it knows of the erasure, and holds the person all the same."""
    mary = bench.customer("mary@example.com")
    made = bench.delete(mary)
    bench.write(mary, erased_at=None, email="mary@example.com", email_key="mary@example.com")
    assert replay.catch_up(store).erased == 1
    assert bench.row(mary).email is None
    assert bench.deletion(made["id"]).receipt == made["receipt"]


def test_a_scheduled_erasure_is_scheduled_again(bench: Bench, clock: FrozenClock, store: Store) -> None:
    mary = bench.customer("mary@example.com")
    member = bench.account(mary)
    bench.wait_days(3)
    made = bench.delete(mary)

    def older(tx: Any) -> None:
        tx.execute(delete(deletion))
        tx.execute(delete(job))
        tx.execute(update(person).values(hidden_at=None))

    store.write(older)
    assert replay.catch_up(store).scheduled == 1
    assert bench.row(mary).hidden_at is not None
    assert bench.open_tokens(member) == 0
    clock.advance(3 * DAY)
    bench.work()
    assert bench.row(mary).email is None
    assert bench.deletion(made["id"]).erased_at == clock.now()


def test_an_erasure_that_was_called_off_is_called_off_again(
    bench: Bench, clock: FrozenClock, store: Store
) -> None:
    """Otherwise an older backup would erase somebody who was to stay."""
    mary = bench.customer("mary@example.com")
    bench.account(mary)
    bench.wait_days(3)
    made = bench.delete(mary)
    backup = bench.deletion(made["id"])
    bench.call("POST", f"/deletions/{made['id']}/restore")

    def older(tx: Any) -> None:
        tx.execute(update(deletion).values(state="scheduled"))
        tx.execute(update(person).where(person.c.id == mary).values(hidden_at=backup.asked_at))
        tx.execute(update(job).where(job.c.kind == "deletion.due").values(state="waiting", finished_at=None))

    store.write(older)
    assert replay.catch_up(store).restored == 1
    assert bench.row(mary).hidden_at is None
    clock.advance(4 * DAY)
    bench.work()
    assert bench.row(mary).email == "mary@example.com"
    assert bench.deletion(made["id"]).state == "restored"


def test_a_later_entry_of_a_deletion_wins_wherever_it_stands(
    bench: Bench, store: Store, list_file: Path
) -> None:
    mary = bench.customer("mary@example.com")
    lines = [entry(mary, state).line() for state in ("erased", "scheduled")]
    list_file.write_text("".join(lines))
    assert replay.catch_up(store).erased == 1
    assert bench.row(mary).email is None


def test_a_line_that_was_cut_off_costs_itself_alone(bench: Bench, store: Store, list_file: Path) -> None:
    mary, tom = bench.customer("mary@example.com"), bench.customer("tom@example.com")
    whole, cut = entry(mary).line(), entry(tom).line()
    list_file.write_text(whole + cut[:40])
    erasures.append(list_file, [entry(id_of("later"))])
    assert set(erasures.in_file(list_file).entries) == {id_of(mary), id_of(id_of("later"))}
    done = replay.catch_up(store)
    assert (done.erased, done.broken) == (1, 1)
    assert bench.row(tom).email == "tom@example.com"


@given(st.lists(st.one_of(st.text(max_size=60), st.builds(json.dumps, st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
))), max_size=8))  # fmt: skip
@settings(max_examples=200)
def test_whatever_stands_in_a_list_nothing_breaks(lines: list[str]) -> None:
    found = erasures.read([*lines, entry(id_of("p")).line()])
    assert set(found.entries) == {id_of(id_of("p"))}


def test_a_list_is_private_and_only_grows(tmp_path: Path) -> None:
    path = tmp_path / "erasures.jsonl"
    before = os.umask(0)
    try:
        erasures.append(path, [entry(id_of("one"))])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_bytes()
    erasures.append(path, [])
    assert path.read_bytes() == first
    erasures.append(path, [entry(id_of("two")), entry(id_of("three"))])
    assert path.read_bytes().startswith(first)
    assert len(erasures.in_file(path).entries) == 3
    assert erasures.complete(path, {"x": entry(id_of("two")), "y": entry(id_of("four"))}) == 1
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic link"):
        erasures.append(link, [entry(id_of("five"))])


def test_many_at_once_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "erasures.jsonl"
    begin = threading.Barrier(8)

    def write(n: int) -> None:
        begin.wait()
        for turn in range(20):
            erasures.append(path, [entry(id_of(f"{n}-{turn}"))])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = erasures.in_file(path)
    assert (len(found.entries), found.broken) == (160, 0)


def test_a_list_that_cannot_be_written_stops_nobody_and_is_completed_later(
    bench: Bench, store: Store, list_file: Path
) -> None:
    list_file.mkdir()  # nothing can be appended to a directory
    made = bench.delete(bench.customer("mary@example.com"))
    assert made["state"] == "erased"
    list_file.rmdir()
    replay.catch_up(store)
    assert set(erasures.in_file(list_file).entries) == {made["id"]}


def test_an_erasure_that_was_rolled_back_is_in_no_list(bench: Bench, store: Store, list_file: Path) -> None:
    from server.deletion import planning, service

    mary = bench.customer("mary@example.com")
    made = bench.delete(bench.customer("tom@example.com"))

    def unit(tx: Any) -> None:
        service.finish(tx, planning.subject(tx, mary), made["id"])
        raise LookupError

    before = list_file.read_bytes()
    with pytest.raises(LookupError):
        store.write(unit)
    assert list_file.read_bytes() == before
    assert bench.row(mary).email == "mary@example.com"


def test_a_replay_that_is_cut_off_goes_on_where_it_stood(
    bench: Bench, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [bench.customer(f"c{n}@example.com") for n in range(3)]
    todo = listed(*(entry(each) for each in people))
    whole, turns = replay.replay_one, iter((True, True, False))

    def dies(tx: Any, entry: Entry) -> Any:
        if not next(turns):
            raise LookupError
        return whole(tx, entry)

    monkeypatch.setattr(replay, "replay_one", dies)
    with pytest.raises(LookupError):
        replay.replay(store, todo)
    monkeypatch.setattr(replay, "replay_one", whole)
    assert replay.replay(store, todo).erased == 1
    left = store.read(lambda tx: tx.execute(select(person.c.id).where(person.c.email.like("c%"))).all())
    assert left == []
