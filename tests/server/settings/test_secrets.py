"""Secrets go in and never come out: not by an answer, a log line, an error, the audit log or a file."""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text, update

from server.activity.models import activity
from server.app.unreadable import UnreadableSecrets
from server.kit.clock import FrozenClock
from server.kit.crypto import Key, KeyRing, SecretBox
from server.kit.db import Store, open_store
from server.kit.log import JsonFormatter
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.settings import service, snapshot
from server.settings.models import setting
from tests.server.conftest import Staff

CANARY = "canary-7f3a-9b1c-do-not-tell-5e2d"
TAIL = CANARY[-4:]
OTHER_KEY = SecretBox(KeyRing([Key.of(b"k" * 32)]))


def keep(store: Store, name: str = "printify.token", plain: str = CANARY) -> None:
    store.write(lambda tx: service.set_value(tx, name, plain))


def read(store: Store) -> str | None:
    return store.read(lambda tx: service.secret(tx, "printify.token"))


def lose_the_key(store: Store) -> SecretBox:
    before, store.setting_source.box = store.setting_source.box, OTHER_KEY
    return before


def open_entries(store: Store) -> list[dict[str, str]]:
    found = select(activity.c.params).where(
        activity.c.type == "setting.unreadable", activity.c.resolved_at.is_(None)
    )
    return [dict(row) for row in store.read(lambda tx: tx.execute(found).scalars().all())]


def test_a_secret_is_stored_sealed_and_read_as_it_was(store: Store) -> None:
    keep(store, plain=f" {CANARY}\n")
    row = store.read(lambda tx: tx.execute(select(setting)).one())
    assert read(store) == CANARY
    assert (row.sealed, row.hint) == (1, f"····{TAIL}")
    assert CANARY not in row.value
    assert store.read(lambda tx: service.secret(tx, "printful.token")) is None


def test_a_secret_is_no_setting_to_get(store: Store) -> None:
    with pytest.raises(TypeError, match="is a secret"):
        store.read(lambda tx: service.get(tx, "printify.token"))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("plain", "hint"),
    [
        ("x" * 15, "····"),
        ("x" * 12 + "last", "····last"),
        ("whsec_0123456789abcd,whsec_b", "····abcd, ····"),
    ],
)
def test_a_hint_is_four_letters_of_many_or_none(plain: str, hint: str) -> None:
    assert service.hint_of(plain) == hint


def test_a_sealed_text_moved_to_another_setting_counts_as_unset(store: Store) -> None:
    keep(store)
    keep(store, "printful.token", "the-token-of-printful")

    def swap(tx: Tx) -> None:
        value = tx.execute(select(setting.c.value).where(setting.c.name == "printful.token")).scalar()
        tx.execute(update(setting).where(setting.c.name == "printify.token").values(value=value))
        snapshot.changed(tx)

    store.write(swap)
    assert read(store) is None
    (sentence,) = store.read(service.complaints)
    assert sentence.startswith("The setting printify.token cannot be decrypted")


def test_plain_text_slipped_in_as_a_secret_is_not_taken(store: Store) -> None:
    keep(store)

    def slip(tx: Tx) -> None:
        tx.execute(update(setting).values(value="attackers-own-token", sealed=0))
        snapshot.changed(tx)

    store.write(slip)
    assert read(store) is None


def test_after_a_rotation_everything_opens_and_nothing_needs_the_old_key(store: Store) -> None:
    keep(store)
    keep(store, "mail.smtp.password", "päss wort")
    old, new = store.setting_source.box.ring.known()[0], Key.of(b"n" * 32)
    store.setting_source.box = SecretBox(KeyRing([new, old]))
    assert store.write(service.seal_anew) == (2, 0)
    store.setting_source.box = SecretBox(KeyRing([new]))
    assert read(store) == CANARY
    assert store.read(lambda tx: service.secret(tx, "mail.smtp.password")) == "päss wort"
    assert {each.key_id for each in store.read(service.sealed)} == {new.id}
    store.setting_source.box = SecretBox(KeyRing([old]))
    assert read(store) is None


def test_a_rotation_leaves_alone_what_it_cannot_open(store: Store) -> None:
    keep(store)
    before = lose_the_key(store)
    keep(store, "printful.token", "sealed-with-the-new-one")
    assert store.write(service.seal_anew) == (1, 1)
    store.setting_source.box = before
    assert read(store) == CANARY


def test_without_a_key_a_secret_is_refused_with_a_reason(store: Store) -> None:
    store.setting_source.box = SecretBox()
    with pytest.raises(ProblemError) as caught:
        keep(store)
    assert (caught.value.status, caught.value.code) == (503, "unavailable")
    assert store.read(lambda tx: tx.execute(select(setting)).all()) == []


