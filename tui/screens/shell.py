"""The one screen of the client: the frame, the sections in it, and the commands that hold everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tui import keys
from tui.api.errors import ApiError
from tui.api.poller import Poller
from tui.screens.activity import ActivitySection
from tui.screens.commands import Commands
from tui.screens.connecting import in_thread, one_heap
from tui.screens.desk import Desk, counters
from tui.screens.identity import identity
from tui.screens.orders import OrdersSection
from tui.screens.polling import Polling
from tui.screens.section import AnySection, Origin, Section, View
from tui.screens.signs import SECTIONS
from tui.widgets.bar import Part
from tui.widgets.frame import CommandBar, Footer, IdentityStrip, Outcome, StatusLine
from tui.widgets.text import SafeStatic

if TYPE_CHECKING:
    from server.contract.pulse import Pulse
    from tui.api.client import Client

ROWS_FIRST = 0.25
"""Seconds for which the frame's own questions wait for the first rows, which are what the reader waits for."""

LEAST = (40, 10)
"""Columns and lines below which there is only a notice."""


class Shell(Commands, Screen[None], inherit_bindings=False):
    """Frame and sections; each section is made when it is first gone to.

    Args:
        desk: what the sections share.
        connect: makes the client; it may block and is called in a thread after the first paint.
        poller: decides when to ask the server.
        title: the shop's name until the server told it.
        follow: also listen to the server's hints.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("everywhere")]
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST[0], "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LEAST[1], "-tall")]  # noqa: RUF012 - Textual's

    DEFAULT_CSS = """
    Shell {
        layout: vertical;
        background: $background;
        & > #too-small { display: none; height: 1fr; content-align: center middle; text-align: center; }
        &.-tiny, &.-low {
            & > * { display: none; }
            & > #too-small { display: block; }
        }
    }
    """

    def __init__(
        self, desk: Desk, connect: Callable[[], Client], poller: Poller, title: str, *, follow: bool = False
    ) -> None:
        super().__init__()
        self.desk = desk
        self.polling = Polling(self, poller, self._heard, self._stood, follow=follow)
        self._connect = connect
        self._title = title
        self._section: AnySection = OrdersSection(desk)
        self._origins: list[Origin] = []
        self._last: View | None = None
        self._state = poller.connection.state
        self._connecting = False
        self._minute = 0

    # The frame.

    def compose(self) -> ComposeResult:
        """The lines of the frame around the first section."""
        glyphs = self.desk.glyphs
        yield IdentityStrip(id="identity")
        yield self._section
        yield StatusLine(glyphs=glyphs, id="status")
        yield CommandBar(id="command")
        yield Footer(self.desk.live, glyphs=glyphs, id="footer")
        yield SafeStatic(id="too-small")

    def on_mount(self) -> None:
        """Fill in the frame for the first paint; the app calls `begin` after it."""
        self._identify()
        self.call_after_refresh(self._begin_minute)

    def tick(self) -> None:
        """Write relative times as they are now, when another minute began."""
        minute = self.desk.times.minute
        if minute != self._minute:
            self._minute = minute
            for section in self.sections:
                section.tick(minute)

    def _begin_minute(self) -> None:
        now = self.desk.clock.now()
        self.tick()
        self.set_timer(60 - now.second - now.microsecond / 1e6, self._begin_minute)

    def begin(self) -> None:
        """Connect, unless that is under way or done."""
        if self.desk.client is None and not self._connecting:
            self._connecting = True
            self._set_obstacle("")
            one_heap()
            self.begin_work(self._open, "connect")

    async def _open(self) -> None:
        def made() -> Client:
            client = self._connect()
            client.prepare()
            return client

        try:
            self.desk.client = client = await in_thread(made)
        except ApiError as error:
            self._set_obstacle(error.sentence)
            return
        finally:
            self._connecting = False
        self._set_obstacle("")  # the sections ask for their rows
        await self._section.answered(
            ROWS_FIRST
        )  # each answer is a repaint, and two of those are a frame apart
        self.polling.begin(client)
        await self._introduce()

    async def on_unmount(self) -> None:
        """Let go of the server."""
        if self.desk.client is not None:
            await self.desk.client.close()

    def _set_obstacle(self, sentence: str) -> None:
        """Say why there is no connection; without a sentence, that one is being made."""
        self.desk.obstacle = sentence
        self._identify()
        for section in self.sections:
            section.start()

    async def _introduce(self) -> None:
        """Find out who the reader is; without an answer the poll's words say why."""
        client = self.desk.client
        if client is None or self.desk.me is not None:
            return
        try:
            self.desk.me = await client.me()
        except ApiError as error:
            self.polling.failed(error)
        self._identify()
        self.refocus()

    def _heard(self, pulse: Pulse | None, was_away: bool) -> None:
        """A pulse came: the shop's time, counts for the frame, and the topics that moved for the section."""
        if self.desk.client is not None and (now := self.desk.client.shop_now) is not None:
            self.desk.clock.told(now)
            self.tick()
        if was_away:
            self.begin_work(self._introduce, "me")
        if pulse is not None:
            before, self.desk.pulse = counters(self.desk.pulse), pulse
            moved = {topic for topic, count in pulse.topics.items() if before.get(topic) != count}
            self._identify()
            for section in self.sections:
                section.moved(moved if before else set())
            if self.desk.departure is not None:
                self.desk.departure.look()
        if was_away:
            if not self.query_one(StatusLine).tells:
                self.say("note", "The server answers again.")
            self._section.reload()

    def _stood(self) -> None:
        """The connection stands in another way: say so, and why when it is not well."""
        connection, key = self.polling.poller.connection, self.desk.key("refresh")
        told = connection.state is self._state or not len(self._section.list.source)  # then the list says it
        if connection.stale and not told:
            self.say(
                "refused", connection.sentence, f"{key} tries again" if connection.retry_in is None else ""
            )
        self._state = connection.state
        self._identify()

    def _identify(self) -> None:
        connection = None if self.desk.obstacle else self.polling.poller.connection
        said = identity(self.desk, connection, self._title, SECTIONS, self._section.NAME)
        self.query_one(IdentityStrip).identify(said)

    def begin_work(self, work: Callable[[], Awaitable[None]], group: str, *, exclusive: bool = True) -> None:
        """Do something in the background; ``exclusive`` gives up the same that is under way."""
        self.run_worker(work, group=group, exclusive=exclusive)

    # What sections ask of the frame.

    def say(self, kind: Outcome, sentence: str, hint: str = "") -> None:
        """Say what came of an action, in the status line."""
        self.query_one(StatusLine).say(kind, sentence, hint)

    def stand(self, section: AnySection, place: Sequence[Part]) -> None:
        """Say where in its list a section stands; nothing for one that is not shown."""
        if section is self._section:
            self.query_one(StatusLine).stand(place)

    def refocus(self) -> None:
        """The focus moved, or what the reader may do changed: the footer follows."""
        self.query_one(Footer).focus_on(self._section.focus_kind, self.desk.may)

    def failed(self, error: ApiError) -> None:
        """A call failed. Where the server is away or shut, the strip says so and polling waits."""
        self.polling.failed(error)

    def ask_soon(self) -> None:
        """Something was changed: the counts of the frame moved."""
        self.polling.ask_now()

    def open_order(self, order_id: str, entry_id: str) -> None:
        """Open an order's story at an entry; going back leads here again."""
        self._leave_for(View("orders", opened=order_id, at=entry_id))

    def open_ticket(self, ticket_id: str) -> None:
        """Open a ticket's story; going back leads here again."""
        self._leave_for(View("tickets", tab="all", opened=ticket_id))

    def open_orders(self, words: str) -> None:
        """Show the orders that have these words; going back leads here again."""
        self._leave_for(View("orders", tab="all", words=words))

    def _leave_for(self, view: View, *, back: bool = True) -> None:
        self._remember()
        if back:
            self._origins.append(Origin(self.view, to_story=view.opened is not None))
        self._go(view)

    @property
    def section(self) -> AnySection:
        """The section that is shown."""
        return self._section

    def jump_to_order(self, order_id: str) -> None:
        """Open an order that was asked for by its number."""
        view = View("orders", tab="all", words="", opened=order_id)
        self._leave_for(view, back=self._section.NAME != "orders")

    # Going about.

    @property
    def sections(self) -> list[AnySection]:
        """The sections made so far."""
        return list(self.query(Section))

    @property
    def view(self) -> View:
        """What is seen now."""
        return self._section.view

    def _remember(self) -> None:
        """Keep what is seen, for ``-``."""
        self._last = self.view

    def _go(self, view: View) -> None:
        self.query_one(StatusLine).fade()
        if view.section != self._section.NAME:
            self._section.display = False
            self._section = self._made(view.section)
            self._section.display = True
            self._identify()
        self._section.show_view(view)
        self._section.take_focus()
        self._section.say_place()
        self.refocus()

    def _made(self, name: str) -> AnySection:
        for section in self.sections:
            if name == section.NAME:
                return section
        made = next(sign for sign in SECTIONS if name == sign.name).kind()(self.desk)
        self.mount(made, before="#status")
        return made

    def action_section(self, name: str) -> None:
        """Go to a section as it was left, if the reader has it."""
        shown = any(sign.name == name and sign.shown_to(self.desk) for sign in SECTIONS)
        if not shown:
            self.say("note", f"Your role does not have {name.capitalize()}.")
        elif name != self._section.NAME:
            self._remember()
            self._origins.clear()
            self._go(self._made(name).view)

    def action_last_view(self) -> None:
        """Go to the view before this one."""
        if self._last is None:
            self.say("note", "There is no view before this one yet.")
            return
        view = self._last
        self._remember()
        self._go(view)

    def action_next_attention(self) -> None:
        """Jump to the next thing that needs attention; what is jumped away from is kept."""
        view = View("activity", tab="attention")
        if (self.view.section, self.view.tab) != (view.section, view.tab):
            self._remember()
            self._origins.append(Origin(self.view))
            self._go(view)
        section = self._section
        if isinstance(section, ActivitySection):
            section.next_attention()

    def action_close(self) -> None:
        """Close what is open, else what narrows the list, else the marks, else go back."""
        if not self._section.dismiss() and not self._back_from_story() and not self._section.close():
            self._go_back()

    def action_back(self) -> None:
        """Close what is open, else go back, else quit."""
        closed = self._section.dismiss() or self._back_from_story() or self._section.leave()
        if closed or self._go_back():
            return
        if self.unsent:
            self.action_ask_quit()
        else:
            self.app.exit(0)

    def _back_from_story(self) -> bool:
        """A story that a jump opened closes by going back to where the jump began."""
        jumped = bool(self._origins) and self._origins[-1].to_story and self._section.is_open
        if jumped:
            self._remember()
            self._section.set_open(opened=False)
            self._go(self._origins.pop().view)
        return jumped

    def _go_back(self) -> bool:
        """Go back to where the last jump began; whether there was one."""
        if not self._origins:
            return False
        self._remember()
        self._go(self._origins.pop().view)
        return True

    def action_next_tab(self) -> None:
        """Next tab of the section."""
        self._section.step_tab(1)

    def action_previous_tab(self) -> None:
        """Previous tab of the section."""
        self._section.step_tab(-1)

    def action_next_pane(self) -> None:
        """Next pane."""
        self.focus_next("Lines")

    def action_previous_pane(self) -> None:
        """Previous pane."""
        self.focus_previous("Lines")

    def action_follow(self) -> None:
        """Let new rows come in by themselves, or let them wait."""
        self._section.toggle_follow()

    def action_refresh_now(self) -> None:
        """Ask the server now; where there is none yet, try to connect again."""
        if self.desk.client is None:
            self.begin()
            return
        self.polling.ask_now()
        self._section.reload()

    # What happens.

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """The footer follows the focus."""
        self.refocus()

    def on_resize(self, event: events.Resize) -> None:
        """Say how small is too small; take the focus back when there is room again."""
        columns, lines = event.size
        least = f"{LEAST[0]} by {LEAST[1]}"
        self.query_one("#too-small", SafeStatic).update(
            f"{columns} by {lines} is too small.\nshopbell needs {least}."
        )
        self.call_after_refresh(self._regain)

    def _regain(self) -> None:
        if self.focused is None and not self.query_one(CommandBar).display:
            self._section.take_focus()
        self.refocus()
