"""The shop of one's own: a server that the client starts for itself on a Unix socket, and the practice shop.

One client keeps the server; it holds the lock of the data directory while it does. Other clients on the same data
use that server, wait for the lock, and take over when the keeper leaves. The server ends with its keeper, however
that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.api.clean import clean_line
from tui.api.clock import Clock
from tui.api.endpoint import Endpoint
from tui.api.errors import ClientError, StartError
from tui.api.paths import private_dir, read_private, write_private
from tui.api.secret import Secret

LONGEST_SOCKET_PATH: Final = 100
"""Bytes; the system's own limit is 108 on Linux and 104 elsewhere."""

_CHILD: Final = (sys.executable, "-P", str(Path(__file__).with_name("child.py")))
_LOG_CAP: Final = 1_048_576
_LOOK: Final = 0.02
_ANOTHER_RUNS: Final = 6  # shopbelld's exit code when somebody else serves the data


@dataclass(frozen=True, slots=True)
class Kind:
    """What is started.

    Attributes:
        serve: the module and the arguments that follow ``--data`` and ``--uds``.
        told: it prints its token on standard output when the first screen can be shown.
        patience: seconds until the first screen must be possible.
    """

    serve: tuple[str, ...]
    told: bool
    patience: float


PRIVATE: Final = Kind(("server.cli", "serve"), told=False, patience=60.0)
"""The shop of one's own."""


def practice(seed: int | None, speed: float | None) -> Kind:
    """The practice shop, with the life that a seed gives, its time running ``speed`` times as fast."""
    arguments = [] if seed is None else ["--seed", str(seed)]
    arguments += [] if speed is None else ["--speed", str(speed)]
    return Kind(("server.practice", *arguments), told=True, patience=120.0)


