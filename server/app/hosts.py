"""Which names this server answers to: the defence against pages that point a name of theirs at this machine."""

from __future__ import annotations

import re
from typing import Final

from server.kit.config import LOOPBACK, ServerConfig

_PORT: Final = re.compile(rb"[0-9]{1,5}", re.ASCII)


class Hosts:
    """The Host headers that are let in: the loopback's names and those of the setting.

    A name is taken with any port, for tunnels; a name that the setting gives with its port, only with that one.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._names = frozenset(name.encode() for name in (*LOOPBACK, *config.allowed_hosts))

    def allows(self, host: bytes) -> bool:
        """Whether a Host header names this server, exactly."""
        host = host.lower()
        if host in self._names:
            return True
        name, colon, port = host.rpartition(b":")
        return bool(colon) and name in self._names and _PORT.fullmatch(port) is not None
