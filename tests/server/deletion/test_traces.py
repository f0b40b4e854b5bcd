"""After an erasure not one byte of the person is left: looked for in the files themselves, not where it should be."""

from __future__ import annotations

import itertools
import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, LargeBinary, Table, insert, select, update

from server.activity.models import activity
from server.activity.service import log
from server.contract.deletion import Deletion
from server.deletion import files, rows, steps, traces
from server.deletion import service as deletions
from server.deletion.models import deletion
from server.inbox.models import inbox
from server.jobs.errors import JobError
from server.jobs.runner import Runner
from server.kit.clock import DAY, FrozenClock
from server.kit.crypto import Key, KeyRing, SecretBox
from server.kit.db import Store, open_store
from server.kit.folding import fold_email, mark_words
from server.kit.log import JsonFormatter
from server.kit.schema import JSON, metadata
from server.kit.sqlite import SqliteStore, driver
from server.kit.tx import Tx
from server.people import erasure
from server.people import service as people
from server.people.models import person
from server.settings.models import setting
from tests.server.conftest import Staff, let_staff_in
from tests.server.deletion import world
from tests.server.deletion.plain_columns import PLAIN, TABLES
from tests.server.deletion.world import World

CANARIES = 200
ALPHABET = "bcdfghjklmnpqrstvwxz"


PROGRAMS = {
    ("account", "role"),  # the audit repeats it
    ("ticket_history", "value_from"),  # a word or an id
    ("ticket_history", "value_to"),
}
"""Words of the program in tables whose other texts, or whose rows, go."""


class Canaries:
    """Words that stand nowhere else, one for each place."""

    def __init__(self, rng: random.Random, most: int = CANARIES) -> None:
        self._rng, self.most = rng, most
        self.words: list[str] = []

    def new(self) -> str:
        word = "".join(self._rng.choice(ALPHABET) for _ in range(14))
        self.words.append(word)
        return word

    @property
    def left(self) -> int:
        return self.most - len(self.words)


class Spread(World):
    """A shop in which every field that can hold something of one person holds a canary of its own.

    What the person wrote or what is known of them is a canary; what others wrote names them by their e-mail, phone,
    full name or street, which are canaries too.
    """

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.canaries = Canaries(rng)
        self.mine = ""
        self.places: set[str] = set()

    def own_text(self, table: Table, column: Column[Any]) -> bool:
        if (table.name, column.name) in PROGRAMS:
            return False
        return table.name not in TABLES and column.name not in PLAIN.get(table.name, {})

    def spread(self, tx: Tx) -> None:
        """First somebody with contact data, then rows about them until all canaries are out."""
        self.fill_table(tx, person, 3)
        self.mine = self.people[0]
        first, last = self.canaries.new(), self.canaries.new()
        email = f"{self.canaries.new()}@example.com"
        known = {
            "name": f"{first} {last}".title(),
            "name_key": f"{first} {last}",
            "email": email.title(),
            "email_key": fold_email(email),
            "phone": "+44 20 7946 0958",
        }
        tx.execute(update(person).where(person.c.id == self.mine).values(known))
        self.names = [known["name"], known["email"], known["phone"]]
        for table in metadata.sorted_tables:
            if table.name not in world.SKIPPED | {"person", "deletion", "deletion_plan"}:
                self.rows_about(tx, table, 2)
        tables = [
            table
            for table in metadata.sorted_tables
            if table.name in self.rows and any(self.own_text(table, c) for c in rows.texts_of(table))
        ]
        while self.canaries.left > 0:
            table = self.rng.choice([t for t in tables if t.name not in ("person", "account")])
            self.rows_about(tx, table, 1)

    def rows_about(self, tx: Tx, table: Table, many: int) -> None:
        for _ in range(many):
            row = self.row(tx, table)
            if row is None:
                continue
            for name in ("person_id", *world._USERS):
                if name in row and table.name != "account":
                    row[name] = self.of_mine(name, row[name])
            if table.name == "account":
                row["person_id"] = self.mine
                if self.rows.get("account"):
                    continue
            tx.execute(insert(table).values(row))
            self.note(table, row)
            self.mark(tx, table, row)

    def of_mine(self, name: str, value: Any) -> Any:
        if name == "person_id":
            return self.mine
        wanted = self.users and (name == "user_id" or value is not None)
        return self.users[0] if wanted else value

    def mark(self, tx: Tx, table: Table, row: dict[str, Any]) -> None:
        """Put canaries into a row that was made about the person: into every field, or it would hold what all hold."""
        values: dict[str, Any] = {}
        for column in rows.texts_of(table):
            if self.own_text(table, column) and column.name != "words":
                values[column.name] = self.canary(table, column)
                self.places.add(f"{table.name}.{column.name}")
        if not values:
            return
        if "value" in values and "words" in row:
            values["words"] = mark_words(values["value"])
            tx.execute(table.delete().where(table.c.activity_id == row["activity_id"]))
            tx.execute(insert(table).values(row | values))
            return
        keys = [column for column in table.primary_key if column.name in row]
        mine = [column == row[column.name] for column in keys]
        tx.execute(update(table).where(*mine).values(values))
        row |= values

    def canary(self, table: Table, column: Column[Any]) -> Any:
        mentioned = {name for entry in erasure.mentions() if entry.table is table for name in entry.columns}
        ruled = {
            c.name for rule in erasure.rules() if rule.table is table for c in steps.written_columns(rule)
        }
        if column.name in mentioned and column.name not in ruled:
            return f"as {self.rng.choice(self.names)} told us"
        if column.name in ("line1", "line2"):
            return f"{self.canaries.new()} {self.rng.randint(1, 99)}"
        if table.name == "inbox":
            return json.dumps({"email": self.names[1], "name": self.names[0], "phone": self.names[2]})
        word = self.canaries.new()
        if isinstance(column.type, LargeBinary):
            return word.encode()
        return {"said": word} if column.type is JSON else word


