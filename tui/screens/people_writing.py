"""Writing in the People section: names, e-mails, phones and notes; and what every act on a person goes through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui import keys
from tui.api import people as calls
from tui.api.errors import ApiError, ClientError, Refused
from tui.screens.composer import Composer
from tui.screens.desk import Desk
from tui.screens.form import Field, Form
from tui.screens.people_list import PeopleList
from tui.screens.people_rows import name_of
from tui.screens.person_story import states
from tui.screens.reasons import reason, state_of

if TYPE_CHECKING:
    from server.contract.people import Person
    from tui.api.client import Client


class PeopleWriting(PeopleList):
    """The part of the section in which something is written, below list and story, and which asks before it acts."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.writer: Form | Composer | None = None
        """Where something is written."""
        self.drafts: dict[str, str] = {}
        """Notes that were begun and left, by the person's id."""

    @property
    def person(self) -> Person | None:
        """Whom keys act on, whole."""
        raise NotImplementedError

    def forget(self, person_id: str) -> None:
        """Something was changed here."""
        raise NotImplementedError

    # Writing.

    @property
    def focus_kind(self) -> keys.Focus:
        """Whose keys the footer shows."""
        if isinstance(self.writer, Form) and self.writer.has_focus_within:
            return self.writer.focus_kind
        if self.writer is not None and self.writer.has_focus_within:
            return "composing"
        return super().focus_kind

    def take_focus(self) -> None:
        """Put the focus where writing or reading goes on."""
        if self.writer is None:
            super().take_focus()
        else:
            self.writer.take_focus()

    def leave(self) -> bool:
        """Close what is open; whether there was anything."""
        if self.writer is not None:
            self.close_writer()
            return True
        return super().leave()

    def write(self, writer: Form | Composer) -> None:
        """Open something to write in; what was open is closed."""
        self.close_writer()
        self.frame.say("note", "")
        self.writer = writer
        self.mount(writer, after=self.query_one(".panes"))

    def close_writer(self) -> None:
        """Close what is written in; of a note, what was written so far is kept."""
        writer, self.writer = self.writer, None
        if writer is None:
            return
        if isinstance(writer, Composer):
            self.drafts[writer.about] = writer.text
        focused = writer.has_focus_within
        writer.remove()
        if focused and self.display:
            self.take_focus()

    def on_composer_gave_up(self, event: Composer.GaveUp) -> None:
        """It is left for later."""
        event.stop()
        self.close_writer()

    def on_form_gave_up(self, event: Form.GaveUp) -> None:
        """It stays as it was."""
        event.stop()
        self.close_writer()

    def attempt(self, work: Callable[[Client], Awaitable[None]]) -> None:
        """Do something with the server in the background; a refusal is said beside what is written, else below."""
        client = self.desk.client

        async def tried() -> None:
            try:
                if client is not None:
                    await work(client)
                else:
                    self._refuse("There is no connection yet.")
            except ClientError as error:
                known = isinstance(error, Refused) and error.code == "email_taken"
                self._refuse(reason("email_taken") if known else error.sentence)
                if isinstance(error, ApiError):
                    self.frame.failed(error)

        self.begin(tried, "act", exclusive=False)

    def _refuse(self, sentence: str) -> None:
        if self.writer is not None:
            self.writer.say("refused", sentence)
        else:
            self.frame.say("refused", sentence)

    def with_person(self, then: Callable[[Person], None], *names: str) -> None:
        """Do something with the person that one of these actions is allowed for; else it is said why not.

        Where only a line of the list is known, the rest is asked for first.
        """
        person, row, client = self.person, self.row, self.desk.client
        if person is not None:
            self._checked(person, then, names)
        elif row is None or client is None:
            self.frame.say("note", "There is nobody here.")
        else:

            async def fetched(client: Client) -> None:
                self._checked(await self.fetch(client, row.id), then, names)

            self.attempt(fetched)

    def _checked(self, person: Person, then: Callable[[Person], None], names: Sequence[str]) -> None:
        known = [state for name in names if (state := state_of(states(person), name)) is not None]
        if any(state.allowed for state in known):
            then(person)
        elif not known and person.account is None:
            self.frame.say("note", "A guest has no account here.")
        else:
            self.frame.say("refused", reason(next((state.reason for state in known), None)))

    async def fetch(self, client: Client, person_id: str) -> Person:
        """Somebody whole, kept. Raises ApiError."""
        raise NotImplementedError

    # Name, e-mail, phone.

    def action_edit(self) -> None:
        """Change name, e-mail and phone, in lines below."""
        self.with_person(self._edit_form, "edit")

    def _edit_form(self, person: Person) -> None:
        self.repeatable = "person.edit"
        fields = (
            Field("name", "Name", person.name or "", 255),
            Field("email", "E-mail", person.email or "", 254),
            Field("phone", "Phone", person.phone or "", 40),
        )
        heading = f"Edit {name_of(person)}"
        self.write(Form(person.id, heading, "saves", fields, self.desk.live, glyphs=self.desk.glyphs))

    def on_form_submitted(self, event: Form.Submitted) -> None:
        """Save what was filled in."""
        event.stop()
        if isinstance(self.writer, Form) and self.writer.about == event.about:
            self.save_form(self.writer)

    def save_form(self, form: Form) -> None:
        """Save what a form holds."""
        self.attempt(partial(self._edit, person_id=form.about, changes=form.changes))

    async def _edit(self, client: Client, *, person_id: str, changes: dict[str, str]) -> None:
        if not changes:
            self.close_writer()
            self.frame.say("note", "Nothing was changed.")
            return
        after = await calls.change(
            client, person_id, **{name: value or None for name, value in changes.items()}
        )
        self.close_writer()
        words = {"name": "name", "email": "e-mail", "phone": "phone"}
        self.frame.say("done", f"{name_of(after)}: {', '.join(words[name] for name in changes)} changed")
        self.forget(person_id)

    # Notes.

    def action_note(self) -> None:
        """Write a note about this person, for staff alone."""
        self.with_person(self._note_form, "note")

    def _note_form(self, person: Person) -> None:
        self.repeatable = "person.note"
        self.write(
            Composer(
                person.id,
                f"Note about {name_of(person)}, for staff alone",
                "keeps it",
                self.desk.live,
                tone="internal",
                draft=self.drafts.get(person.id, ""),
                placeholder="nobody outside the shop sees it",
                glyphs=self.desk.glyphs,
            )
        )

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        """Keep a note."""
        event.stop()
        self.attempt(partial(self._note, person_id=event.about, text=event.text))

    async def _note(self, client: Client, *, person_id: str, text: str) -> None:
        await calls.note(client, person_id, text)
        self.close_writer()
        self.drafts.pop(person_id, None)
        self.frame.say("done", "Noted, for staff alone")
        self.forget(person_id)
