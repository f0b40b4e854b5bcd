"""The People section: who the shop knows, what each has here, and what may be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from server.contract.people import Person, PersonRow
from tui import keys
from tui.api import people as calls
from tui.api import tickets as ticket_calls
from tui.api.errors import ApiError
from tui.screens.desk import Desk
from tui.screens.people_acting import PeopleActing
from tui.screens.person_story import ACTIONS, erased_story, glimpse, gone_story, person_story, states
from tui.screens.reasons import allowed, reason, state_of
from tui.widgets.lines import Lines
from tui.widgets.list_cursor import Highlighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.contract.access import Invitation
    from server.contract.deletion import Deletion
    from server.contract.tickets import TicketRow
    from tui.api.client import Client
    from tui.screens.person_page import PersonPage

KEPT: Final = 40
"""Stories of people that are kept to be shown again at once."""
SOME_TICKETS: Final = 5
_UNDER_A_PAGE: Final = frozenset(
    {
        "edit",
        "note",
        "role",
        "bar",
        "invite",
        "invite_again",
        "deletion",
        "restore",
        "history",
        "export",
        "open_orders",
    }
)
"""What is not begun while a page wants an answer."""


class PeopleSection(PeopleActing):
    """People, their stories, and what can be done to them."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known: dict[str, tuple[Person, Sequence[TicketRow], Deletion | None]] = {}
        self._due: str | None = None
        """The person whose story is to be fetched anew, also when another look gives up the first."""
        self._erased_here: set[str] = set()
        self._gone: dict[str, str] = {}
        """Those whom somebody else erased while one was reading: how they are named now, by their ids."""
        self.page: PersonPage | None = None
        """What must be seen, answered or kept, in the story's place."""

    @property
    def me(self) -> str | None:
        """The reader's user id, once that is known."""
        known = self.desk.me
        return known.user.id if known is not None and known.user is not None else None

    # The story.

    @property
    def row(self) -> PersonRow | None:
        """Whom keys act on, as far as that is known."""
        listed = super().row
        if listed is None and self.subject in self._known:
            return self._known[self.subject or ""][0]
        return listed

    @property
    def person(self) -> Person | None:
        """Whom keys act on, whole, once that was fetched."""
        known = self._known.get(self.subject or "")
        return None if known is None else known[0]

    def retell(self, *, fresh: bool = True) -> None:
        """Show the story of the person that keys act on; a page that stands there stays."""
        if self.is_open:
            self._pinned = (
                self.subject
            )  # who leaves the list stays here until one has read what became of them
        if fresh:
            self._due = self.subject
        if self.page is not None:
            if self.page.subject != self.subject:
                self.dismiss()
            elif fresh:
                self.page.look()
        super().retell(fresh=fresh)

    async def tell(self, row_id: str, *, fresh: bool) -> None:
        """Show somebody's story: what is known at once, the rest when it came."""
        row, known, client = super().row, self._known.get(row_id), self.desk.client
        if row_id in self._gone:
            self._tell_gone(row_id)
            return
        if known is not None:
            self._show(*known)
        elif row is not None:
            self.show_story(row_id, glimpse(row, self.desk.times, self.desk.glyphs))
        current = known is not None and (row is None or _as_listed(known[0]) == _as_listed(row))
        if client is None or (current and not fresh and row_id != self._due):
            return
        try:
            found = await self._whole(client, row_id)
        except ApiError as error:
            self.story_failed(row_id, error)
            return
        self._due = None
        if found[0].erased_at is not None and known is not None and known[0].erased_at is None:
            self._known.pop(row_id, None)
            if row_id not in self._erased_here:
                self._gone[row_id] = found[0].shown
                self._tell_gone(row_id)
                return
        self._keep(found)
        self._show(*found)

    async def _whole(
        self, client: Client, row_id: str
    ) -> tuple[Person, Sequence[TicketRow], Deletion | None]:
        person = await calls.person(client, row_id)
        tickets: Sequence[TicketRow] = ()
        may = [] if self.desk.me is None else self.desk.me.permissions
        if person.open_tickets and "tickets.read" in may:
            query = ticket_calls.TicketQuery(tab="open", person=row_id)
            tickets = (await ticket_calls.tickets(client, query, limit=SOME_TICKETS)).items
        ends = (person.hidden or person.erased_at is not None) and "people.delete" in may
        return person, tickets, await calls.deletion_of(client, row_id) if ends else None

    async def fetch(self, client: Client, person_id: str) -> Person:
        """Somebody whole, kept. Raises ApiError."""
        found = await self._whole(client, person_id)
        self._keep(found)
        return found[0]

    def _keep(self, found: tuple[Person, Sequence[TicketRow], Deletion | None]) -> None:
        self._known.pop(found[0].id, None)
        self._known[found[0].id] = found
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]

    def _show(self, person: Person, tickets: Sequence[TicketRow], ending: Deletion | None) -> None:
        desk = self.desk
        if person.erased_at is not None:
            from tui.screens.deletion_story import receipt_story  # noqa: PLC0415 - seldom

            receipt = [] if ending is None else receipt_story(ending, desk.times, desk.glyphs)
            self.show_story(person.id, erased_story(person, desk.times, ending, receipt))
            return
        restore = f"{desk.key('palette')} restore calls it off" if allowed(person.actions, "restore") else ""
        blocks = person_story(
            person,
            desk.times,
            desk.glyphs,
            tickets=tickets,
            waiting=ending,
            hint=self._hint(person),
            orders=f"{desk.key('person.orders')} shows all" if person.email else "",
            restore=restore,
        )
        self.show_story(person.id, blocks)

    def _hint(self, person: Person) -> str:
        """What can be done, with its keys."""
        found = [
            f"{self.desk.key(command)} {word}"
            for name, (command, word) in ACTIONS.items()
            if allowed(states(person), name)
        ]
        return "   ".join(found)

    def _tell_gone(self, row_id: str) -> None:
        if self.is_open:
            self.show_story(row_id, gone_story(self._gone[row_id], self.desk.key("close")))

    def forget(self, person_id: str) -> None:
        """Something was changed here: what was known is not so any more."""
        self._due = person_id
        self.frame.ask_soon()
        self.reload()

    # Pages in the story's place.

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        if self.writer is not None and self.writer.has_focus_within:
            return super().focus_kind
        if self.page is not None and self.page.has_focus_within:
            return self.page.focus_kind
        return super().focus_kind

    @property
    def reading(self) -> Lines:
        """Where reading goes on."""
        return self.page.text if self.page is not None else super().reading

    def take_focus(self) -> None:
        """Put the focus where writing, answering or reading goes on."""
        if self.writer is None and self.page is not None:
            self.page.take_focus()
        else:
            super().take_focus()

    def show_page(self, page: PersonPage) -> None:
        """Put a page in the story's place; whoever it is about stays until it is closed."""
        self.dismiss()
        self._pinned = page.subject
        self.page = page
        self.query_one(".panes").mount(page)

    def dismiss(self) -> bool:
        """Close the page or the panel; whether there was one."""
        page, self.page = self.page, None
        if page is None:
            return super().dismiss()
        page.close()
        if page.subject in self._erased_here:
            self.set_open(opened=False)
        if not self.is_open:
            self._pinned = None
        self.retell(fresh=False)
        return True

    def page_is_gone(self, page: PersonPage, shown: str) -> None:
        """Somebody else deleted the person whom a page is about: close it, and say so in the story."""
        if self.page is not page:
            return
        self.set_open(opened=True)
        self._gone[page.subject] = shown
        self._known.pop(page.subject, None)
        self.dismiss()
        self.reload()

    def did_erase(self, person_id: str) -> None:
        """It was this reader who deleted somebody: nothing more is to be said of it than the receipt."""
        self._erased_here.add(person_id)
        self._known.pop(person_id, None)

    def set_open(self, *, opened: bool) -> None:
        """Open the story, or close it; who is gone is not opened again."""
        super().set_open(opened=opened)
        if not opened:
            self._gone.clear()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing else is begun while a page wants an answer."""
        if self.page is not None and action in _UNDER_A_PAGE:
            return False
        return super().check_action(action, parameters)

    def action_deletion(self) -> None:
        """Show what deleting this person would do. Nothing is done yet."""
        row = self.row
        state = None if self.person is None else state_of(self.person.actions, "delete")
        if row is None:
            self.frame.say("note", "There is nobody here.")
        elif row.erased_at is not None:
            self.frame.say("note", reason("already_erased"))
        elif self.desk.me is not None and "people.delete" not in self.desk.me.permissions:
            self.frame.say("refused", reason("insufficient_permissions"))
        elif state is not None and state.reason == "deletion_scheduled":
            self.frame.say("refused", reason(state.reason))
        else:
            from tui.screens.deletion import DeletionPage  # noqa: PLC0415 - only when it is asked for

            self.show_page(DeletionPage(self, row.id, row.name))

    def show_invitation(self, invitation: Invitation) -> None:
        """Show the code that somebody comes in with, once."""
        from tui.screens.invitation import InvitationPage  # noqa: PLC0415 - only when one was made

        person_id = invitation.user.person_id or ""
        self._pinned = person_id
        self.show_page(InvitationPage(self, person_id, invitation))
        self.forget(person_id)

    def action_copy(self) -> None:
        """Copy the e-mail; of a page, what is to be kept of it."""
        text, told = self.page.copied() if self.page is not None else ("", "")
        if text:
            self.app.copy_to_clipboard(text)
            self.frame.say("done", told)
        else:
            row = self.row
            self.copy(None if row is None else row.email, "There is no e-mail here to copy.")

    def on_record_list_highlighted(self, event: Highlighted) -> None:
        """Somebody else is looked at: what was begun is left. What every section does then is done too."""
        if self.list.has_focus and self.page is not None and event.row_id != self.page.subject:
            self._pinned = None

    def on_unmount(self) -> None:
        """Nothing that was typed is kept."""
        self.drafts.clear()

    def rows_switched(self) -> None:
        """Other rows are about to be shown."""
        if self.page is not None:
            self.dismiss()
        super().rows_switched()


def _as_listed(row: PersonRow) -> tuple[Any, ...]:
    """What of a person's line may change."""
    return tuple(getattr(row, name) for name in PersonRow.model_fields)