class PrivateServer:
    """A server of this client's own, or the one that another client of the same user keeps on the same data.

    Args:
        data: the data directory (0700); made if it is not there.
        kind: what is started.
        clock: for the time that a start may take.
        fresh: begin with an empty data directory.
        command: what runs a module as a child that ends with this process.
    """

    def __init__(
        self,
        data: Path,
        kind: Kind,
        clock: Clock,
        *,
        fresh: bool = False,
        command: Sequence[str] = _CHILD,
    ) -> None:
        self._data = data.absolute()
        self._kind = kind
        self._clock = clock
        self._fresh = fresh
        self._command = command
        self._log = self._data / "client-server.log"
        self._token_file = self._data / "owner.token"
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._keeper: threading.Thread | None = None
        self._children: list[subprocess.Popen[bytes]] = []
        self._failure: StartError | None = None
        self._starting = False
        self._folder: Path | None = None  # of the socket, where the data directory's path is too long

    def start(self) -> Endpoint:
        """Wait until the server answers. May be called again, also after a failure.

        Raises:
            StartError: it does not start; the sentence says why and names the log.
            UnsafePath: the data directory cannot be used.
        """
        private_dir(self._data)
        self._failure, self._starting = None, True
        try:
            if self._keeper is None or not self._keeper.is_alive():
                self._keeper = threading.Thread(target=self._keep, name="private-server", daemon=True)
                self._keeper.start()
            return self._wait()
        except OSError as error:
            raise self._trouble(str(error.strerror)) from None
        finally:
            self._starting = False

    @property
    def keeps(self) -> bool:
        """Whether the server is this client's own and ends with it."""
        with self._guard:
            return bool(self._children)

    def close(self) -> None:
        """End the server if this client keeps it, and wait until it has ended."""
        self._closing.set()
        with self._guard:
            children = list(self._children)
        for child in children:
            _end(child)
        if children and self._keeper is not None:
            self._keeper.join(1.0)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            (self._data / "socket").unlink(missing_ok=True)

    # Looking for a server, ours or another client's

    def _wait(self) -> Endpoint:
        deadline = self._clock.monotonic() + self._kind.patience
        minted = False
        while not self._closing.wait(_LOOK):
            if self._failure is not None:
                raise self._failure
            token, path = self._token(), self._socket()
            status = ask_status(path, token) if token is not None and path is not None else None
            if status == 200:
                return Endpoint(uds=path, token=token)
            if status == 401 and not self._kind.told and not minted:
                minted = True  # expired or revoked: whoever owns the data may make another
                self._mint()
            if self._clock.monotonic() > deadline:
                raise self._trouble(f"it did not answer within {self._kind.patience:.0f} s")
        raise StartError("The client is closing.")

    def _token(self) -> Secret | None:
        content = read_private(self._token_file, 1024)
        try:
            return None if content is None else Secret(content.decode("ascii").strip())
        except ValueError:
            return None

    def _socket(self) -> Path | None:
        path = self._data / "shopbell.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        told = read_private(self._data / "socket", 1024)
        return None if told is None else Path(os.fsdecode(told))

    # Keeping a server

    def _keep(self) -> None:
        """Hold the lock and the server with it; runs in a thread of its own until the client closes."""
        try:
            with self._sole_keeper():
                self._keep_running()
        except ClientError as error:
            self._failure = error if isinstance(error, StartError) else StartError(error.sentence)
        except OSError as error:
            self._failure = self._trouble(str(error.strerror))

    @contextlib.contextmanager
    def _sole_keeper(self) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self._data / "client.lock", flags, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._fresh:
                    raise StartError(
                        "Another client has this practice shop open. Close it, then begin afresh."
                    ) from None
                fcntl.flock(handle, fcntl.LOCK_EX)  # until the other client leaves
            yield
        finally:
            os.close(handle)

    def _keep_running(self) -> None:
        if self._fresh:
            self._empty()
        began = self._clock.monotonic()
        pause = 0.25
        while not self._closing.is_set():
            started = self._clock.monotonic()
            code = self._run()
            if self._closing.is_set():
                return
            now = self._clock.monotonic()
            # The last keeper's server may need some seconds to end; it holds the data until then.
            if self._starting and not (code == _ANOTHER_RUNS and now - began < 12.0):
                raise self._trouble(self._last_words() or f"it ended with the code {code}")
            pause = 0.25 if now - started > 30.0 or code == _ANOTHER_RUNS else min(pause * 2, 30.0)
            self._closing.wait(pause)

    def _run(self) -> int:
        """Start the server and stay until it has ended: its exit code."""
        self._rotate_log()
        if not self._kind.told and self._token() is None:
            self._mint()
        module, *arguments = self._kind.serve
        place = ["--data", str(self._data), "--uds", str(self._place_socket())]
        child = self._spawn([module, *arguments, *place])
        if child is None:
            return 0
        with child.stdout or contextlib.nullcontext() as told:
            for line in told or ():
                self._hear(line)
        return self._ended(child)

    def _hear(self, line: bytes) -> None:
        """The practice shop says that its first screen can be shown, and with which token."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            write_private(self._token_file, Secret(json.loads(line)["token"]).reveal().encode())

    def _mint(self) -> None:
        """Make the shop and its Owner, or one more token for the Owner of the shop that is there."""
        code, token = self._ask_tool(["server.cli", "init", "--data", str(self._data)])
        if code != 0:
            create = ["token", "create", "--role", "owner", "--name", "this computer", "--days", "366"]
            code, token = self._ask_tool(["server.cli", *create, "--data", str(self._data)])
        if self._closing.is_set():
            return
        try:
            write_private(self._token_file, Secret(token).reveal().encode())
        except ValueError:
            raise self._trouble(self._last_words() or f"it ended with the code {code}") from None

    def _ask_tool(self, arguments: Sequence[str]) -> tuple[int, str]:
        child = self._spawn(arguments, listen=True)
        if child is None or child.stdout is None:
            return 0, ""
        with child.stdout:
            said = child.stdout.read(4096)
        code = self._ended(child)
        return code, said.decode("ascii", "replace").strip() if code == 0 else ""

    def _spawn(self, arguments: Sequence[str], *, listen: bool = False) -> subprocess.Popen[bytes] | None:
        """Start a child, unless the client is closing."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(self._log, flags, 0o600)
        try:
            with self._guard:
                if self._closing.is_set():
                    return None
                child = subprocess.Popen(  # noqa: S603 - our own child
                    [*self._command, *arguments],
                    cwd="/",
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE if listen or self._kind.told else log,
                    stderr=log,
                    start_new_session=True,
                )
                self._children.append(child)
                return child
        finally:
            os.close(log)

    def _ended(self, child: subprocess.Popen[bytes]) -> int:
        """Wait until a child has ended: its exit code."""
        code = child.wait()
        if child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
        with self._guard:
            self._children.remove(child)
        return code

    def _place_socket(self) -> Path:
        """Where the server is to listen; told to other clients where it cannot be the data directory."""
        path = self._data / "shopbell.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="shopbell-"))
        path = self._folder / "shopbell.sock"
        write_private(self._data / "socket", os.fsencode(path))
        return path

    def _empty(self) -> None:
        for entry in self._data.iterdir():
            if entry.name == "client.lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self._fresh = False

    # The log

    def _rotate_log(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._log.stat().st_size > _LOG_CAP:
                self._log.replace(self._log.with_suffix(".log.1"))

    def _last_words(self) -> str:
        """The last sentence that a child wrote for people."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log.stat().st_size - 8192))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        spoken = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("{")]
        return clean_line(spoken[-1].removeprefix("shopbelld: "), 300).rstrip(".") if spoken else ""

    def _trouble(self, why: str) -> StartError:
        return StartError(
            clean_line(f"The shop on this computer did not start: {why}. Its log is {self._log}.")
        )


def ask_status(path: Path, token: Secret) -> int | None:
    """The status that a server on a socket answers to ``GET /v1/me``; None when none answers.

    Speaks HTTP by hand: a client with all its imports would take longer than the server's start.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(5.0)
        try:
            line.connect(str(path))
            line.sendall(
                b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "
                + token.reveal().encode("ascii")
                + b"\r\n\r\n"
            )
            start = line.recv(64)
        except OSError:
            return None
    parts = start.split(b" ", 2)
    return int(parts[1]) if len(parts) == 3 and parts[0] == b"HTTP/1.1" and parts[1].isdigit() else None


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(8.0)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
