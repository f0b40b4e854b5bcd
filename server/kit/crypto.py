"""Secrets at rest: AES-256-GCM, each value bound to the name it was stored under, with a key from outside the store.

A sealed text reads ``v1:<key id>:<base64 of nonce and ciphertext>``. The name and the format's version are
authenticated with it, so a text moved to another name opens no more. Several keys may be known: the first one seals,
all of them open.

The library is imported when something is sealed or opened for the first time (`load`): a tenth of a second that a
server without secrets never spends.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.kit.config import ConfigError, ServerConfig
from server.kit.ids import random_bytes, random_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE: Final = "secret.key"
CREDENTIAL: Final = "shopbell-key"
FORMAT: Final = "v1"
_VARIABLE: Final = "SHOPBELL_SECRET_KEY"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ID_SIGNS: Final = 8
_KEY: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_SEALED: Final = re.compile(rf"{FORMAT}:([0-9a-f]{{{_ID_SIGNS}}}):([A-Za-z0-9_-]+={{0,2}})", re.ASCII)
_WHAT_IS_RIGHT: Final = "64 hexadecimal digits on each line (openssl rand -hex 32)"


class KeyTroubleError(Exception):
    """The key cannot be used; the message is one sentence that holds nothing of it."""


class UnreadableError(Exception):
    """A sealed text that no known key opens under this name: another key sealed it, or somebody changed or moved it."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key. Its ``id`` follows from it and says nothing about it."""

    id: str
    material: bytes = field(repr=False)

    @classmethod
    def of(cls, material: bytes) -> Key:
        """The key of these 32 bytes."""
        if len(material) != _KEY_BYTES:
            raise ValueError("a key has 32 bytes")
        return cls(hashlib.sha256(b"shopbell key id\0" + material).hexdigest()[:_ID_SIGNS], material)

    @classmethod
    def new(cls) -> Key:
        """A key that nobody ever had."""
        return cls.of(random_bytes(_KEY_BYTES))


def read_keys(text: str, where: str) -> tuple[Key, ...]:
    """The keys of a text, one on each line.

    Raises:
        KeyTroubleError: it holds none, or something else; ``where`` begins the sentence.
    """
    lines = text.split()
    if not lines or not all(_KEY.fullmatch(line) for line in lines):
        raise KeyTroubleError(f"{where} must hold {_WHAT_IS_RIGHT}.")
    return tuple(dict.fromkeys(Key.of(bytes.fromhex(line)) for line in lines))


