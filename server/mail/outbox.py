"""The outbox of a shop without a mail server: what would have left is kept, can be read, and is never called sent."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.kit.tx import Tx
from server.mail.kinds import Mail, label_of
from server.mail.message import Message
from server.mail.models import mail, mail_text


def keep(tx: Tx, which: Mail, message: Message) -> None:
    """Keep a mail instead of sending it. Doing it again changes nothing."""
    if tx.execute(select(mail_text.c.mail_id).where(mail_text.c.mail_id == which.id)).first() is not None:
        return
    tx.execute(insert(mail_text).values(mail_id=which.id, message=message.content.decode()))
    tx.execute(update(mail).where(mail.c.id == which.id).values(state="kept", reason=None))
    if which.person_id is not None:  # a test mail is nobody's
        activity.log(
            tx,
            "email.kept",
            order_id=which.order_id,
            person_id=which.person_id,
            params={"mail": label_of(which.kind)},
            identity=("mail", which.id),
            actor=Actor("job", name="mail.send"),
        )
    tx.touch("mail")


def read(message: str) -> tuple[str, str]:
    """The subject and the text of a message that was kept."""
    from email import message_from_bytes  # noqa: PLC0415 - what reads a mail loads when one is read
    from email.message import EmailMessage  # noqa: PLC0415
    from email.policy import default as modern  # noqa: PLC0415

    found = message_from_bytes(message.encode(), policy=modern)
    assert isinstance(found, EmailMessage)  # noqa: S101 - the policy makes no other
    text: str = found.get_content()
    return str(found["Subject"] or ""), text.replace("\r\n", "\n")
