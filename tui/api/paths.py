"""Where the client keeps things on this machine, so that nobody else reads them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tui.api.clean import clean_line
from tui.api.errors import UnsafePath

APP: Final = "shopbell"
_CLOEXEC = os.O_CLOEXEC | os.O_NOFOLLOW


def config_file() -> Path:
    """The config file, whether it is there or not: ``config.toml`` in the user's config directory."""
    from platformdirs import user_config_path  # noqa: PLC0415 - `--help` does without

    return _found(lambda: user_config_path(APP, appauthor=False)) / "config.toml"


def data_dir() -> Path:
    """Where the private server's data stands: the user's data directory."""
    from platformdirs import user_data_path  # noqa: PLC0415

    return _found(lambda: user_data_path(APP, appauthor=False))


def state_dir() -> Path:
    """Where tokens without a keyring and crash reports stand: the user's state directory."""
    from platformdirs import user_state_path  # noqa: PLC0415

    return _found(lambda: user_state_path(APP, appauthor=False))


def _found(find: Callable[[], Path]) -> Path:
    try:
        path = find()
    except RuntimeError:
        path = Path()
    if not path.is_absolute():  # what is left of ~ without a home, or an XDG directory that is none
        raise UnsafePath("You have no home directory here. Set HOME (or the XDG directories) to a full path.")
    return path


def private_dir(path: Path) -> Path:
    """Make a directory that only its owner can look into (0700), and those above it where they lack.

    Raises:
        UnsafePath: it cannot be made, it is no directory, or it belongs to another user.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise UnsafePath(f"{_name(path)} is there already and is no directory.")
        if found.st_uid != os.geteuid():
            raise UnsafePath(f"{_name(path)} belongs to another user.")
        if stat.S_IMODE(found.st_mode) != 0o700:
            path.chmod(0o700)
    except OSError as error:
        raise UnsafePath(f"{_name(path)} cannot be made: {error.strerror}.") from None
    return path


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that only its owner reads (0600). It stands at ``path`` once the block has ended well: whole or
    not at all, and not through a link.

    Raises:
        UnsafePath: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CLOEXEC, 0o600)
        try:
            with open(handle, "wb", closefd=True) as file:  # noqa: PTH123 - a handle, opened with care
                yield file
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        _sync(path.parent)
    except OSError as error:
        raise UnsafePath(f"{_name(path)} cannot be written: {error.strerror}.") from None


def write_private(path: Path, content: bytes) -> None:
    """Write a `private_file` at once. Raises UnsafePath when it cannot be written."""
    with private_file(path) as file:
        file.write(content)


def read_private(path: Path, cap: int = 65_536) -> bytes | None:
    """The content of a file that only its owner reads; None when there is none.

    As ssh does with keys, it refuses what somebody else could have read or written.

    Raises:
        UnsafePath: a link, no plain file, another user's, open to others, larger than ``cap``, or unreadable.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = "it is a link" if path.is_symlink() else error.strerror
        raise UnsafePath(f"{_name(path)} is not read: {why}.") from None
    try:
        _check(path, os.fstat(handle))
        content = b""
        while len(content) <= cap and (part := os.read(handle, cap + 1 - len(content))):
            content += part
    except OSError as error:
        raise UnsafePath(f"{_name(path)} is not read: {error.strerror}.") from None
    finally:
        os.close(handle)
    if len(content) > cap:
        raise UnsafePath(f"{_name(path)} is not read: it is too large.")
    return content


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePath(f"{_name(path)} is not read: it is no plain file.")
    if found.st_uid not in (os.geteuid(), 0):
        raise UnsafePath(f"{_name(path)} is not read: it belongs to another user.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafePath(f"{_name(path)} is not read: others may read it. Close it: chmod 600 {_name(path)}")


def remove_private(path: Path) -> bool:
    """Remove a file; whether it was there. Raises UnsafePath when it cannot be removed."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UnsafePath(f"{_name(path)} cannot be removed: {error.strerror}.") from None
    return True


def _name(path: Path) -> str:
    return clean_line(str(path))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
