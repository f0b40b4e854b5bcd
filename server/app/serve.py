"""The server process: where it listens, and that it ends without losing anything."""

from __future__ import annotations

import contextlib
import gc
import logging
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import uvicorn

from server.app.assembly import App
from server.app.protocol import LimitedProtocol
from server.app.streams import Streams
from server.kit.config import ConfigError, ServerConfig

_log = logging.getLogger("shopbell.serve")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7373
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 5
_BACKLOG = 512
_LONGEST_SOCKET_PATH = 100  # the system's limit is 108 on Linux and 104 elsewhere


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server can be reached."""

    host: str | None = None
    port: int | None = None
    uds: Path | None = None

    def __str__(self) -> str:
        if self.uds is not None:
            return f"unix:{self.uds}"
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@contextlib.contextmanager
def listen(
    config: ServerConfig, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, uds: Path | None = None
) -> Iterator[tuple[socket.socket, Listening]]:
    """A listening socket: on TCP, or on a Unix socket when ``uds`` is given.

    Raises:
        ConfigError: the address is taken, or would be open to other machines without ``SHOPBELL_ALLOWED_HOSTS``.
    """
    if uds is not None:
        with _listen_unix(uds.expanduser().absolute()) as found:
            yield found
        return
    if not is_loopback(host) and not config.allowed_hosts:
        raise ConfigError(
            f"{host} can be reached from other machines: first name the hosts that clients use in "
            "SHOPBELL_ALLOWED_HOSTS."
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # An answer goes out in two pieces; without this the second waits 40 ms for the first one's receipt. asyncio
        # sets it only where the socket names its protocol, which those of a listener made in this way do not.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no such port"
        raise ConfigError(f"The server cannot listen on {host} port {port}: {why}.") from None
    with opened:
        yield opened, Listening(host, opened.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def _listen_unix(path: Path) -> Iterator[tuple[socket.socket, Listening]]:
    if len(str(path).encode()) > _LONGEST_SOCKET_PATH:
        raise ConfigError(f"The path of the socket is too long for the system: {path}")
    _prepare_folder(path.parent)
    _remove_stale(path)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(str(path))
        path.chmod(0o600)
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise ConfigError(f"The server cannot listen on {path}: {error.strerror}.") from None
    ours = path.stat().st_ino
    with opened:
        try:
            yield opened, Listening(uds=path)
        finally:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == ours:
                    path.unlink()


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise ConfigError(f"The folder of the socket {folder} cannot be made: {error.strerror}.") from None
    if mode & 0o077:
        raise ConfigError(
            f"Others can look into the folder of the socket {folder}. Close it: chmod 700 {folder}"
        )


def _remove_stale(path: Path) -> None:
    """Remove a socket that a dead server left; refuse to take over a living one's, or any other file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} is there already and is no socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError:
            pass
    raise ConfigError(f"A server listens on {path} already.")


class _Server(uvicorn.Server):
    """Ends the open streams of its application when it stops: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._streams.end()
        await super().shutdown(sockets)
        await self._streams.ended()


def make_server(app: App) -> uvicorn.Server:
    """The HTTP server around an application; run it with ``run(sockets=[…])``."""
    return _Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=LimitedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        ),
        app.streams,
    )


def run(app: App, opened: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT, finish what was begun, and come back."""
    server = make_server(app)
    # What was made so far lives as long as the process. Looking through it again would hold requests up for 50 ms.
    gc.collect()
    gc.freeze()
    with _quiet_signals(server):
        ready()
        server.run(sockets=[opened])


@contextlib.contextmanager
def _quiet_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let the signals that end the server end only the server, so that what stands around it can close its doors.

    uvicorn raises them once more, after it stopped, against whatever handler it found. One that comes before uvicorn
    looks for them ends it, too.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
