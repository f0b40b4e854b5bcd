"""The people of the shop as clients see them: staff and customers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from server.contract.access import Email, OauthLink, TokenRow, UserRow
from server.contract.base import ActionState, Answer, Instant, Money, Request
from server.contract.orders import Address, Line, Text

PersonKind = Literal["customer", "staff"]
PeopleTab = Literal["all", "customers", "staff"]


class PersonRow(Answer):
    """Somebody the shop knows.

    ``shown`` is how a sentence names them; after the erasure it is ``⟨erased 7F2A⟩`` and nothing else is left.
    ``account`` is there for staff and for customers who signed up. ``hidden`` while an erasure is scheduled.
    """

    id: str
    kind: PersonKind
    shown: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    account: UserRow | None = None
    orders: int = 0
    open_tickets: int = 0
    created_at: Instant
    erased_at: Instant | None = None
    hidden: bool = False


class PeopleCounts(Answer):
    """How many people stand under each tab (erased and hidden ones are not counted)."""

    all: int
    customers: int
    staff: int


class Note(Answer):
    """What staff wrote down about a person. ``author`` is None when the writer has been deleted since."""

    id: str
    body: str
    author: str | None = None
    author_user_id: str | None = None
    created_at: Instant


class BillingProfile(Answer):
    """To whom, and where, a person's invoices are made out."""

    id: str
    label: str
    name: str | None = None
    company: str | None = None
    tax_id: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    is_default: bool
    created_at: Instant


class RecentOrder(Answer):
    """One of a person's latest orders."""

    id: str
    number: str
    total: Money
    payment_status: str
    fulfilment_status: str
    created_at: Instant


class Person(PersonRow):
    """A person whole. ``actions``: ``edit``, ``note``, ``export``, ``delete`` (with the reason when not)."""

    addresses: list[Address] = Field(default_factory=list)
    notes: list[Note] = Field(default_factory=list)
    billing_profiles: list[BillingProfile] = Field(default_factory=list)
    oauth_links: list[OauthLink] = Field(default_factory=list)
    tokens: list[TokenRow] = Field(default_factory=list)
    recent_orders: list[RecentOrder] = Field(default_factory=list)
    actions: list[ActionState] = Field(default_factory=list)


class ChangePerson(Request):
    """What to change of a person; what is left out stays, None takes it away."""

    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    email: Email | None = None
    phone: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class NewNote(Request):
    """A note about a person, for staff alone."""

    body: Text


class NewBillingProfile(Request):
    """A billing profile to make."""

    label: Line
    name: Line | None = None
    company: Line | None = None
    tax_id: Line | None = None
    email: Email | None = None
    phone: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    address: Address | None = None
    is_default: bool = False
