"""A person as a story: who it is, what they have here, what staff noted, and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from tui.screens.order_story import address_line
from tui.screens.people_rows import name_of
from tui.screens.reasons import reason
from tui.screens.ticket_rows import status_mark
from tui.widgets.blocks import Attention, Block, Gap, Item, Pair, Paragraph, Rule, Title, Words
from tui.widgets.format import Glyphs, Times, count, money_of, order_mark
from tui.widgets.speech import Said
from tui.widgets.standing import account_words, role_name, standing

if TYPE_CHECKING:
    from server.contract.access import TokenRow
    from server.contract.base import ActionState
    from server.contract.deletion import Deletion
    from server.contract.people import BillingProfile, Person, PersonRow, RecentOrder
    from server.contract.tickets import TicketRow

SOME_TOKENS: Final = 4
ACTIONS: Final = {
    "edit": ("person.edit", "edit"),
    "note": ("person.note", "note"),
    "set_role": ("person.role", "role"),
    "deactivate": ("person.bar", "bar"),
    "reactivate": ("person.bar", "let in again"),
    "delete": ("person.delete", "deletion plan"),
}
"""What the server calls an action, the command that does it, and its word."""
_PLAIN: Final = frozenset(
    {"insufficient_permissions", "already_active", "already_inactive", "customer_account", "already_erased"}
)
"""Refusals that say nothing which is not seen already."""
_TOLD: Final = {"set_role": "Role", "deactivate": "Bar", "delete": "Delete", "edit": "Edit"}


def heading(row: PersonRow, times: Times, glyphs: Glyphs) -> list[Block]:
    """The first two lines, known from the list already."""
    mark = standing(row, glyphs)
    notes = (row.email,) if row.email and row.email != name_of(row) else ()
    kind = "staff" if row.kind == "staff" else "customer"
    pieces = [(f"{mark.icon} {mark.word}", mark.style)]
    if row.account is not None and mark.word != role_name(row.account.role):
        pieces.append((role_name(row.account.role), ""))
    pieces.append((f"{kind} since {times.date(row.created_at)}", "muted"))
    return [Title(text=name_of(row), notes=notes), Words(pieces=tuple(pieces))]


def glimpse(row: PersonRow, times: Times, glyphs: Glyphs) -> list[Block]:
    """What is known of somebody before the rest is fetched."""
    return [*heading(row, times, glyphs), Gap(), Paragraph(text="Loading…", style="muted")]


def person_story(
    person: Person,
    times: Times,
    glyphs: Glyphs,
    *,
    tickets: Sequence[TicketRow] = (),
    waiting: Deletion | None = None,
    hint: str = "",
    orders: str = "",
    restore: str = "",
) -> list[Block]:
    """The whole story.

    Args:
        person: who.
        times: how moments are written.
        glyphs: the decorative characters.
        tickets: those of the person that wait, as far as they were fetched.
        waiting: the erasure that is scheduled.
        hint: what can be done, with its keys.
        orders: how all orders are shown.
        restore: how the scheduled erasure is called off; empty for those who may not.
    """
    blocks = heading(person, times, glyphs)
    if person.hidden:
        blocks += [Gap(), Attention(text=_goes(waiting, times), hint=restore, style="warning")]
    blocks += [Gap(), *_contact(person)]
    if person.account is not None:
        blocks += [Gap(), Rule(text="Account"), *_account(person, times)]
    if person.open_tickets:
        blocks += [
            Gap(),
            Rule(text=_counted("Open tickets", person.open_tickets)),
            *_tickets(tickets, glyphs),
        ]
    if person.orders:
        blocks += [
            Gap(),
            Rule(text=_counted("Orders", person.orders)),
            *_orders(person, times, glyphs, orders),
        ]
    if person.billing_profiles:
        blocks += [Gap(), Rule(text="Billed to"), *_profiles(person.billing_profiles)]
    if person.notes:
        blocks += [Gap(), Rule(text=_counted("Notes", len(person.notes)))]
        for note in person.notes:
            who = note.author or "somebody who is gone"
            blocks.append(
                Said(id=note.id, who=who, when=times.short(note.created_at), text=note.body, internal=True)
            )
    if not person.hidden:
        blocks += [Gap(), Rule(text="What may be done"), *_possible(person, hint)]
    return blocks


def _counted(what: str, many: int) -> str:
    return f"{what} {many:,}"


def _goes(waiting: Deletion | None, times: Times) -> str:
    if waiting is None or waiting.due_at is None:
        return "The erasure of this person is scheduled. Until then the account is locked, and no list shows them."
    return (
        f"Will be erased {times.full(waiting.due_at)} ({times.ago(waiting.due_at)}). "
        "Until then the account is locked, and no list shows them."
    )


def _contact(person: Person) -> Iterable[Block]:
    yield Pair(label="E-mail", value=person.email or "none", style="" if person.email else "muted")
    if person.phone:
        yield Pair(label="Phone", value=person.phone)
    for number, address in enumerate(person.addresses):
        yield Pair(label="" if number else "Address", value=address_line(address))


def _account(person: Person, times: Times) -> Iterable[Block]:
    account = person.account
    if account is None:
        return
    style = "" if account.active and not account.invited else "warning"
    yield Pair(label="Role", value=role_name(account.role))
    yield Pair(label="State", value=account_words(account), style=style)
    seen = (
        f"{times.full(account.last_seen_at)} ({times.ago(account.last_seen_at)})"
        if account.last_seen_at
        else "never"
    )
    yield Pair(label="Last seen", value=seen)
    alive = [token for token in person.tokens if is_alive(token, times)]
    for number, token in enumerate(alive[:SOME_TOKENS]):
        until = f", until {times.date(token.expires_at)}" if token.expires_at else ""
        used = f", used {times.ago(token.last_used_at)}" if token.last_used_at else ", never used"
        yield Pair(label="" if number else "Tokens", value=f"{token.name}{used}{until}")
    if len(alive) > SOME_TOKENS:
        yield Pair(label="", value=f"and {len(alive) - SOME_TOKENS:,} more", style="muted")
    if person.oauth_links:
        yield Pair(label="Signs in", value=", ".join(link.provider for link in person.oauth_links))


def is_alive(token: TokenRow, times: Times) -> bool:
    """Whether a token still opens the door."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > times.now)