class TestUnreadable:
    def test_it_counts_as_unset_and_the_rest_runs(self, store: Store) -> None:
        keep(store)
        store.write(lambda tx: service.set_value(tx, "shop.name", "Petals"))
        lose_the_key(store)
        assert read(store) is None
        assert store.read(lambda tx: service.get(tx, "shop.name")) == "Petals"
        assert store.read(service.complaints) == [
            "The setting printify.token cannot be decrypted with the keys of this server and counts as unset: "
            "enter it again."
        ]

    def test_one_entry_asks_however_often_it_is_looked_at(self, store: Store) -> None:
        look = UnreadableSecrets()
        keep(store)
        assert look(store) == 0
        assert open_entries(store) == []
        lose_the_key(store)
        for _ in range(3):
            read(store)
            assert look(store) == 1
            assert UnreadableSecrets()(store) == 1, "another process, or this one started again"
        assert open_entries(store) == [{"setting": "printify.token"}]

    def test_it_closes_by_itself_when_the_secret_is_entered_again(self, store: Store) -> None:
        look = UnreadableSecrets()
        keep(store)
        lose_the_key(store)
        look(store)
        keep(store)
        assert look(store) == 0
        assert open_entries(store) == []

    def test_it_closes_when_the_key_is_back_and_asks_again_when_it_is_lost_again(self, store: Store) -> None:
        keep(store)
        for _ in range(2):
            before = lose_the_key(store)
            UnreadableSecrets()(store)
            assert open_entries(store) == [{"setting": "printify.token"}]
            store.setting_source.box = before
            UnreadableSecrets()(store)
            assert open_entries(store) == []

    def test_it_closes_when_the_secret_is_unset(self, store: Store) -> None:
        look = UnreadableSecrets()
        keep(store)
        lose_the_key(store)
        look(store)
        store.write(lambda tx: service.unset(tx, "printify.token"))
        assert look(store) == 0
        assert open_entries(store) == []

    def test_a_shop_without_secrets_is_not_written_to(self, store: Store) -> None:
        before = store.version()
        assert UnreadableSecrets()(store) == 0
        assert store.version() == before


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that this process logs, as the server writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def everything(store: Store) -> str:
    """Every row of every table."""

    def unit(tx: Tx) -> str:
        from server.kit.schema import metadata

        return "\n".join(
            str(tuple(row))
            for name in metadata.tables
            for row in tx.execute(text(f'SELECT * FROM "{name}"'))  # noqa: S608
        )

    return store.read(unit)


def test_the_canary_is_nowhere_but_sealed(
    store: Store, http: httpx.Client, staff: Staff, log: io.StringIO, tmp_path: Path
) -> None:
    owner = staff.bearer("owner")
    told: list[httpx.Response] = []

    def put(name: str, body: bytes, **headers: str) -> None:
        path = f"/v1/settings/{name}"
        kind = {"Content-Type": "application/json"}
        told.append(http.put(path, content=body, headers={**owner, **kind, **headers}))

    good = json.dumps({"value": CANARY}).encode()
    put("printify.token", good, **{"Idempotency-Key": "again"})
    put("printify.token", good, **{"Idempotency-Key": "again"})
    put("mail.smtp.password", good)
    put("printify.token", json.dumps({"value": f"{CANARY} {CANARY}"}).encode())
    put("printify.token", json.dumps({"value": CANARY * 300}).encode())
    put("printify.token", json.dumps({"value": CANARY, "extra": CANARY}).encode())
    put("printify.token", json.dumps({"value": [CANARY]}).encode())
    put("printify.token", good + b"x")
    told += [http.get("/v1/settings", headers=owner), http.get("/v1/audit", headers=owner)]
    told += [http.get("/v1/settings", headers=staff.bearer("support"))]
    store.setting_source.box = OTHER_KEY
    UnreadableSecrets()(store)
    told += [http.get("/v1/settings", headers=owner), http.get("/v1/activity", headers=owner)]
    assert [answer.status_code for answer in told[:3]] == [200, 200, 200]
    assert all(answer.status_code in (400, 404, 422) for answer in told[3:8])
    for answer in told:
        assert CANARY not in answer.text
        assert CANARY not in str(answer.headers)
    with pytest.raises(ProblemError) as caught:
        store.write(lambda tx: service.set_value(tx, "printify.token", f"{CANARY} and more"))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in log.getvalue()
    assert CANARY not in everything(store)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path.name
    assert CANARY not in repr(store.setting_source)
    assert CANARY not in repr(store.read(snapshot.stored))


def test_a_backup_holds_neither_the_key_nor_a_secret(
    sqlite_url: str, clock: FrozenClock, tmp_path: Path
) -> None:
    from server.app.backup import make_backup

    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    file = tmp_path / "shop.db"
    store = open_store(sqlite_url, Path(), clock)
    store.setting_source.box = SecretBox(KeyRing(file=data / "secret.key"))
    keep(store)
    store.close()
    make_backup(file, tmp_path / "copy.db", clock)
    key = (data / "secret.key").read_text().strip()
    copied = (tmp_path / "copy.db").read_bytes()
    assert CANARY.encode() not in copied
    assert key.encode() not in copied
    assert bytes.fromhex(key) not in copied
