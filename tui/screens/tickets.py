"""The Tickets section: what customers ask, answered beside the order it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import BindingType

from tui import keys
from tui.api.errors import ApiError, ClientError
from tui.keys import show_key
from tui.screens.attempts import Attempt, attempt
from tui.screens.desk import Desk
from tui.screens.reasons import state_of
from tui.screens.ticket_acting import MOST, Wish, change_all, change_one, told, why_not
from tui.screens.ticket_rows import PRIORITIES, STATUSES, status_mark
from tui.screens.ticket_story import file_name
from tui.screens.ticket_writing import TicketWriting
from tui.widgets.cells import clip, plain
from tui.widgets.format import UNICODE, count, size

if TYPE_CHECKING:
    from server.contract.access import UserRow
    from server.contract.content import FileRow
    from server.contract.tickets import TicketRow
    from tui.api.client import Client
    from tui.screens.search import Item

SAMPLE: Final = 6
"""Tickets that a question names."""
SAMPLE_CELLS: Final = 48
WORKERS: Final = ("owner", "admin", "support")
"""Roles that a ticket can be given to."""
_RESOLVE: Final = Wish("ticket.resolve", "status:resolved", (("status", "resolved"),), "Resolve", "resolved")
_REOPEN: Final = Wish("ticket.reopen", "status:open", (("status", "open"),), "Open again", "opened again")
_UNASSIGN: Final = Wish(
    "ticket.unassign", "unassign", (("assigned_to", None),), "Take from who has it", "nobody has it now"
)


class TicketsSection(TicketWriting):
    """Tickets, what was said in them, and what can be done about them."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("tickets")]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._last: Wish | None = None
        self._staff: list[UserRow] = []

    # Acting.

    def action_resolve(self) -> None:
        """Resolve the ticket, or all that are marked."""
        self._do(_RESOLVE)

    def action_reopen(self) -> None:
        """Open a ticket again, or all that are marked."""
        self._do(_REOPEN)

    def action_unassign(self) -> None:
        """Take the ticket off whoever has it."""
        self._do(_UNASSIGN)

    def action_again(self) -> None:
        """Do to this ticket what was done to the last one."""
        if self._last is None:
            self.frame.say("note", "Nothing was done to a ticket yet.")
        else:
            self._do(self._last)

    def action_priority(self) -> None:
        """Choose how urgent the ticket is."""
        from tui.screens.search import Item  # noqa: PLC0415 - only when it is asked for

        now = self.row.priority if self.row is not None and not self._many else None
        items = [Item(name, name, chosen=name == now) for name in PRIORITIES]
        self._choose("Priority", items, _prioritised)

    def action_status(self) -> None:
        """Choose the state of the ticket: those that the server lets follow."""
        from tui.screens.search import Item  # noqa: PLC0415 - only when it is asked for

        ticket = None if self._many else self.ticket
        now = None if self._many or self.row is None else self.row.status
        items = []
        for name in STATUSES:
            state = None if ticket is None else state_of(ticket.actions, f"status:{name}")
            why = "" if state is None or state.allowed or name == now else why_not(state.reason)
            items.append(Item(name, status_mark(name).word, why, chosen=name == now))
        self._choose("Status", items, _put)

    def action_assign(self) -> None:
        """Choose who is to have the ticket; the reader comes first."""
        if self._target():
            self.begin(self._choose_staff, "staff", exclusive=True)

    async def _choose_staff(self) -> None:
        from tui.api.people import staff  # noqa: PLC0415 - only when it is asked for
        from tui.screens.search import Item  # noqa: PLC0415 - only when it is asked for

        client = self.desk.client
        if client is None:
            self.frame.say("refused", "There is no connection yet.")
            return
        try:
            self._staff = [row for row in await staff(client) if row.active and row.role in WORKERS]
        except ApiError as error:
            self.frame.failed(error)
            if not self._staff:
                self.frame.say("refused", error.sentence)
                return
        me, row = self.me, None if self._many else self.row
        now = row.assigned_to.id if row is not None and row.assigned_to is not None else None
        people = sorted(
            self._staff, key=lambda each: (each.id != me, (each.name or each.email or "").casefold())
        )
        names = {each.id: each.name or each.email or each.id for each in people}
        items = [
            Item(
                each.id,
                names[each.id],
                ("you" if each.id == me else each.role) + (", has it" if each.id == now else ""),
            )
            for each in people
        ]  # the cursor begins at the first: the reader

        def given(user_id: str) -> Wish:
            past = "taken" if user_id == me else f"given to {names[user_id]}"
            verb = "Take" if user_id == me else f"Give to {names[user_id]}"
            return Wish("ticket.assign", "assign", (("assigned_to", user_id),), verb, past)

        self._choose("Give it to", items, given)

    def _choose(self, title: str, items: Sequence[Item], wish: Callable[[str], Wish]) -> None:
        """Choose one of these, and do it."""
        from tui.screens.search import menu_screen  # noqa: PLC0415 - only when it is asked for

        if not self._target():
            return

        def answered(name: str | None) -> None:
            if name is not None:
                self._do(wish(name))

        self.app.push_screen(menu_screen(title, items, self.desk.glyphs), answered)

    @property
    def _many(self) -> bool:
        """Whether what is done is done to marked tickets."""
        return bool(self.list.marks) and not self.is_open

    def _target(self) -> bool:
        """Whether there is a ticket to act on; else it is said."""
        if self.subject is None:
            self.frame.say("note", "There is no ticket here.")
        return self.subject is not None

    def _do(self, wish: Wish) -> None:
        """Do it to the ticket at once, as it can be undone; to many after a question."""
        if not self._target():
            return
        self._last, self.repeatable = wish, "ticket.again"
        if self._many:
            self.begin(partial(self._ask_about_many, wish), "ask", exclusive=True)
        elif self.subject is not None:
            self._try(partial(self._change, ticket_id=self.subject, wish=wish))

    def _try(self, work: Attempt) -> None:
        """Do something with the server; when it refuses, look what stands there now."""

        def after(error: ClientError | None) -> None:
            if isinstance(error, ApiError):
                self.reload()

        attempt(self, work, after=after)

    async def _change(self, client: Client, *, ticket_id: str, wish: Wish) -> None:
        ticket = await self.current(client, ticket_id)
        state = state_of(ticket.actions, wish.action)
        if state is not None and not state.allowed:
            self.frame.say("refused", why_not(state.reason))
            return
        after, deed = await change_one(client, ticket, wish)
        self.keep(after)
        if deed.count:
            self.desk.deeds.did(deed)
            self.frame.say("done", told(deed.past, deed.about), f"{self.desk.key('undo')} undoes")
        else:
            self.frame.say("note", f"{deed.about} stands so already.")
        self._moved_on()

    async def _ask_about_many(self, wish: Wish) -> None:
        """Name how many and some of them; Enter does it."""
        from tui.screens.asking import AskScreen  # noqa: PLC0415 - only when it is asked for

        if self.list.marks.everything and not await self.rows.complete():
            return
        rows = [row for row in map(self.list.row_of, self.marked_or_subject()) if row is not None]
        if not rows:
            self.frame.say("note", "None of the marked tickets is in this list any more.")
            return
        if len(rows) > MOST or (self.list.marks.everything and self.rows.window.has_older):
            self.frame.say("refused", f"At most {MOST} tickets at once: narrow the list first.")
            return
        asking = AskScreen(f"{wish.verb}: {count(len(rows), 'ticket')}?", self._sample(rows), self._yes)

        def answered(do: bool | None) -> None:
            if do:
                self._try(partial(self._change_many, rows=rows, wish=wish))

        self.app.push_screen(asking, answered)

    @property
    def _yes(self) -> str:
        return f"Do it  {show_key('enter', ascii_only=self.desk.glyphs is not UNICODE)}"

    def _sample(self, rows: Sequence[TicketRow]) -> str:
        """The titles of some of them, and that it is all of them or none."""
        most = max(min(SAMPLE, self.app.size.height - 12), 1)
        shown = rows if len(rows) <= most else rows[: most - 1]
        cut = self.desk.glyphs.ellipsis
        lines = [clip(plain(f"#{row.number} {row.title}"), SAMPLE_CELLS, cut) for row in shown]
        if len(shown) < len(rows):
            lines.append(f"and {len(rows) - len(shown):,} more")
        return "\n".join([*lines, "", "All of them, or none if one refuses."])

    async def _change_many(self, client: Client, *, rows: Sequence[TicketRow], wish: Wish) -> None:
        deed = await change_all(client, rows, wish)
        self.list.clear_marks()
        if deed.count:
            self.desk.deeds.did(deed)
            self.frame.say("done", told(deed.past, deed.about), f"{self.desk.key('undo')} undoes")
        else:
            self.frame.say("note", "All of them stand so already.")
        self._moved_on()

    def _moved_on(self) -> None:
        self.frame.ask_soon()
        self.reload()

    # Beside it.

    def action_open_order(self) -> None:
        """Open the order that the ticket stands beside."""
        row = self.row or self.ticket
        if row is not None and row.order is not None:
            self.frame.open_order(row.order.id, "")
        else:
            self.frame.say("note", "This ticket stands beside no order.")

    def action_save_file(self) -> None:
        """Save a file that was handed in beside the ticket; of several, choose which."""
        from tui.screens.search import Item, menu_screen  # noqa: PLC0415 - only when it is asked for

        files = {each.id: each for each in self.files.get(self.subject or "", ()) if each.name}
        if not files:
            self.frame.say("note", "There is no file beside this ticket.")
            return

        def chosen(file_id: str | None) -> None:
            if file_id is not None:
                self._try(partial(self._save, file=files[file_id]))

        if len(files) == 1:
            chosen(next(iter(files)))
            return
        items = [
            Item(each.id, file_name(each), f"{size(each.size)}, {self.desk.times.short(each.created_at)}")
            for each in files.values()
        ]
        self.app.push_screen(menu_screen("Save", items, self.desk.glyphs), chosen)

    async def _save(self, client: Client, *, file: FileRow) -> None:
        from tui.api.tickets import content_path  # noqa: PLC0415 - only when it is asked for
        from tui.screens.saving import safe_name, save  # noqa: PLC0415

        name = safe_name(file.name, file.id[-6:])
        await save(self.frame, client, content_path(file.id), folder="files", name=name, what=file_name(file))

    def action_history(self) -> None:
        """Who did what to the ticket."""
        from tui.screens.history import show_history  # noqa: PLC0415 - only when it is asked for

        row = self.row or self.ticket
        show_history(self, None if row is None else row.id, "" if row is None else f"#{row.number}")

    def action_copy(self) -> None:
        """Copy the ticket's number."""
        row = self.row or self.ticket
        self.copy(None if row is None else f"#{row.number}", "There is no ticket here to copy.")


def _prioritised(name: str) -> Wish:
    return Wish(
        "ticket.priority", "set_priority", (("priority", name),), f"Priority {name}", f"priority {name}"
    )


def _put(name: str) -> Wish:
    word = status_mark(name).word
    verb = {"open": "Open again", "resolved": "Resolve", "closed": "Close"}.get(name, f"Put {word}")
    return Wish("ticket.status", f"status:{name}", (("status", name),), verb, word)