def _tickets(tickets: Sequence[TicketRow], glyphs: Glyphs) -> Iterable[Block]:
    for ticket in tickets:
        mark = status_mark(ticket.status, glyphs)
        yield Item(left=f"#{ticket.number} {ticket.title}", right=mark.word, style=mark.style)


def _orders(person: Person, times: Times, glyphs: Glyphs, hint: str) -> Iterable[Block]:
    for order in person.recent_orders:
        yield _order(order, times, glyphs)
    if (more := person.orders - len(person.recent_orders)) > 0:
        yield Item(left=f"and {count(more, 'earlier one')}", style="muted")
    if hint:
        yield Item(left=hint, style="muted")


def _order(order: RecentOrder, times: Times, glyphs: Glyphs) -> Block:
    mark = order_mark(order.payment_status, order.fulfilment_status, 0, glyphs)
    when = times.clock(order.created_at)
    style = mark.style if mark.style in {"error", "warning", "muted"} else ""
    return Item(
        left=f"{mark.icon} {order.number} {glyphs.dot} {mark.word} {glyphs.dot} {when}",
        right=money_of(order.total),
        style=style,
    )


def _profiles(profiles: Sequence[BillingProfile]) -> Iterable[Block]:
    for profile in profiles:
        parts = (profile.company, profile.name, profile.tax_id, profile.email, address_line(profile.address))
        told = ", ".join(part for part in parts if part) or "nothing else is known"
        yield Pair(label=profile.label, value=f"{told} (default)" if profile.is_default else told)


def states(person: Person) -> list[ActionState]:
    """All that the server says may be done, or may not: to the person and to the account."""
    own = {action.name for action in person.actions}
    account = [] if person.account is None else person.account.actions
    return [*person.actions, *(action for action in account if action.name not in own)]


def _possible(person: Person, hint: str) -> Iterable[Block]:
    yield Paragraph(text=hint or "Nothing: your role may look, not change.", style="" if hint else "muted")
    for action in states(person):
        if not action.allowed and action.name in _TOLD and (action.reason or "") not in _PLAIN:
            yield Pair(label=_TOLD[action.name], value=reason(action.reason), style="muted")


def erased_story(
    row: PersonRow, times: Times, done: Deletion | None, receipt: Sequence[Block]
) -> list[Block]:
    """Somebody who was erased before one looked: when, and the receipt where it may be seen."""
    when = row.erased_at
    said = f"Erased {times.full(when)} ({times.ago(when)})." if when is not None else "Erased."
    blocks: list[Block] = [Title(text=row.shown), Words(pieces=((said, "muted"),)), Gap()]
    if done is not None:
        return [*blocks, *receipt]
    return [
        *blocks,
        Paragraph(
            text="Nothing else is left of this person. Their orders keep their stories, with the mark."
        ),
    ]


def gone_story(shown: str, close: str) -> list[Block]:
    """Somebody whom somebody else deleted while one was reading."""
    return [
        Title(text=shown),
        Gap(),
        Attention(
            text=f"Deleted by somebody else: {shown}",
            hint=f"Nothing else is left here; orders keep their stories. {close} leads back to the list.",
            style="warning",
        ),
    ]