@dataclass(frozen=True)
class Place:
    """A fresh shop: its store, its staff, and the directory of its data (empty on PostgreSQL but for the log)."""

    store: Store
    staff: Staff
    folder: Path


Fresh = Callable[[], AbstractContextManager[Place]]


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    prepare_database: Callable[[str], None],
    clock: FrozenClock,
) -> Fresh:
    """Shops of the test's own, as many as it wants, one after the other; what they log stands beside the data."""
    count = itertools.count()
    key = f"{prepare_database.__module__}.{prepare_database.__qualname__}"

    postgres = request.getfixturevalue("postgres") if request.param == "postgresql" else None

    @contextmanager
    def one() -> Iterator[Place]:
        folder = tmp_path / f"data-{next(count)}"
        folder.mkdir()
        if postgres is None:
            templates = request.getfixturevalue("_sqlite_templates")
            templates.copy(key, prepare_database, folder / "shop.db")
            url = f"sqlite:///{folder / 'shop.db'}"
        else:
            url = postgres.create_database(postgres.template(key, prepare_database))
        store = open_store(url, folder, clock)
        store.setting_source.box = SecretBox(KeyRing([Key.of(b"the key of the tests' secrets...")]))
        store.setting_source.data_dir = folder
        handler = logging.FileHandler(folder / "shopbelld.log")
        handler.setFormatter(JsonFormatter())
        logging.getLogger().addHandler(handler)
        try:
            yield Place(store, let_staff_in(store), folder)
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()
            store.close()
            if postgres is not None:
                postgres.drop_database(url)

    return one


