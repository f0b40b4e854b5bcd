"""A backup is verified before it counts, and put back only when it is exactly what it was."""

from __future__ import annotations

import contextlib
import json
import os
import random
import stat
import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from server.app import boot, commands
from server.app.backup import BackupError, fetch_verified, make_backup, manifest_path, put_back
from server.audit.models import audit
from server.kit.checks import StoreError
from server.kit.clock import DAY, FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import open_store
from server.kit.lock import AlreadyRunningError, sole_server
from server.kit.migrate import HEAD, SchemaTooNewError
from server.kit.schema import store_fact
from server.kit.sqlite import driver
from server.kit.tx import Tx
from tests.server.conftest import let_staff_in


@pytest.fixture
def shop(config: ServerConfig, clock: FrozenClock) -> Path:
    """A shop's data file with staff in it; no process has it open."""
    with boot.checked_store(config, clock) as store:
        let_staff_in(store)
    return config.data_dir / "shop.db"


@pytest.fixture
def saved(shop: Path, tmp_path: Path, clock: FrozenClock) -> Path:
    target = tmp_path / "saved.db"
    make_backup(shop, target, clock)
    return target


def facts(file: Path) -> list[str]:
    with contextlib.closing(driver.connect(file)) as opened:
        return [row[0] for row in opened.execute("SELECT name FROM store_fact ORDER BY name")]


def add_fact(tx: Tx, name: str) -> None:
    tx.execute(insert(store_fact).values(name=name, value="x"))


def write_fact(config: ServerConfig, name: str) -> None:
    with boot.checked_store(config) as store:
        store.write(lambda tx: tx.execute(insert(store_fact).values(name=name, value="x")).rowcount)


