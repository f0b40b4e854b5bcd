"""The list of the Jobs section: its tabs and columns, what narrows it, and the strip of queues above it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from textual.app import ComposeResult
from textual.containers import Horizontal

from server.contract.jobs import JobRow, Queue
from tui.api import jobs as calls
from tui.api.window import Source, Window
from tui.screens import job_rows
from tui.screens.browser import CAPACITY
from tui.screens.choices import Choices
from tui.screens.desk import Desk
from tui.screens.job_rows import Row, row_id
from tui.screens.queue_strip import QueueStrip
from tui.screens.raw_facts import WithRawFacts
from tui.screens.rows import Shelf
from tui.widgets.bar import Bar
from tui.widgets.frame import TabMark
from tui.widgets.list_cursor import Highlighted
from tui.widgets.record_list import RecordList

if TYPE_CHECKING:
    from server.contract.jobs import JobTab
    from tui.api.client import Client

SCHEDULED: Final = "scheduled"
"""The tab of the jobs that come by themselves."""

_KIND: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_.]+", re.ASCII)

_EMPTY: Final = {
    "running": ("Nothing runs.", "What is due begins by itself, unless its queue is paused."),
    "waiting": ("Nothing waits.", "Submissions, mails and syncs wait here until they are due."),
    "failed": ("Nothing failed.", "What fails is tried again by itself, and stands here until then."),
    "exhausted": (
        "Nothing gave up.",
        "A job whose attempts are used up stands here until somebody retries it.",
    ),
    "done": ("Nothing is done yet.", "What is done stays here for some days."),
    SCHEDULED: ("Nothing comes by itself.", "Syncs and the nightly work stand here."),
}


class JobsList(WithRawFacts[Row]):
    """Jobs, newest first; above them their queues."""

    NAME = "jobs"
    TABS = (
        TabMark("all", "All"),
        TabMark("running", "Running"),
        TabMark("waiting", "Waiting"),
        TabMark("failed", "Failed"),
        TabMark("exhausted", "Exhausted"),
        TabMark("done", "Done"),
        TabMark(SCHEDULED, "Scheduled"),
    )
    TOPICS = frozenset({"jobs"})
    FILTER_HINT = "an order's number, a queue or a kind"
    NOUNS = ("job", "jobs")
    LIST_FOCUS = "jobs"
    STORY_FOCUS = "job"
    CHOICES = Choices("queue", "Queue", "every queue")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.strip = QueueStrip(desk.glyphs)
        self.queues_known: Sequence[Queue] = ()

    def compose(self) -> ComposeResult:
        """Tabs, queues, list, story."""
        yield self.tab_bar
        yield self.strip
        with Horizontal(classes="panes"):
            yield self.list
            yield self.story

    # The list.

    def make_list(self) -> RecordList[Row]:
        """State, what it does, why it failed or how far it is, order, attempt, when."""
        desk = self.desk
        icon = job_rows.lead(lambda: desk.times, desk.glyphs)
        return RecordList(self.columns(), row_id=row_id, lead=icon, glyphs=desk.glyphs)

    def columns(self) -> list[Any]:
        """What a line of the list says."""
        desk = self.desk
        if self.tab == SCHEDULED:
            return job_rows.schedule_columns(lambda: desk.times, desk.format)
        return job_rows.columns(lambda: desk.times, desk.glyphs, desk.format)

    def show_rows(self) -> None:
        """Another tab may have other columns."""
        self.list.set_columns(self.columns())
        super().show_rows()

    def query_key(self) -> Hashable:
        """Tab, words, queue."""
        return self.tab, self.words, self.choice

    def source(self, client: Client) -> Source[Any]:
        """The jobs under this tab that match, or the schedules."""
        if self.tab == SCHEDULED:
            return calls.ScheduleSource(client)
        words = self.words.strip()
        named = next(
            (q.name for q in self.queues_known if words.casefold() in {q.name, q.label.casefold()}), ""
        )
        kind = words if not named and _KIND.fullmatch(words) else ""
        order = "" if named or kind else words[:64]
        tab = cast("JobTab", self.tab)
        return calls.JobSource(client, calls.JobQuery(tab, named or self.choice, kind, order))

    def new_shelf(self) -> Shelf[Row]:
        """A window; schedules stand in the order in which they come."""
        window: Window[Any]
        if self.tab == SCHEDULED:
            window = Window(identity=row_id, rank=calls.schedule_rank, capacity=CAPACITY)
            window.follow = True  # all of them are here: none waits above
        else:
            window = Window(capacity=CAPACITY)
        return Shelf(window, window)

    def empty(self) -> tuple[str, str]:
        """Why there are no jobs."""
        if self.is_narrowed and self.tab != SCHEDULED:
            return "No job matches.", f"{self.desk.key('close')} clears the filter."
        known = ("No jobs yet.", "Submissions, mails, syncs and the nightly work appear here by themselves.")
        return _EMPTY.get(self.tab, known)

    async def count(self, client: Client) -> dict[str, int]:
        """How many jobs stand under each tab; the queues with it."""
        counts, found = await asyncio.gather(calls.job_counts(client), calls.queues(client))
        self.take_queues(found.queues)
        return {**counts.model_dump(), SCHEDULED: len(found.schedules)}

    # The queues.

    def take_queues(self, queues: Sequence[Queue]) -> None:
        """Take what the server tells of the queues."""
        changed, self.queues_known = self.queues_known != queues, queues
        self.show_queues()
        if changed:
            self.queues_changed()

    def queues_changed(self) -> None:
        """A queue is paused or goes on, or more waits in it."""

    def show_queues(self) -> None:
        """Show the queues, and which of them the pause key is for."""
        chosen = self.queue_here
        self.strip.queues(self.queues_known, None if chosen is None else chosen.name)

    @property
    def row(self) -> Row | None:
        """The line that keys act on, as far as it is known."""
        return self.list.row_of(self.subject)

    @property
    def queue_here(self) -> Queue | None:
        """The queue that is chosen, else the one of the job that keys act on."""
        row = self.row
        name = self.choice or (row.queue if isinstance(row, JobRow) else None)
        return next((queue for queue in self.queues_known if queue.name == name), None)

    def choice_told(self) -> str:
        """The label of the queue that the list is narrowed to."""
        label = next((queue.label for queue in self.queues_known if queue.name == self.choice), self.choice)
        return f"{label}  " if label and self.words else label

    def choose(self, choice: str) -> None:
        """Show this queue's jobs alone, and that the pause key is for it."""
        super().choose(choice)
        self.show_queues()

    def on_record_list_highlighted(self, _event: Highlighted) -> None:
        """The cursor stands on another job, perhaps of another queue. What every section does then is done too."""
        self.show_queues()

    def on_bar_pressed(self, event: Bar.Pressed) -> None:
        """A queue was clicked: show only its jobs, or all again."""
        kind, _, name = event.command.partition(":")
        if kind == "queue":
            event.stop()
            self.choose("" if name == self.choice else name)

    def action_choose_queue(self) -> None:
        """Choose a queue."""
        self.offer((queue.name, queue.label, _how_busy(queue)) for queue in self.queues_known)


def _how_busy(queue: Queue) -> str:
    state = "paused" if queue.paused_at else f"{queue.running} of {queue.limit} running"
    return f"{state}, {queue.waiting:,} waiting" if queue.waiting else state
