"""The panel that stands in a story's place before something leaves the shop: it explains first, Enter sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.binding import BindingType

from tui import keys
from tui.api.errors import ApiError, Refused
from tui.screens.deeds import Sending
from tui.widgets.blocks import Attention, Block, Gap, Title
from tui.widgets.story import Story

if TYPE_CHECKING:
    from server.contract.jobs import Enqueued
    from tui.api.client import Client
    from tui.screens.desk import Desk
    from tui.screens.explaining import Explained
    from tui.screens.section import Section


class Question(Protocol):
    """Something that can be sent once it is explained."""

    async def look(self, client: Client, desk: Desk) -> Explained:
        """What is to be said of it now. Raises ApiError."""

    async def send(self, client: Client, choice: str | None) -> Enqueued:
        """Ask for it; ``choice`` is the id of what was chosen, where there is a choice. Raises ApiError."""

    def sending(self, asked: Enqueued, explained: Explained, choice: str | None) -> Sending:
        """What was asked for, to be told of and taken back."""


class Panel(Story):
    """Explains one question in a section; closed by the close key, or when another record is gone to."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("panel")]
    SCOPED_CSS = False  # it takes the place of a section's story
    DEFAULT_CSS = """
    Section.-asking .panes {
        & > RecordList, & > Story { display: none !important; }
        & > Panel { display: block !important; width: 1fr; }
    }
    .-wide Section.-asking .panes {
        & > RecordList { display: block !important; }
        & > Panel { width: 13fr; border-left: solid $border-blurred; }
    }
    """

    def __init__(self, section: Section[Any], question: Question) -> None:
        super().__init__(empty="", glyphs=section.desk.glyphs)
        self.subject = section.subject
        self._section = section
        self._question = question
        self._explained: Explained | None = None
        self._refused = ""
        self._final = False
        """Whether what was refused was the server's no, which stands although one looks again."""
        self._busy = False

    def on_mount(self) -> None:
        """Take the story's place, and ask what there is to know."""
        super().on_mount()
        self._section.add_class("-asking")
        self.set_sentence("loading", "Looking…")
        self.focus(scroll_visible=False)
        self.look()

    def close(self) -> None:
        """Give the place back. What was sent already goes its way."""
        focused = self.has_focus
        self._section.remove_class("-asking")
        self.remove()
        if self._section.display and focused:
            self._section.take_focus()
        self._section.retell(fresh=False)

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows: sending is offered where it can be done."""
        return "panel" if self._explained is not None and self._explained.verb else "explained"

    # What it says.

    def look(self) -> None:
        """Ask how things stand now."""
        if not self._busy:
            self._section.begin(self._look, "panel", exclusive=True)

    async def _look(self) -> None:
        desk = self._section.desk
        if desk.client is None:
            self.set_sentence("problem", "There is no connection yet.")
            return
        try:
            self._explained = await self._question.look(desk.client, desk)
        except ApiError as error:
            again = f"{desk.key('refresh')} tries again."
            self.set_sentence("problem", error.sentence, again)
            self._refused = f"{error.sentence} {again}"
            self._section.frame.failed(error)
        else:
            if not self._final:
                self._refused = ""
        self._tell()

    def _tell(self) -> None:
        """Show what is known; the cursor stands on the first thing that can be chosen."""
        known = self._explained
        if known is None or not self.is_attached:
            return
        desk = self._section.desk
        close = f"{desk.key('close')} back"
        if self._busy:
            hint = "Asking…"
        elif known.verb:
            hint = f"{desk.key('send')} {desk.glyphs.outside} {known.verb}   {close}"
        else:
            hint = close
        style = "info" if known.verb else "muted" if known.quiet else "error"
        blocks: list[Block] = [Title(text=known.title, notes=known.notes), Gap()]
        if self._refused:
            blocks += [Attention(text=self._refused, style="error"), Gap()]
        if known.choices:
            blocks += [*known.choices, Gap()]
        blocks += [Attention(text=known.verdict, hint=hint, style=style), Gap(), *known.below]
        self.show(blocks)
        if self.selected is None and (first := next((b.id for b in known.choices if b.id), None)):
            self.select(first)
        self._section.frame.refocus()

    # Sending.

    def action_send(self) -> None:
        """Send it, once."""
        desk, known = self._section.desk, self._explained
        if self._busy or known is None or desk.client is None:
            return
        if not known.verb:
            self._section.frame.say("refused", "It is not sent: what is explained says why.")
            return
        self._busy, self._refused, self._final = True, "", False
        self._tell()
        client, choice = desk.client, self.selected if known.choices else None

        async def send() -> None:
            await self._send(client, known, choice)

        self._section.begin(send, "send", exclusive=False)

    async def _send(self, client: Client, known: Explained, choice: str | None) -> None:
        from tui.screens.outside import on_its_way  # noqa: PLC0415 - they need each other

        try:
            asked = await self._question.send(client, choice)
        except ApiError as error:
            self._busy, self._refused = False, error.sentence
            self._final = isinstance(error, Refused)
            if self.is_attached:
                self._tell()
            else:
                self._section.frame.say("refused", error.sentence)
            self._section.frame.failed(error)
            if self._final:
                self.look()
            return
        if self._section.panel is self:
            self._section.dismiss()
        on_its_way(self._section, self._question.sending(asked, known, choice), asked)
