"""What can be done to people besides deleting them: edited, noted, given roles, barred, invited, taken along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final, cast, get_args

from server.contract.access import StaffRole
from tui import keys
from tui.api import people as calls
from tui.api.clean import clean_line
from tui.api.documents import untouched
from tui.api.errors import ApiError, ClientError, Refused
from tui.screens.composer import Composer
from tui.screens.desk import Desk
from tui.screens.form import Field, Form
from tui.screens.people_list import PeopleList
from tui.screens.people_rows import name_of
from tui.screens.person_story import is_alive, states
from tui.screens.reasons import reason, state_of
from tui.widgets.format import count
from tui.widgets.standing import role_name

if TYPE_CHECKING:
    from server.contract.access import Invitation, UserRow
    from server.contract.people import Person
    from tui.api.client import Client

ROLES: Final = {
    "owner": "everything, and the only one above the Admins",
    "admin": "everything but Owners: settings, staff, deleting people",
    "support": "orders, tickets, people, mails",
    "readonly": "looks, and changes nothing",
}
_INVITING: Final = "invite"
_INVITED: Final = tuple(role for role in get_args(StaffRole) if role != "owner")


class PeopleActing(PeopleList):
    """The part of the section that changes people. What is written stands below list and story."""

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
            self._close_writer()
            return True
        return super().leave()

    def _write(self, writer: Form | Composer) -> None:
        self._close_writer()
        self.frame.say("note", "")
        self.writer = writer
        self.mount(writer, after=self.query_one(".panes"))

    def _close_writer(self) -> None:
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
        self._close_writer()

    def on_form_gave_up(self, event: Form.GaveUp) -> None:
        """It stays as it was."""
        event.stop()
        self._close_writer()

    def _try(self, work: Callable[[Client], Awaitable[None]]) -> None:
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

    def _may(self, *names: str) -> Person | None:
        """The person that one of these may be done to; else it is said why not."""
        person = self.person
        if person is None:
            self.frame.say(
                "note", "There is nobody here." if self.row is None else "Their story is still on its way."
            )
            return None
        known = [state for name in names if (state := state_of(states(person), name)) is not None]
        if any(state.allowed for state in known):
            return person
        said = next((state.reason for state in known), None)
        if not known and person.account is None:
            self.frame.say("note", "A guest has no account here.")
        else:
            self.frame.say("refused", reason(said))
        return None

    # Name, e-mail, phone.

    def action_edit(self) -> None:
        """Change name, e-mail and phone, in lines below."""
        person = self._may("edit")
        if person is None:
            return
        self.repeatable = "person.edit"
        fields = (
            Field("name", "Name", person.name or "", 255),
            Field("email", "E-mail", person.email or "", 254),
            Field("phone", "Phone", person.phone or "", 40),
        )
        heading = f"Edit {name_of(person)}"
        self._write(Form(person.id, heading, "saves", fields, self.desk.live, glyphs=self.desk.glyphs))

    def on_form_submitted(self, event: Form.Submitted) -> None:
        """Save what was filled in."""
        event.stop()
        if event.about == _INVITING:
            self._try(partial(self._invite, values=dict(event.values)))
        elif isinstance(self.writer, Form) and self.writer.about == event.about:
            self._try(partial(self._edit, person_id=event.about, changes=self.writer.changes))

    async def _edit(self, client: Client, *, person_id: str, changes: dict[str, str]) -> None:
        if not changes:
            self._close_writer()
            self.frame.say("note", "Nothing was changed.")
            return
        after = await calls.change(
            client, person_id, **{name: value or None for name, value in changes.items()}
        )
        self._close_writer()
        words = {"name": "name", "email": "e-mail", "phone": "phone"}
        self.frame.say("done", f"{name_of(after)}: {', '.join(words[name] for name in changes)} changed")
        self.forget(person_id)

    # Notes.

    def action_note(self) -> None:
        """Write a note about this person, for staff alone."""
        person = self._may("note")
        if person is None:
            return
        self.repeatable = "person.note"
        self._write(
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
        self._try(partial(self._note, person_id=event.about, text=event.text))

    async def _note(self, client: Client, *, person_id: str, text: str) -> None:
        await calls.note(client, person_id, text)
        self._close_writer()
        self.drafts.pop(person_id, None)
        self.frame.say("done", "Noted, for staff alone")
        self.forget(person_id)

    # Accounts.

    def action_role(self) -> None:
        """Give a member of staff another role; those that cannot be given say why."""
        person = self._may("set_role")
        if person is None or person.account is None:
            return
        from tui.screens.search import Item, menu_screen  # noqa: PLC0415 - only when it is asked for

        account, own = person.account, "" if self.desk.me is None else self.desk.me.role
        items = []
        for role, means in ROLES.items():
            why = (
                "owner_role_protected"
                if role == "owner"
                else "target_is_staff"
                if role == own != "owner"
                else ""
            )
            told = reason(why) if why and role != account.role else means
            items.append(Item(role, role_name(role), told, chosen=role == account.role))

        def answered(role: str | None) -> None:
            if role is not None and role != account.role:
                self.repeatable = "person.role"
                self._try(partial(self._set_role, person=person, account=account, role=cast(StaffRole, role)))

        self.app.push_screen(menu_screen(f"Role of {name_of(person)}", items, self.desk.glyphs), answered)

    async def _set_role(self, client: Client, *, person: Person, account: UserRow, role: StaffRole) -> None:
        await calls.set_role(client, account.id, role)
        self.frame.say("done", f"{name_of(person)}: {role_name(account.role)} → {role_name(role)}")
        self.forget(person.id)

    def action_bar(self) -> None:
        """Deactivate the account, after one question, or let it in again."""
        person = self.person
        active = person is None or person.account is None or person.account.active
        person = self._may("deactivate" if active else "reactivate")
        if person is None or person.account is None:
            return
        account = person.account
        self.repeatable = "person.bar"
        if not account.active:
            self._try(partial(self._let_in, person=person, account=account))
            return
        from tui.screens.asking import AskScreen  # noqa: PLC0415 - only when it is asked for

        alive = sum(is_alive(token, self.desk.times) for token in person.tokens)
        ends = (
            f"{count(alive, 'token')} and any open invitation end at once."
            if alive
            else "All ways in end at once."
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._try(partial(self._bar, person=person, account=account))

        told = f"{ends} They can be let in again, and then sign in anew."
        self.app.push_screen(AskScreen(f"Bar {name_of(person)}?", told, "Bar  ⏎"), answered)

    async def _bar(self, client: Client, *, person: Person, account: UserRow) -> None:
        await calls.set_active(client, account.id, active=False)
        after = await calls.person(client, person.id)
        before = {token.id for token in person.tokens if is_alive(token, self.desk.times)}
        ended = len(before & {token.id for token in after.tokens if token.revoked_at is not None})
        told = f", which ends {count(ended, 'token')}" if ended else ""
        self.frame.say(
            "done", f"{name_of(person)} is barred{told}", f"{self.desk.key('person.bar')} lets them in again"
        )
        self.forget(person.id)

    async def _let_in(self, client: Client, *, person: Person, account: UserRow) -> None:
        await calls.set_active(client, account.id, active=True)
        self.frame.say("done", f"{name_of(person)} may come in again; tokens that were ended stay so")
        self.forget(person.id)

    # Inviting.

    def action_invite(self) -> None:
        """Ask whom to invite."""
        fields = (
            Field("email", "E-mail", "", 254, "where the code goes is up to you"),
            Field("name", "Name", "", 255, "may stay empty"),
            Field("role", "Role", "support", choices=_INVITED),
        )
        heading = "Invite somebody to the staff"
        self._write(Form(_INVITING, heading, "invites", fields, self.desk.live, glyphs=self.desk.glyphs))

    async def _invite(self, client: Client, *, values: dict[str, str]) -> None:
        if "@" not in values["email"].strip("@"):
            raise ClientError("This is not an e-mail address.")
        role = cast(StaffRole, values["role"])
        made = await calls.let_in(client, values["email"], values["name"] or None, role)
        self._close_writer()
        await self._code(client, made.id)

    def action_invite_again(self) -> None:
        """A new code for somebody who has not come in yet; it ends the one before."""
        person = self._may("invite")
        if person is not None and person.account is not None:
            self._try(partial(self._code, user_id=person.account.id))

    async def _code(self, client: Client, user_id: str) -> None:
        self.show_invitation(await calls.invite(client, user_id))

    def show_invitation(self, invitation: Invitation) -> None:
        """Show the code, once."""
        raise NotImplementedError

    # Taking along, going elsewhere.

    def action_export(self) -> None:
        """Write all that is held about this person into a file that only its owner reads."""
        person = self._may("export")
        if person is not None:
            self._try(partial(self._export, person=person))

    async def _export(self, client: Client, *, person: Person) -> None:
        from tui.api.paths import data_dir, private_dir, write_private  # noqa: PLC0415 - only when it is asked for

        self.frame.say("note", "Exporting…")
        content = await untouched(client, calls.export_path(person.id))
        folder = private_dir(private_dir(data_dir()) / "exports")
        file = folder / f"person-{person.id}.json"
        write_private(file, content)
        self.frame.say("done", f"All that is held about {name_of(person)} stands in {clean_line(str(file))}")

    def action_restore(self) -> None:
        """Call the scheduled erasure off."""
        person = self._may("restore")
        if person is not None:
            self._try(partial(self._restore, person=person))

    async def _restore(self, client: Client, *, person: Person) -> None:
        waiting = await calls.deletion_of(client, person.id)
        if waiting is None:
            self.frame.say("refused", reason("not_scheduled"))
            return
        await calls.restore(client, waiting.id)
        again = " The account is open; tokens that were ended stay so." if person.account is not None else ""
        self.frame.say("done", f"{name_of(person)} stays: the erasure is called off.{again}")
        self.forget(person.id)

    def action_history(self) -> None:
        """Who did what to this person, and to the account."""
        from tui.screens.history import show_history  # noqa: PLC0415 - only when it is asked for

        row = self.row
        if row is None:
            self.frame.say("note", "There is nobody here.")
        else:
            user = None if row.account is None else row.account.id
            self._pinned = row.id if self.is_open else self._pinned
            show_history(self, row.id, name_of(row), user)

    def action_open_orders(self) -> None:
        """Show all orders of this person."""
        row = self.row
        if row is None or not row.email:
            self.frame.say("note", "There is no e-mail here to find orders by.")
        else:
            self.frame.open_orders(row.email)
