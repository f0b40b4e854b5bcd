"""Receipts and restored backups from the command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server import cli
from server.activity import service as activity
from server.app import boot, commands, erasure_commands
from server.app.backup import manifest_path
from server.contract.deletion import Delete, Deletion
from server.contract.orders import Address
from server.deletion import erasures, grace
from server.deletion import service as deletions
from server.deletion.models import deletion
from server.kit.access import Principal
from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import Store
from server.people import service as people
from server.people.models import person
from server.settings import service as settings
from tests.server.conftest import let_staff_in

CANARY = "canary-of-the-backup"


class Shop:
    """A shop whose server is not running: each step opens the store and lets go of it."""

    def __init__(self, config: ServerConfig, clock: FrozenClock, folder: Path) -> None:
        self.config, self.clock, self.folder = config, clock, folder
        with self.store() as store:
            self.owner = let_staff_in(store).users["owner"]

    def store(self) -> contextlib.AbstractContextManager[Store]:
        return boot.checked_store(self.config, self.clock)

    def customer(self, name: str) -> str:
        def unit(tx: Any) -> str:
            made = people.find_or_create_customer(tx, email=f"{name}@example.com", name=f"{name} {CANARY}")
            people.add_address(tx, made, Address(line1=f"1 {CANARY} Street"))
            activity.log(
                tx, "email.bounced", person_id=made, texts={"reason": f"zebrafinch{name} is unknown"}
            )
            return made

        with self.store() as store:
            return store.write(unit)

    def delete(self, person_id: str) -> Deletion:
        caller = Principal("t", "t", "owner", self.owner)

        def unit(tx: Any) -> Deletion:
            plan = deletions.plan(tx, person_id, caller)
            request = Delete(plan=plan.hash, confirm=plan.confirm)
            return deletions.delete(tx, person_id, request, caller)

        with self.store() as store:
            return store.write(unit)

    def row(self, person_id: str) -> Any:
        with self.store() as store:
            wanted = select(person).where(person.c.id == person_id)
            return store.read(lambda tx: tx.execute(wanted).first())

    def backup(self, name: str) -> Path:
        target = self.folder / name
        assert commands.backup(self.config, target, self.clock) == 0
        return target

    def restore(self, file: Path) -> int:
        return commands.restore(self.config, file, self.clock)


@pytest.fixture
def shop(config: ServerConfig, clock: FrozenClock, tmp_path: Path) -> Shop:
    return Shop(config, clock, tmp_path)


def test_an_older_backup_has_nobody_back_and_says_so(
    shop: Shop, capsys: pytest.CaptureFixture[str], clock: FrozenClock
) -> None:
    mary, tom = shop.customer("mary"), shop.customer("tom")
    saved = shop.backup("saved.db")
    assert "0 erasures" in capsys.readouterr().out
    clock.advance(1_000)
    made = shop.delete(mary)
    assert shop.restore(saved) == 0
    said = capsys.readouterr()
    assert "1 person was erased again" in said.out
    assert (shop.row(mary).email, shop.row(tom).email) == (None, "tom@example.com")
    with shop.store() as store:
        again = store.read(lambda tx: deletions.get(tx, made.id))
    assert again.receipt == made.receipt
    for ending in ("", "-wal", "-shm"):
        part = shop.config.data_dir / f"shop.db{ending}"
        if part.exists():
            held = part.read_bytes().lower()
            assert f"mary {CANARY}".encode() not in held, "not one byte came back"
            assert b"zebrafinchmary" not in held, "nor in the index of words"
    newer = shop.backup("newer.db")
    assert "1 erasure," in capsys.readouterr().out
    assert json.loads(manifest_path(newer).read_text())["erasures"] == 1
    assert shop.restore(newer) == 0
    assert "Nobody was to be erased again." in capsys.readouterr().out


def test_the_list_alone_is_enough_when_the_store_is_gone(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    mary = shop.customer("mary")
    saved = shop.backup("saved.db")
    shop.delete(mary)
    for part in shop.config.data_dir.glob("shop.db*"):
        part.unlink()
    assert shop.restore(saved) == 0
    assert "1 person was erased again" in capsys.readouterr().out
    assert shop.row(mary).email is None


def test_the_store_alone_is_enough_when_the_list_is_gone(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    mary = shop.customer("mary")
    saved = shop.backup("saved.db")
    shop.delete(mary)
    (shop.config.data_dir / erasures.FILE).unlink()
    assert shop.restore(saved) == 0
    assert shop.row(mary).email is None
    assert len(erasures.in_file(shop.config.data_dir / erasures.FILE).entries) == 1


def test_a_damaged_store_gives_way_and_the_list_holds(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    mary = shop.customer("mary")
    saved = shop.backup("saved.db")
    shop.delete(mary)
    (shop.config.data_dir / "shop.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 8_192)
    for ending in ("-wal", "-shm"):
        (shop.config.data_dir / f"shop.db{ending}").unlink(missing_ok=True)
    assert shop.restore(saved) == 0
    said = capsys.readouterr()
    assert "cannot be read" in said.err
    assert "1 person was erased again" in said.out
    assert shop.row(mary).email is None


def test_a_file_that_was_copied_back_by_hand_is_caught_up_at_the_start(shop: Shop, tmp_path: Path) -> None:
    mary = shop.customer("mary")
    saved = shop.backup("saved.db")
    shop.delete(mary)
    (shop.config.data_dir / "shop.db").write_bytes(saved.read_bytes())
    for ending in ("-wal", "-shm"):
        (shop.config.data_dir / f"shop.db{ending}").unlink(missing_ok=True)
    assert shop.row(mary).email == "mary@example.com"
    with shop.store() as store:
        boot.catch_up(store)  # as `serve` and `work` do before anything else
    assert shop.row(mary).email is None


def test_a_scheduled_erasure_outlives_the_restore(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    mary = shop.customer("mary")
    with shop.store() as store:
        store.write(lambda tx: settings.set_value(tx, "deletion.grace_days", "5"))
    saved = shop.backup("saved.db")
    made = shop.delete(mary)
    assert made.state == "scheduled"
    assert shop.restore(saved) == 0
    assert "1 person was hidden again" in capsys.readouterr().out
    assert shop.row(mary).hidden_at is not None
    with shop.store() as store:
        store.write(lambda tx: grace.restore(tx, made.id, Principal("t", "t", "owner", shop.owner)))
    assert shop.row(mary).hidden_at is None


def test_a_list_is_written_and_replayed_on_both_databases(
    database_url: str, clock: FrozenClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the documentation says it for PostgreSQL: dump, erase, put the dump back, replay the list."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = ServerConfig(data_dir=data)
    if database_url.startswith("postgres"):
        config = replace(config, database_url=database_url)
    shop = Shop(config, clock, tmp_path)
    mary, tom = shop.customer("mary"), shop.customer("tom")
    made = shop.delete(mary)
    capsys.readouterr()
    assert erasure_commands.erasures_list(config, clock) == 0
    told = capsys.readouterr().out
    assert [json.loads(line)["id"] for line in told.splitlines()] == [made.id]
    assert CANARY not in told
    listed = tmp_path / "erasures.jsonl"
    listed.write_text(told)
    (data / erasures.FILE).unlink()  # another machine, with nothing but the dump and the list
    with shop.store() as store:
        store.write(
            lambda tx: tx.execute(
                update(person).where(person.c.id == mary).values(email="mary@example.com", erased_at=None)
            )
        )
        store.write(lambda tx: tx.execute(deletion.delete()))
    assert erasure_commands.erasures_replay(config, listed, clock) == 0
    assert "1 person was erased again" in capsys.readouterr().out
    assert (shop.row(mary).email, shop.row(tom).email) == (None, "tom@example.com")
    assert made.id in erasures.in_file(data / erasures.FILE).entries, "the list beside the data has it too"
    assert erasure_commands.erasures_replay(config, listed, clock) == 0
    assert "Nothing was to be done" in capsys.readouterr().out
    assert erasure_commands.erasures_replay(config, tmp_path / "none", clock) == 1


class Said:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def shopbelld(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Said]]:
    for name in [name for name in os.environ if name.startswith("SHOPBELL_")]:
        monkeypatch.delenv(name)
    before = os.umask(0o077)

    def run(*arguments: str, data: Path | None = None) -> Said:
        capsys.readouterr()
        code = cli.main([*arguments, "--data", str(data or shop.config.data_dir)])
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    yield run
    os.umask(before)


def test_a_receipt_is_shown_and_verified(
    shop: Shop, shopbelld: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shop.delete(shop.customer("mary"))
    shown = shopbelld("receipt", "show", made.id)
    assert (shown.code, shown.err) == (0, "")
    file = tmp_path / "receipt.json"
    file.write_text(shown.out)
    good = shopbelld("receipt", "verify", str(file))
    assert (good.code, good.err) == (0, "")
    assert "The signature holds.\nIt was made with a key of this shop.\n" in good.out
    assert f"⟨erased {made.mark}⟩" in good.out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(shown.out.encode())))
    assert shopbelld("receipt", "verify", "-").code == 0
    assert shopbelld("key", "rotate").code == 0
    after = shopbelld("receipt", "verify", str(file))
    assert after.code == 0, "an old receipt after the key was changed"
    keys = shopbelld("receipt", "key").out.split()
    assert made.receipt is not None
    assert keys[1:] == [made.receipt["public_key"]]


def test_elsewhere_the_shops_public_key_tells(
    shop: Shop, shopbelld: Callable[..., Said], tmp_path: Path
) -> None:
    made = shop.delete(shop.customer("mary"))
    file, elsewhere = tmp_path / "receipt.json", tmp_path / "elsewhere"
    file.write_text(shopbelld("receipt", "show", made.id).out)
    key = shopbelld("receipt", "key").out.strip()
    unknown = shopbelld("receipt", "verify", str(file), data=elsewhere)
    assert unknown.code == 1
    assert "The signature holds." in unknown.err
    assert f"not known here: {key}" in unknown.err
    assert not elsewhere.exists(), "looking at a receipt makes nothing"
    assert shopbelld("receipt", "verify", str(file), "--key", key.upper(), data=elsewhere).code == 0
    assert shopbelld("receipt", "verify", str(file), "--key", "0" * 64, data=elsewhere).code == 1


def test_a_changed_receipt_is_refused_with_a_sentence(
    shop: Shop, shopbelld: Callable[..., Said], tmp_path: Path
) -> None:
    made = shop.delete(shop.customer("mary"))
    text = shopbelld("receipt", "show", made.id).out
    file = tmp_path / "receipt.json"
    file.write_text(text.replace('"fate": "delete"', '"fate": "keep"', 1))
    said = shopbelld("receipt", "verify", str(file))
    assert (said.code, said.out) == (1, "")
    assert said.err == "The signature does not hold: the receipt was changed.\n"
    file.write_text("something else")
    said = shopbelld("receipt", "verify", str(file))
    assert (said.code, said.out) == (1, "")
    assert "no receipt" in said.err
    missing = shopbelld("receipt", "verify", str(tmp_path / "none"))
    assert (missing.code, missing.out) == (2, "")
    assert "cannot be read" in missing.err


def test_without_a_receipt_the_reason_is_said(shop: Shop, shopbelld: Callable[..., Said]) -> None:
    unknown = shopbelld("receipt", "show", "nothing")
    assert (unknown.code, unknown.out) == (1, "")
    assert "no deletion" in unknown.err
    with shop.store() as store:
        store.write(lambda tx: settings.set_value(tx, "deletion.grace_days", "5"))
    made = shop.delete(shop.customer("mary"))
    waiting = shopbelld("receipt", "show", made.id)
    assert (waiting.code, waiting.out) == (1, "")
    assert "still to come" in waiting.err