def test_a_backup_is_private_whole_and_described(shop: Path, saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert stat.S_IMODE(manifest_path(saved).stat().st_mode) == 0o600
    manifest = json.loads(manifest_path(saved).read_text())
    assert manifest["schema"] == HEAD
    assert manifest["made_at"] == "2026-02-23T10:00:00.000Z"
    assert manifest["counts"]["account"] == 4
    assert manifest["counts"]["token"] == 5
    assert manifest["bytes"] == saved.stat().st_size
    assert not [name for name in manifest["counts"] if "_words" in name]
    assert sorted(path.name for path in saved.parent.iterdir() if path.name.startswith((".", "saved"))) == [
        "saved.db",
        "saved.db.json",
    ], "nothing half made is left"


def test_a_backup_never_overwrites(shop: Path, saved: Path, tmp_path: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        make_backup(shop, saved)
    assert saved.read_bytes() == before
    (tmp_path / "other.db.json").write_text("{}")
    with pytest.raises(BackupError, match=r"other\.db\.json exists"):
        make_backup(shop, tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()


def test_a_backup_under_writes_holds_all_that_was_confirmed_before(
    config: ServerConfig, shop: Path, tmp_path: Path
) -> None:
    """What a process wrote and has not yet moved out of the write-ahead log is in it too."""
    store = open_store(None, config.data_dir)
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        while not stop.is_set():
            name = f"fact {len(written):05}"
            store.write(partial(add_fact, name=name))
            written.append(name)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(5):
            confirmed = len(written)
            make_backup(shop, tmp_path / f"{number}.db")
            fetch_verified(tmp_path / f"{number}.db", tmp_path / f"{number}.copy")
            held = facts(tmp_path / f"{number}.copy")
            assert set(written[:confirmed]) <= set(held)
            assert held == sorted(held)
    finally:
        stop.set()
        thread.join()
        store.close()


def test_a_restored_shop_is_as_it_was(
    config: ServerConfig, shop: Path, saved: Path, clock: FrozenClock
) -> None:
    write_fact(config, "written later")
    clock.advance(DAY)
    assert commands.restore(config, saved, clock) == 0
    assert "written later" not in facts(shop)
    with boot.checked_store(config, clock) as store:
        rows = store.read(lambda tx: tx.execute(select(audit).order_by(audit.c.seq.desc())).first())
    assert rows is not None
    assert rows.action == "store.restored"
    assert rows.metadata == {"backup_sha256": json.loads(manifest_path(saved).read_text())["sha256"]}
    (aside,) = config.data_dir.glob("shop.db.before-restore-*")
    assert aside.name == "shop.db.before-restore-20260224T100000000Z"
    assert "written later" in facts(aside)
    assert stat.S_IMODE(shop.stat().st_mode) == 0o600


def test_what_was_only_in_the_old_files_log_is_kept_aside_too(
    config: ServerConfig, shop: Path, saved: Path
) -> None:
    """As after a killed server: the last commits stand in the write-ahead log beside the file."""
    keeper = driver.connect(shop, isolation_level=None)
    writer = driver.connect(shop, isolation_level=None)
    keeper.execute("SELECT count(*) FROM topic").fetchall()
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("INSERT INTO store_fact VALUES ('in the log', 'x')")
    assert shop.with_name("shop.db-wal").stat().st_size > 0
    _, aside = put_back(saved, shop)
    writer.close()
    keeper.close()
    assert aside is not None
    assert "in the log" in facts(aside)
    assert "in the log" not in facts(shop)


def test_a_restore_into_an_empty_place(config: ServerConfig, saved: Path, tmp_path: Path) -> None:
    elsewhere = ServerConfig(data_dir=tmp_path / "elsewhere")
    assert commands.restore(elsewhere, saved) == 0
    assert facts(tmp_path / "elsewhere" / "shop.db") == []
    assert not list((tmp_path / "elsewhere").glob("*.before-restore-*"))


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_backup_is_refused_and_nothing_changes(
    config: ServerConfig, shop: Path, saved: Path, seed: int
) -> None:
    """One bit anywhere: most of them SQLite itself would never notice."""
    dice = random.Random(seed)  # noqa: S311
    content = bytearray(saved.read_bytes())
    kind = seed % 3
    if kind == 0:
        place = dice.randrange(len(content))
        content[place] ^= 1 << dice.randrange(8)
    elif kind == 1:
        content = content[: dice.randrange(len(content))]
    else:
        content += b"\0" * dice.randrange(1, 4096)
    saved.write_bytes(content)
    before = shop.read_bytes()
    with pytest.raises(BackupError, match=r"damaged.*Nothing was changed"):
        put_back(saved, shop)
    assert shop.read_bytes() == before
    assert not list(config.data_dir.glob("*before-restore*"))
    assert not list(config.data_dir.glob("*restored*"))


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (None, "missing"),
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": 1}', "cannot be read"),
        ("\xff", "cannot be read"),
    ],
)
def test_without_its_manifest_a_backup_is_refused(
    shop: Path, saved: Path, manifest: str | None, why: str
) -> None:
    manifest_path(saved).unlink()
    if manifest is not None:
        manifest_path(saved).write_bytes(manifest.encode("latin-1"))
    with pytest.raises(BackupError, match=why):
        put_back(saved, shop)


def edit(saved: Path, **what: object) -> None:
    told = json.loads(manifest_path(saved).read_text())
    manifest_path(saved).write_text(json.dumps({**told, **what}))


def test_a_manifest_that_counts_otherwise_is_refused(shop: Path, saved: Path) -> None:
    edit(saved, counts={})
    with pytest.raises(BackupError, match="damaged"):
        put_back(saved, shop)


def test_a_backup_of_a_newer_shopbell_is_refused(shop: Path, saved: Path) -> None:
    edit(saved, schema="9999")
    with pytest.raises(SchemaTooNewError):
        put_back(saved, shop)
    edit(saved, schema=HEAD, format=2)
    with pytest.raises(BackupError, match="newer"):
        put_back(saved, shop)


def test_what_is_no_backup_is_refused(config: ServerConfig, shop: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no backup"):
        put_back(tmp_path / "nothing", shop)
    other = tmp_path / "other.db"
    with contextlib.closing(driver.connect(other, isolation_level=None)) as opened:
        opened.execute("CREATE TABLE t (a)")
    with pytest.raises(BackupError, match="holds no shop"):
        make_backup(other, tmp_path / "copy.db")
    with pytest.raises(BackupError, match="no shop"):
        make_backup(tmp_path / "nothing.db", tmp_path / "copy.db")
    assert not list(tmp_path.glob(".copy*"))
    assert not (tmp_path / "copy.db").exists()


def test_a_damaged_shop_gives_no_backup(shop: Path, tmp_path: Path) -> None:
    with contextlib.closing(driver.connect(shop, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
        size = opened.execute("PRAGMA page_size").fetchone()[0]
        root = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit'").fetchone()[0]
    with shop.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\x5a" * size)
    with pytest.raises((BackupError, StoreError), match="damaged"):
        make_backup(shop, tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_shop_with_broken_references_gives_no_backup(shop: Path, tmp_path: Path) -> None:
    with contextlib.closing(driver.connect(shop, isolation_level=None)) as opened:
        opened.execute("PRAGMA foreign_keys=OFF")
        opened.execute("DELETE FROM person")
    with pytest.raises(BackupError, match="refer to nothing"):
        make_backup(shop, tmp_path / "copy.db")


def test_a_running_server_is_not_restored_under(config: ServerConfig, saved: Path) -> None:
    with sole_server(config.data_dir), pytest.raises(AlreadyRunningError):
        commands.restore(config, saved)


def test_a_restore_cut_off_half_way_does_not_begin_an_empty_shop(
    config: ServerConfig, shop: Path, saved: Path
) -> None:
    shop.rename(shop.with_name("shop.db.before-restore-x"))
    fetch_verified(saved, shop.with_name("shop.db.restored"))
    with pytest.raises(Exception, match="cut off half way"), boot.checked_store(config):
        pass
    assert commands.restore(config, saved) == 0


def test_where_there_are_no_links_a_backup_is_renamed(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a memory stick."""

    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    make_backup(shop, tmp_path / "stick.db")
    monkeypatch.undo()
    fetch_verified(tmp_path / "stick.db", tmp_path / "copy.db")


def test_on_postgresql_the_exact_command_is_told(
    postgresql_url: str, config: ServerConfig, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret = "very-secret"
    url = postgresql_url.replace("postgres@", f"shop:{secret}@")
    other = ServerConfig(data_dir=config.data_dir, database_url=url)
    assert commands.backup(other, tmp_path / "a file") == 1
    assert commands.restore(other, tmp_path / "a file") == 1
    told = capsys.readouterr().err
    assert "pg_dump --format=custom --file=" in told
    assert f"'{tmp_path / 'a file'}'" in told
    assert "pg_restore --clean --if-exists --dbname=" in told
    assert "postgresql://shop@/" in told.replace("'", "")
    assert secret not in told


def test_the_doctor_knows_how_old_the_backup_is(
    config: ServerConfig, shop: Path, tmp_path: Path, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.doctor(config, clock) == 4
    assert "no backup yet" in capsys.readouterr().out
    assert commands.backup(config, tmp_path / "new.db", clock) == 0
    capsys.readouterr()
    assert commands.doctor(config, clock) == 0
    told = capsys.readouterr().out
    assert "full integrity check passed" in told
    assert "account 4" in told
    assert "log gaps: 0" in told
    clock.advance(3 * DAY)
    assert commands.doctor(config, clock) == 4
    assert "3 days old (2026-02-23T10:00:00.000Z)" in capsys.readouterr().out


def test_the_doctor_tells_what_is_wrong(
    config: ServerConfig, shop: Path, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with boot.checked_store(config, clock) as store:

        def unit(tx: Tx) -> None:
            tx.execute(
                text(
                    "INSERT INTO setting (name, value, updated_at) VALUES ('activity.retention_days', '30abc', 0)"
                )
            )

        store.write(unit)
    clock.advance(-DAY)
    assert commands.doctor(config, clock) == 4
    told = capsys.readouterr().out
    assert "activity.retention_days must be a number of days" in told
    assert "before the newest entry" in told