def in_files(folder: Path, words: list[str]) -> dict[str, int]:
    """How often words stand in each file of a folder, whatever their case."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            held = path.read_bytes().lower()
            if many := sum(held.count(word.lower().encode()) for word in words):
                found[path.name] = many
    return found


def in_tables(store: Store, words: list[str]) -> dict[str, int]:
    """How often words stand in any value of any row, whatever the column is for."""
    found: dict[str, int] = {}

    def unit(tx: Tx) -> None:
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)).all():
                held = repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).lower()
                if many := sum(held.count(word.lower()) for word in words):
                    found[table.name] = found.get(table.name, 0) + many

    store.read(unit)
    return found


def run_jobs(store: Store) -> None:
    Runner(store).drain()


def the_only(store: Store) -> Deletion:
    wanted = select(deletion.c.id).where(deletion.c.erased_at.is_not(None))
    return store.read(lambda tx: deletions.get(tx, tx.execute(wanted).scalar_one()))


ONCE = (Phase.explicit, Phase.generate)
"""An example is not made smaller: each takes seconds, and its seed says it all."""
SEEDS = st.integers(0, 2**32)


def canaries_go(place: Place, seed: int) -> None:
    """Spread them, delete the person, let the jobs run, and look everywhere."""
    store = place.store
    made = Spread(random.Random(seed))  # noqa: S311 - so that an example comes again
    store.write(made.spread)
    words = [*made.canaries.words, "7946 0958"]
    assert len(made.canaries.words) >= CANARIES
    assert in_tables(store, words)
    if isinstance(store, SqliteStore):
        assert in_files(place.folder, words), "they were in the files before"
    begun = time.monotonic()
    plan = world.planned(store, made.mine, place.staff.principal("owner"))
    done = world.delete(store, made.mine, place.staff.principal("owner"))
    assert done.counts == {f"{row.fate} {row.noun}": row.count for row in plan.tables}
    run_jobs(store)
    took = time.monotonic() - begun
    assert in_tables(store, words) == {}, sorted(made.places)
    assert in_files(place.folder, words) == {}
    result = the_only(store)
    assert (result.state, result.scan) == ("clean", [])
    assert took < 60


@given(seed=SEEDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=1, phases=ONCE)
def test_200_canaries_and_none_is_left(fresh: Fresh, seed: int) -> None:
    """The figure: wherever something of a person can stand, and nothing of it within a minute."""
    with fresh() as place:
        canaries_go(place, seed)


@pytest.mark.deep
@pytest.mark.timeout(3600)
@given(seed=SEEDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, phases=ONCE)
def test_200_canaries_again_and_again(fresh: Fresh, seed: int) -> None:
    with fresh() as place:
        canaries_go(place, seed)


# -- what is told about what is found -------------------------------------------------------------------


def erased(place: Place, email: str = "mary@canary.example", name: str = "Mary Canary") -> str:
    person_id = place.store.write(
        lambda tx: people.find_or_create_customer(tx, email=email, name=name, phone="+44 20 7946 0958")
    )
    world.delete(place.store, person_id, place.staff.principal("owner"))
    return person_id


def put(store: Store, table: Table, **values: Any) -> str:
    def unit(tx: Tx) -> str:
        row_id = tx.new_id()
        tx.execute(insert(table).values(id=row_id, **values))
        return row_id

    return store.write(unit)


def a_webhook(body: str, **changed: Any) -> dict[str, Any]:
    fixed = {"provider": "stripe", "connection": "main", "event_id": "evt_1", "type": "x", "state": "done"}
    return fixed | {"occurred_at": 1, "received_at": 1, "attempts": 0, "body": body} | changed


def test_what_is_left_is_told_and_looked_for_until_it_is_gone(fresh: Fresh) -> None:
    with fresh() as place:
        store = place.store
        person_id = erased(place)
        left = put(store, inbox, **a_webhook('{"email": "MARY@canary.example"}'))
        run_jobs(store)
        result = the_only(store)
        assert result.state == "residue"
        assert result.scan is not None
        assert "inbox.body" in {one.place for one in result.scan if one.found and not one.expected}
        (entry,) = residues(store)
        assert (entry.level, entry.person_id, entry.resolved_at) == ("error", person_id, None)
        assert "canary" not in json.dumps([entry.params, entry.words])
        emptied = update(inbox).where(inbox.c.id == left).values(body="")
        store.write(lambda tx: tx.execute(emptied))
        place.store.clock.advance(DAY)  # type: ignore[attr-defined]
        run_jobs(store)
        assert (the_only(store).state, the_only(store).scan) == ("clean", [])
        assert residues(store)[0].resolved_at is not None
        assert sealed(store) is None


def residues(store: Store) -> list[Any]:
    wanted = select(activity).where(activity.c.type == "deletion.residue")
    return store.read(lambda tx: list(tx.execute(wanted).all()))


def sealed(store: Store) -> str | None:
    return store.read(lambda tx: tx.execute(select(deletion.c.sealed)).scalar())


def test_whom_to_look_for_is_sealed_until_then(fresh: Fresh) -> None:
    with fresh() as place:
        erased(place)
        kept = sealed(place.store)
        assert kept is not None
        assert kept.startswith("v1:")
        assert "canary" not in kept
        run_jobs(place.store)
        assert sealed(place.store) is None


def test_without_the_key_nothing_is_claimed(fresh: Fresh) -> None:
    with fresh() as place:
        erased(place)
        place.store.setting_source.box = SecretBox(KeyRing([Key.of(b"another key, not that of before.")]))
        run_jobs(place.store)
        result = the_only(place.store)
        assert (result.state, result.scan) == ("erased", [])


@pytest.mark.parametrize("shared", ["email", "name"])
def test_what_is_also_somebody_elses_is_told_as_theirs(fresh: Fresh, shared: str) -> None:
    """The same address as a member of staff, the same name as another customer: their records are no residue."""
    with fresh() as place:
        store = place.store
        if shared == "email":
            store.write(lambda tx: people.create_staff(tx, email="MARY@canary.example", name="M."))
        else:
            store.write(
                lambda tx: people.find_or_create_customer(tx, email="b@example.com", name="Mary Canary")
            )
        erased(place)
        run_jobs(store)
        result = the_only(store)
        assert result.state == "clean"
        assert result.scan
        assert all(one.expected for one in result.scan)
        assert not residues(store)


def test_the_shops_own_words_are_its_own(fresh: Fresh) -> None:
    with fresh() as place:
        told = insert(setting).values(name="mail.from_address", value="mary@canary.example", updated_at=1)
        place.store.write(lambda tx: tx.execute(told))
        erased(place)
        run_jobs(place.store)
        result = the_only(place.store)
        assert result.state == "clean"
        assert [(one.place, one.expected) for one in result.scan or ()] == [("setting.value", True)]


def test_words_of_deleted_texts_leave_the_full_text_index(fresh: Fresh) -> None:
    """The index keeps words until it is merged; merged it holds none of them."""
    with fresh() as place:
        store = place.store
        if not isinstance(store, SqliteStore):
            return  # its index is cleaned by VACUUM, and the search of the tables is the same
        person_id = store.write(lambda tx: people.find_or_create_customer(tx, email="m@canary.example"))
        for number in range(50):
            text = {"reason": f"zanzibarquux{number} said so"}
            store.write(partial(log, type="email.failed", person_id=person_id, texts=text))
        world.delete(store, person_id, place.staff.principal("owner"))
        assert terms(store) > 0
        run_jobs(store)
        assert terms(store) == 0
        assert in_files(place.folder, ["anzibarquux"]) == {}


def terms(store: Store) -> int:
    """In how many blocks of the index itself the words stand."""
    blocks = (
        "SELECT count(*) FROM activity_text_words_data WHERE instr(block, CAST('zanzibarquux' AS BLOB)) > 0"
    )
    return store.read(lambda tx: int(tx.driver_sql(blocks).scalar_one()))


def test_a_reader_in_the_way_is_waited_for_and_told(
    tmp_path: Path, sqlite_url: str, clock: FrozenClock
) -> None:
    """The checkpoint says busy without raising: the row is read, tried again, and the job comes again."""
    store = open_store(sqlite_url, tmp_path, clock)
    assert isinstance(store, SqliteStore)
    reader = driver.connect(store.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM person").fetchone()
    store.write(lambda tx: people.find_or_create_customer(tx, email="m@example.com"))
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 2:
            reader.execute("ROLLBACK")
        return False

    try:
        traces.checkpoint(store, wait, busy_milliseconds=1)
        assert len(waits) == 2
        assert not store.path.with_name("shop.db-wal").stat().st_size
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM person").fetchone()
        store.write(lambda tx: people.find_or_create_customer(tx, email="n@example.com"))
        with pytest.raises(JobError) as busy:
            traces.checkpoint(store, lambda _: False, busy_milliseconds=1)
        assert "in use" in busy.value.reason
    finally:
        reader.close()
        store.close()


def test_what_is_left_in_free_space_is_shaken_out(fresh: Fresh) -> None:
    """A file that was written by a program without overwriting: what is left is found, and gone after the shake."""
    with fresh() as place:
        store = place.store
        if not isinstance(store, SqliteStore):
            return
        raw = driver.connect(store.path, isolation_level=None)
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("CREATE TABLE scratch (x TEXT)")
        raw.executemany("INSERT INTO scratch VALUES (?)", [("mary@canary.example" * 20,)] * 200)
        raw.execute("DROP TABLE scratch")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        assert in_files(place.folder, ["mary@canary.example"])
        erased(place)
        run_jobs(store)
        assert the_only(store).state == "clean"
        assert in_files(place.folder, ["mary@canary.example"]) == {}


def test_backups_are_told_apart_and_other_files_are_not(fresh: Fresh) -> None:
    with fresh() as place:
        store = place.store
        if not isinstance(store, SqliteStore):
            return
        (place.folder / "old.db").write_text("mary@canary.example")
        (place.folder / "old.db.json").write_text("{}")
        (place.folder / "shop.db.before-restore-1").write_text("MARY@CANARY.example")
        (place.folder / "practice-providers.jsonl").write_text("mary@canary.example")
        erased(place)
        run_jobs(store)
        result = the_only(store)
        assert (result.state, [(one.place, one.found) for one in result.scan or ()]) == (
            "clean",
            [("backups", 2), ("practice providers", 1)],
        )
        (place.folder / "export").mkdir()
        (place.folder / "export" / "people.csv").write_text("x,Mary Canary,y")
        known = erasure.Known(emails=("mary@canary.example",), names=("Mary Canary",))
        found = files.search(store.path, rows.words_of(known))
        assert found.residue == {"export/people.csv": 1}


@given(
    text=st.binary(max_size=60),
    words=st.lists(st.text(alphabet="abc@é", min_size=1, max_size=6), min_size=1, max_size=3),
    chunk=st.integers(1, 7),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_of_a_file_hide_nothing(
    tmp_path: Path, text: bytes, words: list[str], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that lies across two parts of the reading is found, and counted as if there were no parts."""
    path = tmp_path / "file"
    path.write_bytes(text + words[0].encode() + text)
    wanted = sorted({word.encode() for word in words})
    monkeypatch.setattr(files, "_CHUNK", chunk)
    found = files._count(path, wanted)
    assert bool(found) == any(word in path.read_bytes().lower() for word in wanted)
