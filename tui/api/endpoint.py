"""Where a server is and how to be let in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tui.api.clean import clean_line
from tui.api.errors import StartError
from tui.api.secret import Secret

_PLAIN: Final = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server to talk to: a URL or the path of a Unix socket, exactly one of them.

    Attributes:
        url: ``https://…``, or ``http://…`` of this machine's loopback; a path prefix is kept.
        uds: the socket's path.
        token: what to be let in with.
        ca_file: certificates to trust instead of the usual ones, for ``https``.

    Raises:
        StartError: not a URL of that kind, or a token would travel in the clear.
    """

    url: str | None = None
    uds: Path | None = None
    token: Secret | None = None
    ca_file: Path | None = None
    base: str = field(init=False, repr=False, default="")

    def __post_init__(self) -> None:
        if (self.url is None) == (self.uds is None):
            raise StartError("Name a server by its URL or by its socket, one of the two.")
        base = "http://localhost" if self.url is None else normal_url(self.url)
        object.__setattr__(self, "base", base)

    @property
    def secure(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.base.startswith("https://")

    @property
    def key(self) -> str:
        """Its name among stored tokens: the URL in one spelling, or ``unix:`` and the socket's path."""
        return self.base if self.uds is None else socket_key(self.uds)

    @property
    def label(self) -> str:
        """Its name for people: host and port, or the socket's path."""
        return clean_line(str(self.uds) if self.uds is not None else self.base.partition("://")[2])


def socket_key(path: Path) -> str:
    """The name of a socket's token among stored ones."""
    return f"unix:{path.absolute()}"


def normal_url(url: str) -> str:
    """One spelling for a server's URL: lower case, no default port, no slash at the end.

    Raises:
        StartError: not an ``http`` or ``https`` URL of a server, or ``http`` to another machine.
    """
    parts, port = _split(url)
    host = (parts.hostname or "").lower()
    if parts.scheme == "http" and not _is_loopback(host):
        raise StartError(
            f"{clean_line(url)} would send your token in the clear. Use https://, or a tunnel "
            "(ssh -L) to this machine's own loopback."
        )
    name = f"[{host}]" if ":" in host else host
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{name}{suffix}{parts.path.rstrip('/')}"


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    wanted = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and _PLAIN.fullmatch(url)
    if not wanted or "\\" in url or parts.query or parts.fragment:
        raise StartError(
            f"{clean_line(url, 200)!r} is not a server's URL. It looks like https://shop.example, "
            "with a port and a path if need be."
        )
    if "@" in parts.netloc:
        raise StartError(
            "A server's URL holds no name and no password; the token is kept by `shopbell login`."
        )
    return parts, port


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 - only for a plain http address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
