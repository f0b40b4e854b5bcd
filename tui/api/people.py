"""The calls about people: who there is, their accounts, and their deletion. Imported when their section is gone to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from server.contract.access import ChangeUser, Invitation, NewUser, StaffRole, UserRow
from server.contract.base import Page
from server.contract.deletion import Delete, Deletion, DeletionPlan
from server.contract.people import ChangePerson, NewNote, Note, PeopleCounts, PeopleTab, Person, PersonRow
from tui.api.client import PAGE, Client, page_query, segment

if TYPE_CHECKING:
    from tui.api.window import Direction, Edge

_ROWS: Final = Page[PersonRow]
_STAFF: Final = Page[UserRow]
_DELETIONS: Final = Page[Deletion]


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """Which people to list: those of a tab whose name, e-mail or phone has these words; or those that were erased."""

    tab: PeopleTab = "all"
    q: str = ""
    erased: bool = False

    def parameters(self) -> dict[str, str]:
        """The query parameters of ``GET /v1/people``."""
        words = {"q": self.q.strip()} if self.q.strip() else {}
        return {"tab": self.tab} | words | ({"erased": "true"} if self.erased else {})


async def people(
    client: Client, query: PeopleQuery, cursor: str | None = None, limit: int = PAGE, edge: Edge = "newest"
) -> Page[PersonRow]:
    """A page of people, newest first. Raises ApiError."""
    params = query.parameters() | page_query(cursor, limit, edge)
    return await client.ask("/v1/people", _ROWS.model_validate, params=params)


async def counts(client: Client, q: str = "") -> PeopleCounts:
    """How many people stand under each tab. Raises ApiError."""
    params = {"q": q.strip()} if q.strip() else {}
    return await client.ask("/v1/people/counts", PeopleCounts.model_validate, params=params)


async def person(client: Client, person_id: str) -> Person:
    """A person whole. Raises ApiError."""
    return await client.ask(_path(person_id), Person.model_validate)


async def change(client: Client, person_id: str, **changes: str | None) -> Person:
    """Change name, e-mail or phone; None takes one away. Raises ApiError."""
    body = ChangePerson.model_validate(changes).model_dump_json(include=set(changes)).encode()
    return await client.change(_path(person_id), Person.model_validate, body, "PATCH")


async def note(client: Client, person_id: str, text: str) -> Note:
    """Write something down about a person, for staff alone. Raises ApiError."""
    return await client.change(f"{_path(person_id)}/notes", Note.model_validate, _body(NewNote(body=text)))


# Accounts


async def staff(client: Client) -> list[UserRow]:
    """All members of staff that one page holds, newest first. Raises ApiError."""
    found = await client.ask("/v1/users", _STAFF.model_validate, params={"limit": "200"})
    return [row for row in found.items if row.role != "user"]


async def let_in(client: Client, email: str, name: str | None, role: StaffRole) -> UserRow:
    """Make an account for a member of staff. Raises ApiError."""
    body = _body(NewUser(email=email, name=name, role=role))
    return await client.change("/v1/users", UserRow.model_validate, body)


async def invite(client: Client, user_id: str) -> Invitation:
    """A code with which a member of staff fetches the first token; it is shown once. Raises ApiError."""
    path = f"/v1/users/{segment(user_id, 'user')}/invitation"
    return await client.change(path, Invitation.model_validate)


async def set_role(client: Client, user_id: str, role: StaffRole) -> UserRow:
    """Give a member of staff another role. Raises ApiError."""
    return await _change_user(client, user_id, ChangeUser(role=role))


async def set_active(client: Client, user_id: str, *, active: bool) -> UserRow:
    """Bar an account, which ends all its tokens, or let it in again. Raises ApiError."""
    return await _change_user(client, user_id, ChangeUser(active=active))


async def _change_user(client: Client, user_id: str, wanted: ChangeUser) -> UserRow:
    path = f"/v1/users/{segment(user_id, 'user')}"
    return await client.change(path, UserRow.model_validate, _body(wanted), "PATCH")


# Deletion


async def plan(client: Client, person_id: str) -> DeletionPlan:
    """What a deletion would do, in exact counts. Raises ApiError."""
    return await client.change(f"{_path(person_id)}/deletion/plan", DeletionPlan.model_validate)


async def delete(client: Client, person_id: str, plan_hash: str, confirm: str) -> Deletion:
    """Delete as planned; ``confirm`` is what was typed. Raises ApiError."""
    body = _body(Delete(plan=plan_hash, confirm=confirm))
    return await client.change(f"{_path(person_id)}/deletion", Deletion.model_validate, body)


async def deletion(client: Client, deletion_id: str) -> Deletion:
    """An erasure with its receipt. Raises ApiError."""
    path = f"/v1/deletions/{segment(deletion_id, 'deletion')}"
    return await client.ask(path, Deletion.model_validate)


async def deletions(client: Client, cursor: str | None = None) -> Page[Deletion]:
    """Erasures, newest first. Raises ApiError."""
    params = page_query(cursor, PAGE, "newest")
    return await client.ask("/v1/deletions", _DELETIONS.model_validate, params=params)


async def deletion_of(client: Client, person_id: str) -> Deletion | None:
    """The latest erasure of a person: done, awaited or called off; None where there is none. Raises ApiError."""
    params = {"person": person_id} | page_query(None, 1, "newest")
    found = await client.ask("/v1/deletions", _DELETIONS.model_validate, params=params)
    return next((row for row in found.items if row.person_id == person_id), None)


async def restore(client: Client, deletion_id: str) -> Deletion:
    """Take back an erasure that only is scheduled. Raises ApiError."""
    path = f"/v1/deletions/{segment(deletion_id, 'deletion')}/restore"
    return await client.change(path, Deletion.model_validate)


def export_path(person_id: str) -> str:
    """Where all that the shop holds about a person is asked for. Raises Refused ``not_found``."""
    return f"{_path(person_id)}/export"


def _path(person_id: str) -> str:
    return f"/v1/people/{segment(person_id, 'person')}"


def _body(model: BaseModel) -> bytes:
    return model.model_dump_json(exclude_none=True).encode()


@dataclass(frozen=True, slots=True)
class PeopleSource:
    """The people that a query describes, as a window reads them."""

    client: Client
    query: PeopleQuery

    async def fetch(
        self,
        cursor: str | None,
        direction: Direction,  # noqa: ARG002 - the cursor knows
        limit: int,
        edge: Edge,
    ) -> Page[PersonRow]:
        """A page of people. Raises ApiError."""
        return await people(self.client, self.query, cursor, limit, edge)


def build() -> None:
    """Build the models' validators now instead of with the first answer."""
    models: tuple[Any, ...] = (_ROWS, _STAFF, PeopleCounts, Person, DeletionPlan, Deletion)
    for model in models:
        model.model_rebuild()
