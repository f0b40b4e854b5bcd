"""The test mail: whether mail leaves as the settings have it now, tried at once and told in a sentence."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import insert

from server.contract.settings import TestResult
from server.kit.db import Store
from server.kit.tx import Tx
from server.mail import outbox, setup
from server.mail.kinds import Mail
from server.mail.message import Composed, MailServer, MailServerError, Message, UnfitMailError
from server.mail.models import mail
from server.settings import service as settings
from server.settings.registry import register_test

KIND: Final = "test"


def try_mail(store: Store) -> TestResult:
    """Send a test mail to the shop's own from-address, or keep it in the outbox."""
    begun = time.monotonic()

    def told(ok: bool, message: str) -> TestResult:
        return TestResult(ok=ok, message=message, took_ms=round((time.monotonic() - begun) * 1_000))

    try:
        which, message, server = store.read(_compose)
    except (UnfitMailError, setup.NotSetUpError) as error:
        return told(ok=False, message=str(error))
    if server is None:
        store.write(lambda tx: _note(tx, which, message))
        return told(
            ok=True, message="Mails are kept in the outbox, and so is this one: nothing leaves the shop."
        )
    from server.mail.smtp import send  # noqa: PLC0415 - when a mail leaves (`message`)

    try:
        send(server, message)
    except MailServerError as error:
        return told(ok=False, message=error.reason)
    store.write(lambda tx: _note(tx, which, None))
    return told(
        ok=True, message=f"The mail server took a test mail to {message.recipient}. See whether it arrives."
    )


def _compose(tx: Tx) -> tuple[Mail, Message, MailServer | None]:
    from server.mail.composing import compose  # noqa: PLC0415 - when a mail leaves (`message`)

    server = setup.mail_server(tx)
    sender = setup.sender(tx)
    mail_id = tx.new_id()
    name = setup.message_id(tx, mail_id)
    which = Mail(mail_id, KIND, None, None, None, name, "queued", tx.now, None)
    text = (
        f"This is a test mail of {settings.get(tx, 'shop.name')}.\n\n"
        "Whoever reads it sees that the shop's mail settings work: confirmations\n"
        "and shipping notifications leave the same way.\n"
    )
    letter = Composed(f"Test mail of {settings.get(tx, 'shop.name')}", text)
    return which, compose(letter, sender=sender, to=sender.address, message_id=name, at=tx.now), server


def _note(tx: Tx, which: Mail, kept: Message | None) -> None:
    tx.execute(
        insert(mail).values(
            id=which.id,
            kind=KIND,
            message_id=which.message_id,
            state="sent" if kept is None else "queued",
            created_at=which.created_at,
            sent_at=tx.now if kept is None else None,
        )
    )
    if kept is not None:
        outbox.keep(tx, which, kept)
    tx.touch("mail")


register_test("mail", "mail", try_mail)
