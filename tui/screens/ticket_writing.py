"""Writing about tickets: replies, internal notes, new ones. What was written and not sent is kept."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from tui import keys
from tui.api import tickets as calls
from tui.api.errors import ApiError, Refused
from tui.screens.composer import Composer, Tone
from tui.screens.desk import Desk
from tui.screens.reasons import reason, state_of
from tui.screens.ticket_reading import TicketReading
from tui.screens.ticket_rows import customer_of
from tui.screens.ticket_story import DESCRIPTION

if TYPE_CHECKING:
    from server.contract.tickets import TicketRow
    from tui.api.client import Client

NEW: Final = "new"
"""What a composer is about that opens a ticket."""
LONGEST: Final = 10_000
"""Characters of a text, as the server takes them."""
LONGEST_TITLE: Final = 255
Work = Callable[["Client", str, str], Awaitable[str]]
"""Sends a text under a key: why it cannot be, or an empty sentence. Raises ApiError."""
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_LEFT: Final[dict[Tone, tuple[str, str]]] = {
    "public": ("ticket.reply", "a reply that is not sent"),
    "internal": ("ticket.note", "a note that is not saved"),
}


class TicketWriting(TicketReading):
    """The list and its stories, with a place to write in below them."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.composer: Composer | None = None
        self.drafts: dict[tuple[str, Tone], str] = {}
        """What was written and neither sent nor taken out, by ticket and by who would read it."""
        self._tried: dict[tuple[str, Tone], tuple[str, str]] = {}
        """What was sent without an answer, and under which key: sent again as it is, it arrives once."""

    # The place to write in.

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        writing = self.composer is not None and self.composer.has_focus_within
        return "composing" if writing else super().focus_kind

    def take_focus(self) -> None:
        """Put the focus where reading or writing goes on."""
        if self.composer is None:
            super().take_focus()
        else:
            self.composer.take_focus()

    def dismiss(self) -> bool:
        """Close what is written in, and keep what is written; whether there was anything."""
        return self._put_away() or super().dismiss()

    @property
    def unsent(self) -> int:
        """How many texts were written and are neither sent nor saved."""
        open_one = self.composer
        writing = (
            set() if open_one is None or not open_one.text.strip() else {(open_one.about, open_one.tone)}
        )
        return len(writing | set(self.drafts))

    def left(self, ticket_id: str) -> Sequence[str]:
        """What was begun to be written about a ticket, and how it goes on."""
        return [
            f"You left {what}: {self.desk.key(command)} goes on with it."
            for tone, (command, what) in _LEFT.items()
            if self.drafts.get((ticket_id, tone)) and not self._is_written(ticket_id, tone)
        ]

    def _is_written(self, about: str, tone: Tone) -> bool:
        return self.composer is not None and (self.composer.about, self.composer.tone) == (about, tone)

    def _write(self, about: str, tone: Tone, heading: str, verb: str, placeholder: str = "") -> None:
        """Open the place to write in, with what was left there."""
        if self._is_written(about, tone):
            self.take_focus()
            return
        self._put_away()
        desk = self.desk
        self.composer = Composer(
            about, heading, verb, desk.live,
            tone=tone, draft=self.drafts.get((about, tone), ""), placeholder=placeholder, glyphs=desk.glyphs,
        )  # fmt: skip
        self.frame.say("note", "")
        self.mount(self.composer)
        self.retell(fresh=False)

    def _put_away(self) -> bool:
        composer, self.composer = self.composer, None
        if composer is None:
            return False
        self._keep_draft(composer.about, composer.tone, composer.text)
        focused = composer.has_focus_within
        composer.remove()
        if focused and self.display:
            self.take_focus()
        self.retell(fresh=False)
        return True

    def _keep_draft(self, about: str, tone: Tone, text: str) -> None:
        if text.strip():
            self.drafts[about, tone] = text
        else:
            self.drafts.pop((about, tone), None)

    def on_composer_gave_up(self, event: Composer.GaveUp) -> None:
        """It is left for later."""
        event.stop()
        kept = bool(event.text.strip())
        self._put_away()
        if kept:
            command = "ticket.new" if event.about == NEW else _LEFT[event.tone][0]
            self.frame.say("note", f"What you wrote is kept: {self.desk.key(command)} goes on with it.")

    # What is written.

    def action_reply(self) -> None:
        """Write to the customer."""
        self._about_ticket("reply", "public")

    def action_note(self) -> None:
        """Write something down for staff alone."""
        self._about_ticket("note", "internal")

    def _about_ticket(self, action: str, tone: Tone) -> None:
        if self.subject is None:
            self.frame.say("note", "There is no ticket here.")
        else:
            self.repeatable = _LEFT[tone][0]
            self.begin(partial(self._begin_writing, self.subject, action, tone), "write", exclusive=True)

    async def _begin_writing(self, ticket_id: str, action: str, tone: Tone) -> None:
        """Open the composer if the server lets this be said; while it is away, what is known must do."""
        row: TicketRow | None = self.known.get(ticket_id) or self.list.row_of(ticket_id)
        if self.desk.client is not None:
            try:
                row = found = await self.current(self.desk.client, ticket_id)
            except ApiError as error:
                self.frame.failed(error)
            else:
                state = state_of(found.actions, action)
                if state is not None and not state.allowed:
                    self.frame.say("refused", reason(state.reason))
                    return
        if row is None:
            self.frame.say("refused", "This ticket could not be fetched.")
            return
        if not self.wide and not self.is_open:
            self.open(ticket_id)
        self._stand_at_last(ticket_id)
        if tone == "internal":
            self._write(ticket_id, tone, f"Note on #{row.number}, for staff alone", "saves it")
        else:
            self._write(ticket_id, tone, f"Reply to {_addressee(row)}, #{row.number}", "sends it")

    def _stand_at_last(self, ticket_id: str) -> None:
        """Show what was said last, which is what one answers."""
        known = self.known.get(ticket_id)
        if known is not None and self.subject == ticket_id:
            self.stand_at = known.comments[-1].id if known.comments else DESCRIPTION

    def action_new_ticket(self) -> None:
        """Write down what a customer asked for somewhere else."""
        self.repeatable = "ticket.new"
        heading = "New ticket: e-mail, title, and the text below them"
        self._write(
            NEW, "public", heading, "opens it", "ines@example.com\nWhere is my parcel?\nIt should have come…"
        )

    # Sending.

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        """Send it; it stays here until the server has it."""
        event.stop()
        self._keep_draft(event.about, event.tone, event.text)
        work: Work = self._open_new if event.about == NEW else partial(self._comment, event.about, event.tone)
        self.begin(partial(self._send, event, work), "send", exclusive=False)

    async def _send(self, event: Composer.Submitted, work: Work) -> None:
        client, composer, about = self.desk.client, self.composer, (event.about, event.tone)
        try:
            if client is None:
                refused = "There is no connection yet."
            else:
                refused = await work(client, event.text, self._key(client, about, event.text))
        except ApiError as error:
            refused = error.sentence
            self.frame.failed(error)
            if isinstance(error, Refused):
                self._tried.pop(about, None)
        except ValueError:  # what the contract does not let through is not repeated
            refused = "The server takes no such text."
        if refused:
            if composer is not None and self.composer is composer:
                composer.say("refused", f"{refused} What you wrote is kept.")
            else:
                self.frame.say("refused", f"{refused} What you wrote is kept.")
            return
        await self._sent(about, event.text, composer)

    def _key(self, client: Client, about: tuple[str, Tone], text: str) -> str:
        """The key under which this text is sent: the one before, where the same was sent and not answered."""
        before, key = self._tried.get(about, ("", ""))
        if before != text or not key:
            key = client.new_key()
            self._tried[about] = text, key
        return key

    async def _sent(self, about: tuple[str, Tone], text: str, composer: Composer | None) -> None:
        """The server has it: it is no draft any more, and its place is closed."""
        self._tried.pop(about, None)
        self.drafts.pop(about, None)
        if composer is not None and self.composer is composer:
            self.composer = None
            if composer.text != text:  # something was typed meanwhile
                self._keep_draft(*about, composer.text)
            await composer.remove()
            if self.display:
                self.take_focus()
        self.frame.ask_soon()
        self.reload()

    async def _comment(self, ticket_id: str, tone: Tone, client: Client, text: str, key: str) -> str:
        if len(text) > LONGEST:
            return f"At most {LONGEST:,} letters, and these are {len(text):,}."
        said = await calls.comment(client, ticket_id, text, internal=tone == "internal", key=key)
        known = self.known.get(ticket_id)
        number = f"#{known.number}" if known is not None else "the ticket"
        told = f"Saved for staff alone: {number}" if said.is_internal else f"Replied: {number}"
        self.frame.say("done", told)
        if self.subject == ticket_id and (self.is_open or self.wide):
            self.stand_at = said.id
        return ""

    async def _open_new(self, client: Client, text: str, key: str) -> str:
        email, title, body = _parts(text)
        if not _EMAIL.fullmatch(email):
            return "The first line is the customer's e-mail."
        if not title:
            return "The second line is the title."
        if len(title) > LONGEST_TITLE or len(body) > LONGEST:
            return f"At most {LONGEST_TITLE} letters in the title, and {LONGEST:,} below it."
        made = await calls.open_ticket(client, title=title, description=body or title, email=email, key=key)
        self.frame.say("done", f"Opened: #{made.number}")
        self.changed({made.id})
        return ""


def _parts(text: str) -> tuple[str, str, str]:
    """The customer's e-mail, the title, and the rest."""
    email, _, rest = text.strip().partition("\n")
    title, _, body = rest.strip().partition("\n")
    return email.strip(), title.strip(), body.strip()


def _addressee(row: TicketRow) -> str:
    who = row.customer
    return (who.email or who.name if who is not None else None) or customer_of(who)
