"""Tokens: where they come from, and where one is kept.

A token comes from standard input, ``SHOPBELL_TOKEN``, ``SHOPBELL_TOKEN_FILE``, the system's keyring or a file, in this
order; never from the command line, which every user of the machine can read. There is one token for each server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TextIO

from tui.api.clean import clean_line
from tui.api.config import Environment
from tui.api.errors import CredentialError
from tui.api.paths import private_dir, read_private, remove_private, write_private
from tui.api.secret import Secret

__all__ = ["Found", "Keyring", "Secret", "TokenStore", "find_token", "read_token"]

SERVICE: Final = "shopbell"
LIMIT: Final = 3.0
"""Seconds that the keyring may take."""

_CHILD: Final = (sys.executable, "-P", str(Path(__file__).with_name("keyring_child.py")))
_NAMES: Final = {
    "SecretService": "the desktop's keyring (Secret Service)",
    "kwallet": "KWallet",
    "macOS": "the macOS keychain",
    "Windows": "the Windows credential store",
}
_WHY: Final = {
    "none": "no keyring is at hand here",
    "locked": "the keyring is locked",
    "lost": "the keyring did not keep it",
    "failed": "the keyring failed",
    "slow": f"the keyring did not answer within {LIMIT:.0f} s",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A token and where it came from, in words."""

    token: Secret
    origin: str


class Keyring:
    """The system's keyring, asked through a child process that can neither hang nor write to the terminal.

    Args:
        command: the child that speaks as `tui.api.keyring_child` does.
        limit: seconds that it may take.
    """

    def __init__(self, command: Sequence[str] = _CHILD, limit: float = LIMIT) -> None:
        self._command = command
        self._limit = limit

    def get(self, name: str) -> tuple[str, Secret | None]:
        """The status and the secret kept under a name."""
        said = self._ask({"do": "get", "name": name})
        try:
            secret = Secret(str(said.pop("secret"))) if said["status"] == "ok" else None
        except (KeyError, ValueError):
            return "failed", None
        return said["status"], secret

    def set(self, name: str, secret: Secret) -> tuple[str, str]:
        """Keep a secret, and look whether it was kept: the status, and the keyring's name for people."""
        said = self._ask({"do": "set", "name": name, "secret": secret.reveal()})
        return said["status"], _NAMES.get(str(said.get("backend")), "the system's keyring")

    def delete(self, name: str) -> str:
        """Forget a secret: the status."""
        return str(self._ask({"do": "delete", "name": name})["status"])

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        try:
            child = subprocess.Popen(  # noqa: S603 - our own child
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return {"status": "none"}
        try:
            out, _ = child.communicate(json.dumps(question | {"service": SERVICE}).encode(), self._limit)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return {"status": "slow"}
        try:
            said = json.loads(out)
        except ValueError:
            return {"status": "failed"}
        return (
            said if isinstance(said, dict) and isinstance(said.get("status"), str) else {"status": "failed"}
        )


class TokenStore:
    """Tokens kept between two starts, each under its server's name (``Endpoint.key``).

    Args:
        folder: where the files stand that are used without a keyring.
        keyring: the system's keyring.
    """

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring

    def find(self, server: str) -> Found | None:
        """The token of a server: from the keyring, else from the file. Raises UnsafePath for an unsafe file."""
        _, secret = self._keyring.get(server)
        if secret is not None:
            return Found(secret, "the system's keyring")
        path = self._path(server)
        content = read_private(path)
        if content is None:
            return None
        try:
            kept = json.loads(content)
            if kept["server"] == server:
                return Found(Secret(kept["token"]), f"the file {path}")
        except (ValueError, KeyError, TypeError):
            pass
        raise CredentialError(f"{clean_line(str(path))} holds no token. Run `shopbell login` again.")

    def keep(self, server: str, token: Secret) -> str:
        """Keep a token; a sentence that says where.

        Raises:
            UnsafePath: neither the keyring nor the file takes it.
        """
        status, name = self._keyring.set(server, token)
        path = self._path(server)
        if status == "ok":
            remove_private(path)
            return f"The token is kept in {name}."
        private_dir(self._folder.parent)
        private_dir(self._folder)
        write_private(path, json.dumps({"server": server, "token": token.reveal()}).encode())
        why = _WHY.get(status, _WHY["failed"])
        return f"The token is kept in plain text in {clean_line(str(path))} (only you can read it): {why}."

    def forget(self, server: str) -> list[str]:
        """Forget a server's token; the places it was kept in, in words.

        Raises:
            CredentialError: it stands in a keyring that does not answer now.
            UnsafePath: the file cannot be removed.
        """
        places = ["the system's keyring"] if (status := self._keyring.delete(server)) == "ok" else []
        if remove_private(self._path(server)):
            places.append("the token file")
        if status in {"locked", "slow", "failed"}:
            raise CredentialError(
                f"The keyring may still hold the token: {_WHY[status]}. Unlock it and run `shopbell logout` again."
            )
        return places

    def _path(self, server: str) -> Path:
        return self._folder / f"{sha256(server.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.json"


def read_token(stream: TextIO) -> Secret:
    """Read a token from standard input. Raises CredentialError for anything else."""
    try:
        return Secret(stream.read(4096).strip())
    except ValueError as error:
        raise CredentialError(f"What came in: {error}.") from None


def find_token(server: str, environment: Environment, store: TokenStore) -> Found:
    """The token for a server, from the first place that has one.

    Raises:
        CredentialError: none has one, or a file holds something else.
        UnsafePath: a file that others can read.
    """
    if environment.token is not None:
        return Found(environment.token, "SHOPBELL_TOKEN")
    if environment.token_file is not None:
        return Found(_from_file(environment.token_file), "SHOPBELL_TOKEN_FILE")
    found = store.find(server)
    if found is None:
        raise CredentialError(
            f"There is no token for {clean_line(server)}. Run `shopbell login` for it first."
        )
    return found


def _from_file(path: Path) -> Secret:
    content = read_private(path)
    if content is None:
        raise CredentialError(f"SHOPBELL_TOKEN_FILE names {clean_line(str(path))}, and it is not there.")
    try:
        return Secret(content.decode("ascii").strip())
    except ValueError:
        raise CredentialError(f"SHOPBELL_TOKEN_FILE: {clean_line(str(path))} holds no token.") from None
