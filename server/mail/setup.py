"""How this shop's mail leaves, as the settings have it at the moment a mail leaves: a change needs no restart."""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import urlsplit

from server.kit.tx import Tx
from server.mail.message import MailServer, Security, Sender
from server.settings import service as settings

_NOWHERE: Final = "shop@localhost"


class NotSetUpError(Exception):
    """Mail cannot leave until the owner sets something. The message says what."""


def sender(tx: Tx) -> Sender:
    """From whom mails are.

    Without ``mail.from_name`` it is the shop's name; without ``mail.from_address`` the user at the mail server where
    that is an address, else ``shop@`` and the host of the shop's address.
    """
    name = settings.get(tx, "mail.from_name") or settings.get(tx, "shop.name")
    address = settings.get(tx, "mail.from_address") or _guess(tx)
    return Sender(name, address)


def mail_server(tx: Tx) -> MailServer | None:
    """The mail server; None when mails are kept in the outbox.

    Raises:
        NotSetUpError: there should be one, and it is not known which; or nobody knows from whom mails are.
    """
    if settings.get(tx, "mail.adapter") != "smtp":
        return None
    host = settings.get(tx, "mail.smtp.host")
    if not host:
        raise NotSetUpError("No mail server is set: set mail.smtp.host.")
    if sender(tx).address == _NOWHERE:
        raise NotSetUpError("Nobody knows from whom mails are: set mail.from_address.")
    username = settings.get(tx, "mail.smtp.username") or None
    return MailServer(
        host=host,
        port=settings.get(tx, "mail.smtp.port"),
        security=cast(Security, settings.get(tx, "mail.smtp.security")),
        username=username,
        password=settings.secret(tx, "mail.smtp.password") if username else None,
    )


def message_id(tx: Tx, mail_id: str) -> str:
    """The Message-ID of a mail, made once and kept: its own id, at the sender's host."""
    host = sender(tx).address.rpartition("@")[2]
    return f"<{mail_id}@{host if host.isascii() else 'localhost'}>"


def _guess(tx: Tx) -> str:
    username = settings.get(tx, "mail.smtp.username")
    if "@" in username and " " not in username:
        return username
    for name in ("shop.url", "public.url"):
        try:
            host = urlsplit(settings.get(tx, name)).hostname
        except ValueError:
            continue
        if host and "." in host and not host.replace(".", "").isdigit():
            return f"shop@{host.removeprefix('www.')}"
    return _NOWHERE
