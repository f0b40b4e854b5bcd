"""What can be done to people besides deleting them: given roles, barred, invited, taken along, brought back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast, get_args

from server.contract.access import StaffRole
from tui.api import people as calls
from tui.api.errors import ClientError
from tui.screens.form import Field, Form
from tui.screens.people_rows import name_of
from tui.screens.people_writing import PeopleWriting
from tui.screens.person_story import is_alive
from tui.screens.reasons import reason
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


class PeopleActing(PeopleWriting):
    """The part of the section that acts on people."""

    # Accounts.

    def action_role(self) -> None:
        """Give a member of staff another role; those that cannot be given say why."""
        self.with_person(self._role_menu, "set_role")

    def _role_menu(self, person: Person) -> None:
        if person.account is None:
            return
        from tui.screens.search import Item, menu_screen  # noqa: PLC0415 - only when it is asked for

        account, own = person.account, "" if self.desk.me is None else self.desk.me.role
        items = []
        for role, means in ROLES.items():
            refused = (
                "nobody can give it"
                if role == "owner"
                else "only an Owner gives it"
                if role == own != "owner"
                else ""
            )
            told = refused if refused and role != account.role else means
            items.append(Item(role, role_name(role), told, chosen=role == account.role))

        def answered(role: str | None) -> None:
            if role is not None and role != account.role:
                self.repeatable = "person.role"
                self.attempt(
                    partial(self._set_role, person=person, account=account, role=cast(StaffRole, role))
                )

        self.app.push_screen(menu_screen(f"Role of {name_of(person)}", items, self.desk.glyphs), answered)

    async def _set_role(self, client: Client, *, person: Person, account: UserRow, role: StaffRole) -> None:
        await calls.set_role(client, account.id, role)
        self.frame.say("done", f"{name_of(person)}: {role_name(account.role)} → {role_name(role)}")
        self.forget(person.id)

    def action_bar(self) -> None:
        """Deactivate the account, after one question, or let it in again."""
        row = self.row
        active = row is None or row.account is None or row.account.active
        self.with_person(self._bar_or_let_in, "deactivate" if active else "reactivate")

    def _bar_or_let_in(self, person: Person) -> None:
        account = person.account
        if account is None:
            return
        self.repeatable = "person.bar"
        if not account.active:
            self.attempt(partial(self._let_in, person=person, account=account))
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
                self.attempt(partial(self._bar, person=person, account=account))

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
        self.write(Form(_INVITING, heading, "invites", fields, self.desk.live, glyphs=self.desk.glyphs))

    def save_form(self, form: Form) -> None:
        """Save what a form holds: whom to invite, or what every form about a person does."""
        if form.about == _INVITING:
            self.attempt(partial(self._invite, values=form.values))
        else:
            super().save_form(form)

    async def _invite(self, client: Client, *, values: dict[str, str]) -> None:
        if "@" not in values["email"].strip("@"):
            raise ClientError("This is not an e-mail address.")
        role = cast(StaffRole, values["role"])
        made = await calls.let_in(client, values["email"], values["name"] or None, role)
        self.close_writer()
        await self._code(client, made.id)

    def action_invite_again(self) -> None:
        """A new code for somebody who has not come in yet; it ends the one before."""
        self.with_person(self._new_code, "invite")

    def _new_code(self, person: Person) -> None:
        if person.account is not None:
            self.attempt(partial(self._code, user_id=person.account.id))

    async def _code(self, client: Client, user_id: str) -> None:
        self.show_invitation(await calls.invite(client, user_id))

    def show_invitation(self, invitation: Invitation) -> None:
        """Show the code, once."""
        raise NotImplementedError

    # Taking along, going elsewhere.

    def action_export(self) -> None:
        """Write all that is held about this person into a file that only its owner reads."""
        self.with_person(lambda person: self.attempt(partial(self._export, person=person)), "export")

    async def _export(self, client: Client, *, person: Person) -> None:
        from tui.api.download import KIND  # noqa: PLC0415 - only when it is asked for
        from tui.screens.saving import save  # noqa: PLC0415

        await save(
            self.frame,
            client,
            calls.export_path(person.id),
            folder="exports",
            name=f"person-{person.id}.json",
            what=f"All that is held about {name_of(person)}",
            kind=KIND,
        )

    def action_restore(self) -> None:
        """Call the scheduled erasure off."""
        self.with_person(lambda person: self.attempt(partial(self._restore, person=person)), "restore")

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
