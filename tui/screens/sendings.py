"""What is said of things that leave the shop: while they wait, when they left, and when it is too late."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tui.screens.affairs import mail_name, mail_state
from tui.screens.deeds import Sending
from tui.screens.reasons import reason
from tui.widgets.format import Times, count, fulfilment_mark

if TYPE_CHECKING:
    from server.contract.fulfilment import Sync
    from server.contract.jobs import JobRow
    from server.contract.mail import MailRow
    from server.contract.orders import Order
    from tui.widgets.frame import Outcome


def leaves(sending: Sending) -> str:
    """What it does: ``Submits SS-260223-0009 to Printify``."""
    if sending.verb == "job":
        return f"{sending.about}: tried again"
    if sending.verb == "submit":
        return f"Submits {sending.about} to {sending.to}"
    if sending.verb == "mail":
        return f"Sends the {mail_name(sending.what).lower()} of {sending.about}"
    if sending.verb == "ask":
        return f"Asks {sending.to} about {sending.about}"
    return f"Syncs the products of {sending.to}"


def already(sending: Sending) -> str:
    """Somebody asked for the same before: ``SS-260223-0009 is on its way already``."""
    if sending.verb == "job":
        return f"{sending.about} is on its way already"
    if sending.verb == "submit":
        return f"{sending.about} is on its way already"
    if sending.verb == "mail":
        return f"The {mail_name(sending.what).lower()} of {sending.about} is on its way already"
    if sending.verb == "ask":
        return f"{sending.to} is being asked about {sending.about} already"
    return f"The products of {sending.to} are being synced already"


def taken_back(sending: Sending, job: JobRow) -> str:
    """It was taken back before it left, or before it left once more."""
    if sending.verb == "job":
        return f"Taken back: {sending.about} is not tried again"
    if sending.verb == "submit" and job.attempt:
        return f"Taken back: {sending.about} is not tried again"
    if sending.verb == "submit":
        return f"Taken back before it left: {sending.about} is not submitted"
    if sending.verb == "mail":
        return f"Taken back before it left: the {mail_name(sending.what).lower()} of {sending.about}"
    if sending.verb == "ask":
        return f"Taken back: {sending.to} was not asked about {sending.about}"
    return f"Taken back: the products of {sending.to} are not synced"


def too_late(sending: Sending, job: JobRow, mail: MailRow | None, times: Times) -> str:
    """Why it cannot be taken back any more, and what can be done instead."""
    at = f" at {times.clock(_when(job))}"
    if job.state == "cancelled":
        return "It was taken back already."
    if sending.verb == "job":
        now = {"running": "runs now", "done": f"was done{at}"}.get(job.state)
        return f"{sending.about} {now}: cannot be taken back." if now else f"{_failed(sending)}{at}."
    if sending.verb == "submit":
        return _submitted_too_late(sending, job, at)
    if sending.verb == "mail":
        return _mailed_too_late(sending, job, mail, at)
    if sending.verb == "ask":
        return f"{sending.to} was asked{at}: that changed nothing there."
    return f"The sync began{at}: reading products changes nothing at {sending.to}."


def _submitted_too_late(sending: Sending, job: JobRow, at: str) -> str:
    if job.state == "running":
        return f"It is being sent to {sending.to} now: cannot be taken back. Cancel it there."
    if job.state == "done":
        return f"Sent to {sending.to}{at}: cannot be taken back. Cancel it there."
    return f"The submission of {sending.about} failed{at}: nothing waits to be taken back."


def _mailed_too_late(sending: Sending, job: JobRow, mail: MailRow | None, at: str) -> str:
    name = f"The {mail_name(sending.what).lower()} of {sending.about}"
    if job.state == "running":
        return f"{name} is leaving now: a mail cannot be taken back."
    if mail is not None and mail.state == "sent":
        return f"{name} left{at}: a mail cannot be taken back."
    return f"{name} did not leave: nothing waits to be taken back."


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
    if sending.verb == "job":
        return "done", f"{sending.about}: done"
    if sending.verb == "submit":
        return "done", f"Submitted {sending.about} to {sending.to}"
    if sending.verb == "mail":
        return _mailed(sending, mail)
    if sending.verb == "ask":
        word = "" if order is None else f": {fulfilment_mark(order.fulfilment_status).word}"
        return "done", f"{sending.to} was asked about {sending.about}{word}"
    if sync is None:
        return "done", f"Synced the products of {sending.to}"
    told = f"Synced {count(sync.products, 'product')} of {sending.to}"
    return "done", f"{told}: {sync.created:,} new, {sync.updated:,} changed"


def _mailed(sending: Sending, mail: MailRow | None) -> tuple[Outcome, str]:
    name = f"{mail_name(sending.what)} of {sending.about}"
    if mail is None or mail.state == "sent":
        to = f" to {mail.to}" if mail is not None and mail.to else ""
        return "done", f"{name} sent{to}"
    if mail.state == "withheld":
        return "refused", f"{name} was not sent. {reason(mail.reason)}"
    return ("note" if mail.state == "kept" else "refused"), f"{name} {mail_state(mail)[0]}"


def _failed(sending: Sending) -> str:
    if sending.verb == "job":
        return f"{sending.about} failed"
    if sending.verb == "submit":
        return f"Submission of {sending.about} to {sending.to} failed"
    if sending.verb == "mail":
        return f"{mail_name(sending.what)} of {sending.about} could not be sent"
    if sending.verb == "ask":
        return f"{sending.to} could not be asked about {sending.about}"
    return f"The sync of {sending.to} failed"


def _when(job: JobRow) -> datetime:
    return job.finished_at or job.started_at or job.created_at