class KeyRing:
    """The keys that this process knows.

    Args:
        given: from the environment; the first one seals.
        file: where the shop's own key stands, made at first need when none was given. Its keys open what they sealed
            even when others were given, so that a shop may move its key out of the data directory.
        where: where the key that seals stands, for people.
    """

    def __init__(self, given: Iterable[Key] = (), file: Path | None = None, where: str | None = None) -> None:
        self.given = tuple(given)
        self.file = file
        self.where = where or str(file)
        self._of_file: tuple[Key, ...] = ()
        self._stamp: tuple[int, int, int] | None = None
        self._lock = threading.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether there neither is a key nor a place for one."""
        return not self.given and self.file is None

    def known(self) -> tuple[Key, ...]:
        """All keys, the one that seals first.

        Raises:
            KeyTroubleError: none was given, and the file is there and cannot be used.
        """
        try:
            return tuple(dict.fromkeys((*self.given, *self._in_file())))
        except KeyTroubleError:
            if not self.given:
                raise
            return self.given

    def current(self) -> Key:
        """The key that seals; made when there is none.

        Raises:
            KeyTroubleError: there is none and it cannot be made.
        """
        known = self.known()
        if known:
            return known[0]
        if self.file is None:
            raise KeyTroubleError("There is no key for secrets here.")
        write_key_file(self.file, (Key.new(),), replace=False)
        return self.known()[0]

    def find(self, key_id: str) -> Key | None:
        """The key with this id. The file is read again when it changed, so a rotation needs no restart."""
        with contextlib.suppress(KeyTroubleError):
            return next((key for key in self.known() if key.id == key_id), None)
        return next((key for key in (*self.given, *self._of_file) if key.id == key_id), None)

    def add(self, key: Key) -> None:
        """Put a new key before the others in the file; from now on it seals.

        Raises:
            KeyTroubleError: keys come from outside, or the file cannot be written.
        """
        if self.file is None or self.given:
            raise KeyTroubleError("The key does not stand in the data directory.")
        write_key_file(self.file, (key, *self.known()), replace=True)

    def _in_file(self) -> tuple[Key, ...]:
        if self.file is None:
            return ()
        with self._lock:
            try:
                found = self.file.lstat()
            except FileNotFoundError:
                return self._of_file  # it is gone: what this process knows of it still opens
            except OSError as error:
                raise KeyTroubleError(f"{self.file} cannot be read: {error.strerror}.") from None
            stamp = (found.st_mtime_ns, found.st_ino, found.st_mode)
            if stamp != self._stamp:
                self._of_file = _read_private(self.file)
                self._stamp = stamp
            return self._of_file


class SecretBox:
    """Seals and opens texts with the keys of a ring."""

    def __init__(self, ring: KeyRing | None = None) -> None:
        self.ring = ring or KeyRing()

    def seal(self, name: str, text: str) -> str:
        """A text that only this box opens, and only under this name.

        Raises:
            KeyTroubleError: there is no usable key.
        """
        key = self.ring.current()
        nonce = random_bytes(_NONCE_BYTES)
        sealed = _cipher(key.material).encrypt(nonce, text.encode(), _bound(name))
        return f"{FORMAT}:{key.id}:{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}"

    def open(self, name: str, sealed: str) -> str:
        """What was sealed under this name.

        Raises:
            UnreadableError: no known key opens it.
        """
        shape = _SEALED.fullmatch(sealed)
        key = self.ring.find(shape[1]) if shape else None
        if shape is None or key is None:
            raise UnreadableError
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see above

        try:
            raw = base64.b64decode(shape[2], altchars=b"-_", validate=True)
            return (
                _cipher(key.material).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(name)).decode()
            )
        except (InvalidTag, binascii.Error, ValueError):
            raise UnreadableError from None


def key_id_of(sealed: str) -> str | None:
    """Which key sealed a text; None when it is none of ours."""
    shape = _SEALED.fullmatch(sealed)
    return shape[1] if shape else None


def ring_of(config: ServerConfig) -> KeyRing:
    """The keys of a server: the systemd credential, else the named file, else the variable, and the data directory's.

    Raises:
        ConfigError: a key was given and is none.
    """
    file = config.data_dir / KEY_FILE
    try:
        if config.credentials_dir is not None and (config.credentials_dir / CREDENTIAL).exists():
            path = config.credentials_dir / CREDENTIAL
            return KeyRing(read_keys(_text_of(path), f"The credential {CREDENTIAL}"), file, str(path))
        if config.secret_key_file is not None:
            named = str(config.secret_key_file)
            _refuse_open(config.secret_key_file, stat.S_IRWXO)
            return KeyRing(read_keys(_text_of(config.secret_key_file), named), file, named)
        if config.secret_key is not None:
            return KeyRing(read_keys(config.secret_key, _VARIABLE), file, _VARIABLE)
    except KeyTroubleError as trouble:
        raise ConfigError(str(trouble)) from None
    return KeyRing(file=file)


def write_key_file(path: Path, keys: Iterable[Key], *, replace: bool) -> None:
    """Write a 0600 file of keys, whole or not at all.

    Args:
        path: where.
        keys: one line each.
        replace: take the place of a file that is there; otherwise that one stays and nothing is written.

    Raises:
        KeyTroubleError: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.{random_text(8, '0123456789abcdef')}")
    try:
        try:
            handle = os.open(
                fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.writelines(f"{key.material.hex()}\n" for key in keys)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                fresh.replace(path)
            else:
                with contextlib.suppress(FileExistsError):  # another process was first: its key is the shop's
                    os.link(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        with _folder(path.parent) as folder:
            os.fsync(folder)
    except OSError as error:
        raise KeyTroubleError(f"The key file {path} cannot be written: {error.strerror}.") from None


def load() -> None:
    """Import the library now, in a thread where nobody waits for it."""
    _cipher(b"\0" * _KEY_BYTES)


def is_loaded() -> bool:
    """Whether sealing and opening import nothing any more."""
    return bool(_cipher.cache_info().currsize)


@cache
def _cipher(material: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - see above

    return AESGCM(material)


def _bound(name: str) -> bytes:
    return f"shopbell setting {FORMAT}\0{name}".encode()


@contextlib.contextmanager
def _folder(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _read_private(path: Path) -> tuple[Key, ...]:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise KeyTroubleError(f"{path} must be a file of the user who runs shopbelld.")
    _refuse_open(path, stat.S_IRWXG | stat.S_IRWXO)
    return read_keys(_text_of(path), str(path))


def _refuse_open(path: Path, bits: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_IMODE(path.stat().st_mode) & bits:
            raise KeyTroubleError(f"Others can read the key {path}. Close it: chmod 600 {path}")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise KeyTroubleError(f"The key {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise KeyTroubleError(f"{path} must hold {_WHAT_IS_RIGHT}.") from None
