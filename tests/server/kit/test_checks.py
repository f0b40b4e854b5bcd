"""What is wrong with a store is said in one sentence before anything is served."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

import pytest

from server.kit import checks
from server.kit.checks import StoreError, check_data_dir, check_file, file_system, sqlite_warning
from server.kit.config import ConfigError
from server.kit.failures import DAMAGED, FULL, LOCKED, NOT_A_DATABASE, READ_ONLY, Failure
from server.kit.postgres import PostgresStore
from server.kit.sqlite import driver

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / {share} rw,relatime shared:2 - nfs4 files:/shop rw
31 22 0:41 / {share}/with\\040space rw - fuse.sshfs host:/ rw
32 22 0:42 / {share}/local rw - ext4 /dev/sdb1 rw
malformed line
"""


@pytest.fixture
def file(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


def failure_of(file: Path) -> Failure:
    with pytest.raises(StoreError) as caught:
        check_file(file)
    assert str(caught.value) == caught.value.failure.sentence
    return caught.value.failure


def test_a_good_file_and_one_that_is_not_there_yet_pass(file: Path, tmp_path: Path) -> None:
    check_file(file)
    check_file(tmp_path / "not-yet.db")
    (tmp_path / "empty.db").touch()
    check_file(tmp_path / "empty.db")


def test_another_file_is_no_database(file: Path) -> None:
    file.write_bytes(b"hello world, this is a letter" * 200)
    assert failure_of(file) is NOT_A_DATABASE


def test_a_damaged_file_is_told(file: Path) -> None:
    with contextlib.closing(driver.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'person'").fetchone()[0]
    with file.open("r+b") as opened:
        opened.seek((root - 1) * page)
        opened.write(b"\xa5" * page)
    assert failure_of(file) is DAMAGED


def test_the_pages_of_a_large_file_are_left_for_later(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_file(file)
    with contextlib.closing(driver.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'person'").fetchone()[0]
    with file.open("r+b") as opened:
        opened.seek((root - 1) * page)
        opened.write(b"\xa5" * page)
    monkeypatch.setattr(checks, "CHECKED_AT_START", 1_000)
    assert not check_file(file)
    with pytest.raises(StoreError, match="damaged"):
        checks.check_pages(file)


def test_a_file_cut_short_is_damaged(file: Path) -> None:
    with contextlib.closing(driver.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    os.truncate(file, file.stat().st_size // 2)
    assert failure_of(file) is DAMAGED


def test_a_file_that_somebody_holds_is_locked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LOCK_SECONDS", 0.05)
    with contextlib.closing(driver.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert failure_of(file) is LOCKED


def test_a_file_that_cannot_be_written_is_read_only(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser may write everything, so the system's answer is given here."""
    monkeypatch.setattr(os, "access", lambda path, _mode: path != file)
    assert failure_of(file) is READ_ONLY


def test_a_private_directory_of_ones_own_passes(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    check_data_dir(tmp_path)


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770])
def test_a_directory_that_others_can_look_into_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 700"):
        check_data_dir(tmp_path)


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="another user"):
        check_data_dir(tmp_path)


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = MOUNTS.format(share=tmp_path)
    tmp_path.chmod(0o700)
    (tmp_path / "local").mkdir(mode=0o700)
    (tmp_path / "with space").mkdir(mode=0o700)
    with pytest.raises(ConfigError, match=r"network file system \(nfs4\)"):
        check_data_dir(tmp_path, mounts)
    with pytest.raises(ConfigError, match=r"fuse\.sshfs"):
        check_data_dir(tmp_path / "with space", mounts)
    check_data_dir(tmp_path / "local", mounts)


def test_the_file_system_of_this_test_is_known(tmp_path: Path) -> None:
    mounts = Path("/proc/self/mountinfo")
    if mounts.exists():
        assert file_system(tmp_path, mounts.read_text()) not in (None, "nfs")
    assert file_system(tmp_path, "") is None


def test_a_sqlite_with_the_known_bug_is_told() -> None:
    assert sqlite_warning((3, 51, 3)) is None
    assert sqlite_warning((3, 54, 0)) is None
    assert "3.40.1" in (sqlite_warning((3, 40, 1)) or "")
    assert sqlite_warning((3, 51, 2)) is not None


def test_a_postgresql_that_forgets_is_told(postgresql_url: str) -> None:
    store = PostgresStore(postgresql_url)
    try:
        warnings = checks.postgresql_warnings(store)
    finally:
        store.close()
    assert not any("UTF8" in sentence for sentence in warnings)
    assert all(sentence.endswith(".") for sentence in warnings)


def test_errors_of_the_system_become_sentences(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="missing cannot be used: No such file"), checks.explained():
        shutil.copy(tmp_path / "missing", tmp_path / "there")
    with pytest.raises(StoreError) as caught, checks.explained():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.failure is FULL


def test_mistakes_of_the_program_stay_what_they_are() -> None:
    with pytest.raises(LookupError), checks.explained():
        raise LookupError
