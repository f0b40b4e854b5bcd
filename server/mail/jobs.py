"""The job that sends a mail. What became of it is written only once that is certain.

Most mails are sent at least once: when nobody knows whether the mail server took one, it is sent again under the same
Message-ID. Kinds that must come at most once are marked ``sending`` in a committed transaction before the server is
given anything, and whoever finds that mark later leaves them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import select, update

from server.activity import service as activity
from server.activity.service import Actor
from server.jobs.errors import JobError
from server.jobs.registry import Kind
from server.jobs.registry import register as register_job
from server.jobs.work import Job, Then, Work
from server.kit.clock import HOUR, MINUTE
from server.kit.tx import Tx
from server.mail import outbox, setup
from server.mail.kinds import KINDS, Mail, MailKind, label_of, mail_of
from server.mail.message import MailServer, MailServerError, Message, UnfitMailError, Withheld
from server.mail.models import mail
from server.mail.service import SEND
from server.people import service as people

OUTCOME_UNKNOWN: Final = "outcome_unknown"
_OVER: Final = frozenset({"sent", "kept", "withheld"})
_LEFT_ALONE: Final = (
    "It was being handed over when that ended; whether it left is not known. It is not sent again."
)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A mail that is about to leave. ``server`` is None when it goes to the outbox."""

    mail: Mail
    kind: MailKind
    message: Message
    server: MailServer | None


def run(work: Work) -> Then | None:
    """Send a mail, keep it in the outbox, or withhold it.

    Raises:
        JobError: the mail server did not take it, or it must not leave as it is.
    """
    mail_id = str(work.job.args["mail_id"])
    ready = work.store.write(partial(_prepare, mail_id=mail_id, asked_by=work.job.asked_by))
    if ready is None:
        return None
    if isinstance(ready, Withheld):
        return partial(_withhold, mail_id=mail_id, reason=ready.reason)
    if ready.server is None:
        return partial(outbox.keep, which=ready.mail, message=ready.message)
    mark: Callable[[], None] | None = None
    if ready.kind.at_most_once:
        mark = partial(work.store.write, partial(_mark_sending, mail_id=mail_id))
    from server.mail.smtp import send  # noqa: PLC0415 - when a mail leaves (`message`)

    try:
        send(ready.server, ready.message, before_data=mark)
    except MailServerError as error:
        raise _failed(ready, error) from None
    return partial(_mark_sent, ready=ready)


def _prepare(tx: Tx, mail_id: str, asked_by: str | None) -> _Ready | Withheld | None:
    """What is to leave, as everything stands now; None when there is nothing left to do."""
    row = tx.execute(select(mail).where(mail.c.id == mail_id).with_for_update()).first()
    if row is None or row.state in _OVER:
        return None
    kind = KINDS.get(row.kind)
    if kind is None:
        raise JobError(f"Nobody here knows mails of the kind {row.kind}.", permanent=True)
    if kind.at_most_once and row.state == "sending":
        raise JobError(_LEFT_ALONE, permanent=True)
    which = mail_of(row, asked_by)
    person = people.people(tx, [row.person_id]).get(row.person_id) if row.person_id else None
    if person is None or not person.email:
        return Withheld("no_address")
    letter = kind.compose(tx, which)
    if isinstance(letter, Withheld):
        return letter
    from server.mail.composing import compose  # noqa: PLC0415 - when a mail leaves (`message`)

    try:
        message = compose(
            letter, sender=setup.sender(tx), to=person.email, message_id=row.message_id, at=tx.now
        )
        return _Ready(which, kind, message, setup.mail_server(tx))
    except (UnfitMailError, setup.NotSetUpError) as error:
        raise JobError(str(error), permanent=True) from None


def _failed(ready: _Ready, error: MailServerError) -> JobError:
    if not ready.kind.at_most_once:
        return JobError(error.reason, permanent=error.permanent)
    if error.unknown:
        return JobError(error.reason, permanent=True)
    return JobError(error.reason, permanent=error.permanent, then=partial(_unmark, mail_id=ready.mail.id))


def _mark_sending(tx: Tx, mail_id: str) -> None:
    """Say that it may have left from now on.

    Raises:
        JobError: somebody said so already, so this one may not.
    """
    free = (mail.c.id == mail_id) & mail.c.state.in_(("queued", "failed", "cancelled"))
    if tx.execute(update(mail).where(free).values(state="sending", reason=None)).rowcount != 1:
        raise JobError(_LEFT_ALONE, permanent=True)
    tx.touch("mail")


def _unmark(tx: Tx, mail_id: str) -> None:
    """The mail server said no: it has not left, and may be tried again."""
    mine = (mail.c.id == mail_id) & (mail.c.state == "sending")
    tx.execute(update(mail).where(mine).values(state="queued"))


def _mark_sent(tx: Tx, ready: _Ready) -> None:
    open_still = (mail.c.id == ready.mail.id) & mail.c.state.not_in(_OVER)
    done = update(mail).where(open_still).values(state="sent", reason=None, sent_at=tx.now)
    if tx.execute(done).rowcount == 1:
        ready.kind.sent(tx, ready.mail)
        tx.touch("mail")


def _withhold(tx: Tx, mail_id: str, reason: str) -> None:
    tx.execute(update(mail).where(mail.c.id == mail_id).values(state="withheld", reason=reason))
    tx.touch("mail")


def _gave_up(tx: Tx, job: Job, reason: str) -> None:
    row = tx.execute(select(mail).where(mail.c.id == str(job.args["mail_id"])).with_for_update()).first()
    if row is None or row.state in _OVER:
        return
    kept_apart = row.state == "sending" and row.kind in KINDS and KINDS[row.kind].at_most_once
    # What may have left stays marked, so that nobody asks for it again.
    state = "sending" if kept_apart else "failed"
    tx.execute(update(mail).where(mail.c.id == row.id).values(state=state, reason=reason))
    activity.log(
        tx,
        "email.failed",
        order_id=row.order_id,
        person_id=row.person_id,
        params={"mail": label_of(row.kind)},
        texts={"reason": reason},
        identity=("mail", row.id, job.attempt),
        actor=Actor("job", name=SEND),
    )
    tx.touch("mail")


def _cancelled(tx: Tx, job: Job) -> None:
    mine = (mail.c.id == str(job.args["mail_id"])) & mail.c.state.in_(("queued", "failed"))
    tx.execute(update(mail).where(mine).values(state="cancelled"))
    tx.touch("mail")


def _no_retry(tx: Tx, job: Job) -> str | None:
    row = tx.execute(select(mail.c.kind, mail.c.state).where(mail.c.id == str(job.args["mail_id"]))).first()
    if row is None:
        return "not_found"
    kind = KINDS.get(row.kind)
    if row.state == "sending" and kind is not None and kind.at_most_once:
        return OUTCOME_UNKNOWN
    return None


register_job(
    Kind(
        name=SEND,
        label="Send mail",
        queue="mail",
        run=run,
        max_attempts=6,
        waits=(MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR),
        outside=True,
        gave_up=_gave_up,
        cancelled=_cancelled,
        no_retry=_no_retry,
    )
)
