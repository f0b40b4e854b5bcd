"""Tells, in the status line, of what was asked to leave the shop: how long it can be taken back, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.api.errors import ApiError, Refused
from tui.api.jobs import job as job_of
from tui.api.outside import order_mails, providers
from tui.screens.affairs import is_held, seconds_left
from tui.screens.deeds import Sending
from tui.screens.sendings import leaves, outcome, too_late
from tui.widgets.frame import StatusLine

if TYPE_CHECKING:
    from textual.timer import Timer

    from server.contract.fulfilment import Sync
    from server.contract.jobs import JobRow
    from server.contract.mail import MailRow
    from tui.api.client import Client
    from tui.screens.desk import Desk
    from tui.screens.shell import Shell
    from tui.widgets.frame import Outcome


class Departure:
    """One thing on its way out. Nothing moves on the screen but the whole seconds of its hold."""

    def __init__(self, shell: Shell, sending: Sending, job: JobRow) -> None:
        self.sending = sending
        self._shell = shell
        self._job = job
        self._said = ""
        self._timer: Timer | None = None

    @property
    def _desk(self) -> Desk:
        return self._shell.desk

    def begin(self) -> None:
        """Tell of it from now on; what was told of before is forgotten."""
        if self._desk.departure is not None:
            self._desk.departure.stop()
        self._desk.departure = self
        self._said = self._words()
        self._shell.say("leaving", self._said, self._hint())
        if is_held(self._job, self._desk.clock.now()):
            self._timer = self._shell.set_interval(1, self.tick)

    def stop(self) -> None:
        """Tell of it no longer."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._desk.departure is self:
            self._desk.departure = None

    def tick(self) -> None:
        """Another second went by; when it left, ask what came of it."""
        if self._shell.query_one(StatusLine).sentence == self._said:
            self._said = self._words()
            self._shell.say("leaving", self._said, self._hint())
        if not is_held(self._job, self._desk.clock.now()):
            if self._timer is not None:
                self._timer.stop()
                self._timer = None
            self._shell.ask_soon()

    def _words(self) -> str:
        left = seconds_left(self._job.held_until, self._desk.clock.now())
        return leaves(self.sending) + (f" in {left} s" if left else "…")

    def _hint(self) -> str:
        held = is_held(self._job, self._desk.clock.now())
        return f"{self._desk.key('undo')} takes it back" if held else ""

    # What came of it.

    def look(self) -> None:
        """Something moved on the server: it may be through."""
        self._shell.begin_work(self._look, "departure")

    async def _look(self) -> None:
        client = self._desk.client
        if client is None:
            return
        try:
            job = await job_of(client, self.sending.job_id)
            told = outcome(self.sending, job, self._desk.times)
            if told is not None and job.state == "done":
                told = await self._whole(client, job)
        except Refused:
            self.stop()  # it is kept no longer, or this role does not see it
            return
        except ApiError:
            return  # the strip says that the server is away; the next answer tells
        if told is not None and self._desk.departure is self:
            self.stop()
            self._shell.say(*told)

    async def _whole(self, client: Client, job: JobRow) -> tuple[Outcome, str] | None:
        """What came of it, with what it was about as it is now."""
        sending, mail, order, sync = self.sending, None, None, None
        if sending.verb == "mail":
            mail = await mail_of(client, sending)
        elif sending.verb == "ask" and sending.order_id is not None:
            order = await client.order(sending.order_id)
        elif sending.verb == "sync":
            sync = await _sync_of(client, sending)
        return outcome(sending, job, self._desk.times, mail=mail, order=order, sync=sync)


async def mail_of(client: Client, sending: Sending) -> MailRow | None:
    """The mail that was asked for: the newest of its kind. Raises ApiError."""
    if sending.order_id is None:
        return None
    rows = await order_mails(client, sending.order_id)
    return next((row for row in rows if row.kind == sending.what), None)


async def _sync_of(client: Client, sending: Sending) -> Sync | None:
    found = await providers(client)
    return next((known.sync for known in found if known.label == sending.to), None)


async def why_too_late(client: Client, sending: Sending, desk: Desk) -> str:
    """Why a job can no longer be taken back, as things are now. Raises ApiError."""
    job = await job_of(client, sending.job_id)
    mail = await mail_of(client, sending) if sending.verb == "mail" else None
    return too_late(sending, job, mail, desk.times)
