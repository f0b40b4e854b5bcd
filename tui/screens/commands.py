"""Commands by their names, from the command line, the palette, the help or a click; repeat, undo and redo."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui import keys
from tui.api.errors import ApiError
from tui.screens.acting import fulfil, take_back
from tui.screens.deeds import OPPOSITE, Deed, Sending, TicketDeed, told
from tui.screens.section import AnySection, Section
from tui.widgets.bar import Bar
from tui.widgets.frame import CommandBar, Outcome
from tui.widgets.theme import CYCLE

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.api.client import Client
    from tui.screens.desk import Desk

    _Base = Screen[None]
else:
    _Base = object

NUMBER = re.compile(r"#?((?:[A-Za-z]{1,4}-)?(?:[0-9]{6}-)?[0-9A-Za-z]{4})", re.ASCII)
"""An order's number, or the end of one."""


class Commands(_Base):
    """The part of the shell that runs commands by name. It needs what is annotated here from the shell."""

    desk: Desk

    @property
    def section(self) -> AnySection:
        """The section that is shown."""
        raise NotImplementedError

    def say(self, kind: Outcome, sentence: str, hint: str = "") -> None:
        """Say what came of an action."""
        raise NotImplementedError

    def failed(self, error: ApiError) -> None:
        """A call failed."""
        raise NotImplementedError

    def begin_work(self, work: Callable[[], Awaitable[None]], group: str, *, exclusive: bool = True) -> None:
        """Do something in the background."""
        raise NotImplementedError

    def ask_soon(self) -> None:
        """Something was changed."""
        raise NotImplementedError

    def jump_to_order(self, order_id: str) -> None:
        """Open an order that was asked for by its number."""
        raise NotImplementedError

    @property
    def commands_here(self) -> Sequence[keys.Command]:
        """The commands that can be run from here by this reader."""
        return [c for c in keys.COMMANDS if self.desk.may(c) and self._holder(c) is not None]

    def _holder(self, command: keys.Command) -> Widget | None:
        """Who has the command's action, looked for from the focus upwards."""
        name = "action_" + command.action.partition("(")[0]
        focused, section = self.focused, self.section
        if focused is None or section not in focused.ancestors:  # a line was typed into, a dialogue was open
            focused = section.reading
        nodes = focused.ancestors_with_self
        return next((node for node in nodes if isinstance(node, Widget) and hasattr(node, name)), None)

    async def perform(self, command_id: str) -> None:
        """Run a command as if its key was pressed. Does nothing where it does not hold."""
        command = keys.BY_ID[command_id]
        holder = self._holder(command)
        if holder is None or not self.desk.may(command):
            self.say("note", f"Nothing to {command.label} here.")
        else:
            await holder.run_action(command.action)

    async def on_bar_pressed(self, event: Bar.Pressed) -> None:
        """A part of the frame was clicked."""
        event.stop()
        kind, _, tab = event.command.partition(":")
        if kind == "tab":
            self.section.select_tab(tab)
        else:
            await self.perform(event.command)

    async def action_repeat(self) -> None:
        """Repeat the last action that was done to a record."""
        if self.section.repeatable is None:
            self.say("note", "Nothing to repeat yet.")
        else:
            await self.perform(self.section.repeatable)

    # Undo and redo.

    def action_undo(self) -> None:
        """Take the last deed back."""
        self._change(self.desk.deeds.to_undo, undo=True)

    def action_redo(self) -> None:
        """Do again what was taken back."""
        self._change(self.desk.deeds.to_redo, undo=False)

    def _change(self, deed: Deed | Sending | TicketDeed | None, *, undo: bool) -> None:
        if deed is None:
            self.say("note", "Nothing to undo." if undo else "Nothing to do again.")
        elif isinstance(deed, Sending):
            self.begin_work(partial(self._take_back, deed), "take-back", exclusive=False)
        elif isinstance(deed, TicketDeed):
            self.begin_work(partial(self._turn, deed, undo=undo), "turn", exclusive=True)
        elif self.desk.client is not None:
            self.begin_work(
                partial(self._changed, self.desk.client, deed, undo=undo), "change", exclusive=False
            )

    async def _changed(self, client: Client, deed: Deed, *, undo: bool) -> None:
        done = await (take_back(client, deed) if undo else fulfil(client, [act.wish for act in deed.acts]))
        verb = OPPOSITE[deed.verb] if undo else deed.verb
        if done.error is not None:
            self.say("refused", done.error.sentence)
            self.failed(done.error)
        else:
            if undo:
                self.desk.deeds.undid(deed)
            else:
                self.desk.deeds.redid(deed, done.deed(verb, deed.about))
            other = "redo" if undo else "undo"
            hint = f"{self.desk.key(other)} {other}es"
            self.say("done", told(verb, done.count, deed.about), hint)
        self.ask_soon()
        self.section.changed(deed.ids)

    async def _take_back(self, sending: Sending) -> None:
        from tui.screens.outside import take_back_sending  # noqa: PLC0415 - after the first rows

        await take_back_sending(self.section, sending)

    async def _turn(self, deed: TicketDeed, *, undo: bool) -> None:
        from tui.screens.ticket_acting import turn  # noqa: PLC0415 - after the first rows

        await turn(self.section, deed, undo=undo)

    def action_sync_products(self) -> None:
        """Read the products of each connected provider now."""
        from tui.screens.outside import sync_products  # noqa: PLC0415 - after the first rows

        sync_products(self.section)

    # How things look.

    def action_time_format(self) -> None:
        """Write times in the next format."""
        self.desk.format = self.desk.format.following()
        for section in self.query(Section):
            section.times_changed()
        self.say("note", f"Times: {self.desk.format.value}.")

    def action_next_theme(self) -> None:
        """The next theme, until the reader leaves."""
        now = self.app.theme
        self.app.theme = CYCLE[(CYCLE.index(now) + 1) % len(CYCLE)] if now in CYCLE else CYCLE[0]
        self.say("note", f"Theme: {self.app.theme}.", "ui.theme in the config file keeps it")

    # Lines to type into.

    def action_filter(self) -> None:
        """Ask for the words to filter by."""
        self.query_one("#status").display = False
        self.query_one(CommandBar).ask("/", self.section.words, hint=self.section.FILTER_HINT)

    def action_command_line(self) -> None:
        """Ask for a command."""
        names = [command.id for command in self.commands_here]
        self.query_one("#status").display = False
        self.query_one(CommandBar).ask(":", hint="a command, or an order's number", words=names)

    def on_command_bar_closed(self) -> None:
        """Back to where one was."""
        self.query_one("#status").display = True
        self.section.take_focus()

    async def on_command_bar_submitted(self, event: CommandBar.Submitted) -> None:
        """Filter, or run what was typed."""
        self.on_command_bar_closed()
        if event.prompt == "/":
            self.section.filter(event.text)
        elif event.text:
            await self._run(event.text)

    async def _run(self, text: str) -> None:
        """Run a typed command: an id, a label, ``q``, or an order's number."""
        name = text.casefold()
        if name in {"q", "q!", "wq", "exit"}:
            self.app.exit(0)
            return
        here = {word: c.id for c in self.commands_here for word in (c.label.casefold(), c.id)}
        starts = {here[word] for word in here if word.startswith(name)}
        if name in here or len(starts) == 1:
            await self.perform(here[name] if name in here else starts.pop())
        elif number := NUMBER.fullmatch(text.removeprefix("order ").strip()):
            self.begin_work(partial(self._find_order, number[1].upper()), "find")
        else:
            near = difflib.get_close_matches(name, here, n=1)
            hint = f"did you mean {near[0]}?" if near else f"{self.desk.key('help')} shows them all"
            self.say("refused", f"There is no command {text!r} here", hint)

    async def _find_order(self, number: str) -> None:
        """Open the order of a number; of the end of one, the newest that has it."""
        client = self.desk.client
        if client is None:
            return
        try:
            if "-" in number:
                found = (await client.order(number)).id
            else:
                rows = (await client.orders(q=number)).items
                found = next((row.id for row in rows if row.number.endswith(number)), "")
        except ApiError as error:
            self.say("refused", error.sentence)
            self.failed(error)
            return
        if found:
            self.jump_to_order(found)
        else:
            self.say("refused", f"No order's number ends in {number}.")

    # Dialogues.

    def action_help(self) -> None:
        """Show every key that works here."""
        from tui.screens.search import help_screen  # noqa: PLC0415 - only when it is asked for

        self.app.push_screen(
            help_screen(self.desk.live, self.commands_here, self.desk.glyphs), self._perform_chosen
        )

    def action_palette(self) -> None:
        """Find an action by its words."""
        from tui.screens.search import palette_screen  # noqa: PLC0415 - only when it is asked for

        self.app.push_screen(
            palette_screen(self.desk.live, self.commands_here, self.desk.glyphs), self._perform_chosen
        )

    async def _perform_chosen(self, command_id: str | None) -> None:
        if command_id is not None:
            await self.perform(command_id)

    def action_ask_quit(self) -> None:
        """Ask whether to quit."""
        from tui.screens.leaving import LeaveScreen  # noqa: PLC0415 - only when it is asked for

        def answered(leave: bool | None) -> None:
            if leave:
                self.app.exit(0)

        self.app.push_screen(LeaveScreen(self.unsent), answered)

    @property
    def unsent(self) -> int:
        """How many texts were written in any section and are neither sent nor saved."""
        return sum(section.unsent for section in self.query(Section))
