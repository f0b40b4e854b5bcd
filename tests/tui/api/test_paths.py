"""Files and directories that only their owner reads."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from tui.api.errors import UnsafePath
from tui.api.paths import (
    config_file,
    data_dir,
    private_dir,
    read_private,
    remove_private,
    state_dir,
    write_private,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_stands_in_the_users_own_directories(home: Path) -> None:
    assert config_file() == home / "config" / "shopbell" / "config.toml"
    assert data_dir() == home / "data" / "shopbell"
    assert state_dir() == home / "state" / "shopbell"


def test_without_a_home_nothing_is_made_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_uid: int) -> NoReturn:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)  # a user id without an entry, as in some containers
    for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name)
    for find in (data_dir, state_dir, config_file):
        with pytest.raises(UnsafePath, match="Set HOME"):
            find()


def test_a_private_directory(tmp_path: Path) -> None:
    path = private_dir(tmp_path / "a" / "b")
    assert mode(path) == 0o700
    path.chmod(0o755)
    assert mode(private_dir(path)) == 0o700, "one's own is closed"
    (tmp_path / "file").touch()
    with pytest.raises(UnsafePath, match="is no directory"):
        private_dir(tmp_path / "file")
    with pytest.raises(UnsafePath, match="cannot be made: File exists"):
        private_dir(tmp_path / "file" / "x")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_directory_and_file_are_not_used(tmp_path: Path) -> None:
    folder = private_dir(tmp_path / "a")
    write_private(folder / "token", b"x")
    os.chown(folder / "token", 12345, 12345)
    with pytest.raises(UnsafePath, match="belongs to another user"):
        read_private(folder / "token")
    os.chown(folder, 12345, 12345)
    with pytest.raises(UnsafePath, match="belongs to another user"):
        private_dir(folder)


def test_a_private_file(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        path = tmp_path / "token"
        assert read_private(path) is None
        write_private(path, b"one")
        write_private(path, b"two")
    finally:
        os.umask(old)
    assert read_private(path) == b"two"
    assert mode(path) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"], "nothing else stays behind"
    with pytest.raises(UnsafePath, match="too large"):
        read_private(path, 2)
    assert remove_private(path)
    assert not remove_private(path)


def test_a_link_is_neither_followed_nor_written_through(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    write_private(target, b"precious")
    link.symlink_to(target)
    with pytest.raises(UnsafePath, match="it is a link"):
        read_private(link)
    write_private(link, b"new")
    assert target.read_bytes() == b"precious"
    assert not link.is_symlink()


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o660, 0o644])
def test_what_others_may_read_is_refused(tmp_path: Path, open_to: int) -> None:
    path = tmp_path / "token"
    write_private(path, b"x")
    path.chmod(open_to)
    with pytest.raises(UnsafePath, match=r"others may read it\. Close it: chmod 600"):
        read_private(path)


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(UnsafePath, match="no plain file"):
            read_private(path)


def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.mkdir()
    (path / "x").touch()
    with pytest.raises(UnsafePath, match="cannot be written"):
        write_private(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"]
    with pytest.raises(UnsafePath, match="cannot be removed"):
        remove_private(path)
    with pytest.raises(UnsafePath, match="cannot be written: No such file"):
        write_private(tmp_path / "none" / "token", b"new")


def test_names_in_errors_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b]52;c;x\x07"
    path.touch()
    path.chmod(0o644)
    with pytest.raises(UnsafePath) as error:
        read_private(path)
    assert error.value.sentence.isprintable()
