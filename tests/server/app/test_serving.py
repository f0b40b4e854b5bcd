"""What the listening socket promises to those who connect."""

from __future__ import annotations

import socket

from server.app.serve import listen
from server.kit.config import ServerConfig


def test_answers_do_not_wait_for_receipts(config: ServerConfig) -> None:
    """A connection taken from the listener sends its second piece at once (no Nagle)."""
    with listen(config, port=0) as (listener, _), socket.create_connection(listener.getsockname()):
        taken, _address = listener.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
