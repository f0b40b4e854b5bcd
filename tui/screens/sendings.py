"""What is said of things that leave the shop: while they wait, when they left, and when it is too late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.screens.affairs import mail_name, mail_state
from tui.screens.deeds import Sending, SendVerb
from tui.screens.reasons import reason
from tui.widgets.format import Times, count, fulfilment_mark

if TYPE_CHECKING:
    from server.contract.fulfilment import Sync
    from server.contract.jobs import JobRow
    from server.contract.mail import MailRow
    from server.contract.orders import Order
    from tui.widgets.frame import Outcome


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said of one verb. In braces stand a sending's own words (`_said`) and, where it is known, the time.

    Attributes:
        leaves: what it does, while it waits.
        already: somebody asked for the same before.
        taken_back: it was taken back before anything left; ``not_again`` when it had been tried before.
        running: why it cannot be taken back any more; ``left`` when it was done, ``ended`` when it came to nothing.
        done: it was done.
        failed: it was not.
    """

    leaves: str
    already: str
    taken_back: str
    running: str
    left: str
    ended: str
    done: str
    failed: str
    not_again: str = ""


_SUBMIT: Final = _Words(
    leaves="Submits {about} to {to}",
    already="{about} is on its way already",
    taken_back="Taken back before it left: {about} is not submitted",
    not_again="Taken back: {about} is not tried again",
    running="It is being sent to {to} now: cannot be taken back. Cancel it there.",
    left="Sent to {to}{at}: cannot be taken back. Cancel it there.",
    ended="The submission of {about} failed{at}: nothing waits to be taken back.",
    done="Submitted {about} to {to}",
    failed="Submission of {about} to {to} failed",
)
_MAIL: Final = _Words(
    leaves="Sends the {mail_inside} of {about}",
    already="The {mail_inside} of {about} is on its way already",
    taken_back="Taken back before it left: the {mail_inside} of {about}",
    running="The {mail_inside} of {about} is leaving now: a mail cannot be taken back.",
    left="The {mail_inside} of {about} left{at}: a mail cannot be taken back.",
    ended="The {mail_inside} of {about} did not leave: nothing waits to be taken back.",
    done="{mail} of {about} sent",
    failed="{mail} of {about} could not be sent",
)
_ASKED: Final = "{to} was asked{at}: that changed nothing there."
_ASK: Final = _Words(
    leaves="Asks {to} about {about}",
    already="{to} is being asked about {about} already",
    taken_back="Taken back: {to} was not asked about {about}",
    running=_ASKED,
    left=_ASKED,
    ended=_ASKED,
    done="{to} was asked about {about}",
    failed="{to} could not be asked about {about}",
)
_BEGAN: Final = "The sync began{at}: reading products changes nothing at {to}."
_SYNC: Final = _Words(
    leaves="Syncs the products of {to}",
    already="The products of {to} are being synced already",
    taken_back="Taken back: the products of {to} are not synced",
    running=_BEGAN,
    left=_BEGAN,
    ended=_BEGAN,
    done="Synced the products of {to}",
    failed="The sync of {to} failed",
)
_JOB: Final = _Words(
    leaves="{about}: tried again",
    already="{about} is on its way already",
    taken_back="Taken back: {about} is not tried again",
    running="{about} runs now: cannot be taken back.",
    left="{about} was done{at}: cannot be taken back.",
    ended="{about} failed{at}.",
    done="{about}: done",
    failed="{about} failed",
)
_WORDS: Final[Mapping[SendVerb, _Words]] = {
    "submit": _SUBMIT,
    "mail": _MAIL,
    "ask": _ASK,
    "sync": _SYNC,
    "job": _JOB,
}


def _said(words: str, sending: Sending, at: str = "") -> str:
    mail = mail_name(sending.what)
    return words.format(about=sending.about, to=sending.to, mail=mail, mail_inside=mail.lower(), at=at)


def leaves(sending: Sending) -> str:
    """What it does: ``Submits SS-260223-0009 to Printify``."""
    return _said(_WORDS[sending.verb].leaves, sending)


def already(sending: Sending) -> str:
    """Somebody asked for the same before: ``SS-260223-0009 is on its way already``."""
    return _said(_WORDS[sending.verb].already, sending)


def taken_back(sending: Sending, job: JobRow) -> str:
    """It was taken back before it left, or before it left once more."""
    words = _WORDS[sending.verb]
    return _said((job.attempt and words.not_again) or words.taken_back, sending)


def too_late(sending: Sending, job: JobRow, mail: MailRow | None, times: Times) -> str:
    """Why it cannot be taken back any more, and what can be done instead."""
    if job.state == "cancelled":
        return "It was taken back already."
    words = _WORDS[sending.verb]
    sent = mail is not None and mail.state == "sent"
    left = sent if sending.verb == "mail" else job.state == "done"
    why = words.running if job.state == "running" else words.left if left else words.ended
    return _said(why, sending, f" at {times.clock(_when(job))}")


def outcome(
    sending: Sending,
    job: JobRow,
    times: Times,
    *,
    mail: MailRow | None = None,
    order: Order | None = None,
    sync: Sync | None = None,
) -> tuple[Outcome, str] | None:
    """What came of it, and how it is to be said; None while nobody knows.

    ``mail``, ``order`` and ``sync`` are what it was about, as they are afterwards, where that is known.
    """
    if job.state == "done":
        return _went(sending, mail, order, sync)
    if job.state == "cancelled":
        return "note", f"{sending.about}: it was taken back."
    why = f": {job.error.rstrip('.')}." if job.error else "."
    if job.state == "exhausted":
        return "refused", f"{_failed(sending)}{why}"
    if job.state == "waiting" and job.attempt > sending.tried and job.error:
        again = f"Tried again at {times.clock(job.run_at)}, attempt {job.attempt + 1} of {job.max_attempts}."
        return "refused", f"{_failed(sending)}{why} {again}"
    return None


def _went(
    sending: Sending, mail: MailRow | None, order: Order | None, sync: Sync | None
) -> tuple[Outcome, str]:
    if sending.verb == "mail":
        return _mailed(sending, mail)
    done = _said(_WORDS[sending.verb].done, sending)
    if sending.verb == "ask" and order is not None:
        done = f"{done}: {fulfilment_mark(order.fulfilment_status).word}"
    if sending.verb == "sync" and sync is not None:
        told = f"Synced {count(sync.products, 'product')} of {sending.to}"
        done = f"{told}: {sync.created:,} new, {sync.updated:,} changed"
    return "done", done


def _mailed(sending: Sending, mail: MailRow | None) -> tuple[Outcome, str]:
    name = f"{mail_name(sending.what)} of {sending.about}"
    if mail is None or mail.state == "sent":
        to = f" to {mail.to}" if mail is not None and mail.to else ""
        return "done", f"{_said(_MAIL.done, sending)}{to}"
    if mail.state == "withheld":
        return "refused", f"{name} was not sent. {reason(mail.reason)}"
    return ("note" if mail.state == "kept" else "refused"), f"{name} {mail_state(mail)[0]}"


def _failed(sending: Sending) -> str:
    return _said(_WORDS[sending.verb].failed, sending)


def _when(job: JobRow) -> datetime:
    return job.finished_at or job.started_at or job.created_at
