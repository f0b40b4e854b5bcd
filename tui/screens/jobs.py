"""The Jobs section: what is done in the background, what failed in it, and the queues that it waits in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import BindingType

from server.contract.jobs import Enqueued, Job, JobRow, Queue, Schedule
from tui import keys
from tui.api import jobs as calls
from tui.api.errors import ApiError, ClientError
from tui.screens.attempts import Attempt, attempt
from tui.screens.deeds import Sending
from tui.screens.desk import Desk
from tui.screens.job_rows import Row
from tui.screens.job_story import glimpse, job_story, schedule_story
from tui.screens.jobs_list import JobsList
from tui.screens.outside import on_its_way
from tui.screens.reasons import allowed, reason, state_of
from tui.widgets.format import count

if TYPE_CHECKING:
    from tui.api.client import Client

KEPT: Final = 40
"""Stories of jobs that are kept to be shown again at once."""


class JobsSection(JobsList):
    """Jobs, their stories, and what can be done to them."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("jobs")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known: dict[str, Job] = {}
        self._due: str | None = None
        """The job whose story is to be fetched anew, also when another look at it gives up the first."""

    # The story.

    def retell(self, *, fresh: bool = True) -> None:
        """Show the story of the job that keys act on."""
        if fresh:
            self._due = self.subject
        super().retell(fresh=fresh)

    @property
    def row(self) -> Row | None:
        """The line that keys act on, as far as it is known."""
        return super().row or self._known.get(self.subject or "")

    async def tell(self, row_id: str, *, fresh: bool) -> None:
        """Show a job's story: what is known of it at once, its attempts when they came."""
        row, known, client = self.row, self._known.get(row_id), self.desk.client
        if isinstance(row, Schedule):
            self.show_story(row_id, schedule_story(row, self.desk.times))
            return
        if known is not None:
            self._show(known)
        elif row is not None:
            self.show_story(row_id, glimpse(row, self.desk.times, self.desk.glyphs))
        current = known is not None and (row is None or _as_listed(known) == _as_listed(row))
        if client is None or (current and not fresh and row_id != self._due):
            return
        try:
            job = await calls.job(client, row_id)
        except ApiError as error:
            self.story_failed(row_id, error)
            return
        self._due = None
        self._known.pop(job.id, None)
        self._known[job.id] = job
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        self._show(job)

    def queues_changed(self) -> None:
        """The open story says whether its queue is paused."""
        known = self._known.get(self.subject or "")
        if known is not None and (self.is_open or self.wide):
            self._show(known)

    def _show(self, job: Job) -> None:
        queue = next((queue for queue in self.queues_known if queue.name == job.queue), None)
        desk = self.desk
        blocks = job_story(job, desk.times, desk.glyphs, queue=queue, hint=self._hint(job), raw=self.raw)
        self.show_story(job.id, blocks)

    def _hint(self, job: Job) -> str:
        """What can be done about it."""
        hints, key = [], self.desk.key
        if allowed(job.actions, "retry"):
            hints.append(
                f"{key('job.retry')} {self.desk.glyphs.outside if job.outside else ''} retry".replace(
                    "  ", " "
                )
            )
        if allowed(job.actions, "cancel"):
            hints.append(f"{key('job.withdraw')} withdraw")
        if job.order is not None:
            hints.append(f"{key('job.order')} order {job.order.number}")
        return "   ".join(hints)

    # Acting.

    def _try(self, work: Attempt) -> None:
        """Do something with the server, and look what became of it."""

        def after(_error: ClientError | None) -> None:
            self.frame.ask_soon()
            self.reload()

        attempt(self, work, after=after)

    def _rows_for(self, name: str) -> list[JobRow]:
        """The marked jobs, or the one under the cursor, that the server lets this be done to; else it is said why."""
        rows = map(self.list.row_of, self.marked_or_subject())
        found = [row for row in rows if isinstance(row, JobRow)]
        if not found and isinstance(self.row, JobRow):
            found = [self.row]
        if not found:
            self.frame.say("note", "There is no job here.")
        able = [row for row in found if allowed(row.actions, name)]
        if found and not able:
            state = state_of(found[0].actions, name)
            self.frame.say("refused", reason(None if state is None else state.reason))
        return able

    def _stay(self) -> None:
        """Stay with the job whose story is open, although it will leave the tab."""
        if self.is_open:
            self._pinned = self.subject

    def action_retry_job(self) -> None:
        """Try again; where its attempts are not seen, show them first."""
        rows = self._rows_for("retry")
        if not rows:
            return
        if not (self.wide or self.is_open or self.list.marks):
            self.open(rows[0].id)
            self.frame.say(
                "note", f"This is what became of it so far. {self.desk.key('job.retry')} tries it again."
            )
            return
        self.repeatable = "job.retry"
        self._stay()
        self._try(partial(self._retry, rows=rows))

    async def _retry(self, client: Client, *, rows: Sequence[JobRow]) -> None:
        for row in rows:
            asked = await calls.retry(client, row.id)
            about = f"{row.label} {row.order.number}" if row.order else row.label
            order_id = row.order.id if row.order else None
            sending = Sending("job", row.id, about, order_id=order_id, tried=row.attempt)
            on_its_way(self, sending, Enqueued(job=asked, new=True))
        self.list.clear_marks()
        if len(rows) > 1:
            undo = f"{self.desk.key('undo')} takes back one after the other"
            self.frame.say("done", f"{count(len(rows), 'job')} tried again", undo)

    def action_withdraw(self) -> None:
        """Take jobs back that wait."""
        rows = self._rows_for("cancel")
        if rows:
            self.repeatable = "job.withdraw"
            self._stay()
            self._try(partial(self._withdraw, rows=rows))

    async def _withdraw(self, client: Client, *, rows: Sequence[JobRow]) -> None:
        for row in rows:
            await calls.withdraw(client, row.id)
        self.list.clear_marks()
        told = rows[0].label if len(rows) == 1 else count(len(rows), "job")
        again = f"{self.desk.key('job.retry')} asks for it again"
        self.frame.say("done", f"Withdrawn, and nothing of it has left: {told}", again)

    def action_pause_queue(self) -> None:
        """Pause the queue, or let it go on."""
        queue = self.queue_here
        if queue is None:
            self.frame.say("note", f"Which queue? {self.desk.key('queue')} chooses one.")
            return
        verb = "pause" if queue.paused_at is None else "resume"
        state = state_of(queue.actions, verb)
        if state is not None and not state.allowed:
            self.frame.say("refused", reason(state.reason))
        else:
            self.repeatable = "queue.pause"
            self._try(partial(self._hold_up, queue=queue, paused=verb == "pause"))

    async def _hold_up(self, client: Client, *, queue: Queue, paused: bool) -> None:
        found = await calls.hold_up(client, queue.name, paused=paused)
        self.take_queues(found.queues)
        key = self.desk.key("queue.pause")
        if paused:
            said = f"{queue.label} is paused: nothing more of it begins"
            self.frame.say("done", said, f"{key} lets it go on")
        else:
            self.frame.say("done", f"{queue.label} goes on")

    def action_open_order(self) -> None:
        """Open the order that the job is about."""
        row = self.row
        if isinstance(row, JobRow) and row.order is not None:
            self.frame.open_order(row.order.id, "")
        else:
            self.frame.say("note", "This job is about no order.")

    def action_copy(self) -> None:
        """Copy the order's number, or the job's id where it has no order."""
        row = self.row
        text = row.name if isinstance(row, Schedule) else None
        if isinstance(row, JobRow):
            text = row.order.number if row.order else row.id
        self.copy(text, "There is no job here to copy.")


def _as_listed(row: JobRow) -> tuple[Any, ...]:
    """What of a job may change."""
    return tuple(getattr(row, name) for name in JobRow.model_fields)
