"""How people read in their list: who it is, where they can be reached, what they may do here, what they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tui.screens.identity import ROLES
from tui.widgets.columns import Cell, Column
from tui.widgets.format import UNICODE, Glyphs, Mark, TimeFormat, Times

if TYPE_CHECKING:
    from server.contract.access import UserRow
    from server.contract.people import PersonRow

SINCE: Final = {TimeFormat.CLOCK: 6, TimeFormat.RELATIVE: 6, TimeFormat.EXACT: 15, TimeFormat.UTC: 15}
"""Cells of a moment in the list."""
_SIGNS: Final = {
    "owner": ("◆", "O", "accent"),
    "admin": ("◇", "A", "accent"),
    "support": ("■", "S", "info"),
    "readonly": ("□", "R", "info"),
    "user": ("●", "o", "success"),
}
"""The sign of each role: beside the word, so that a glance down the list tells them apart without a colour."""
_GUEST: Final = ("○", ".", "muted")
_GONE: Final = ("×", "x", "muted")  # noqa: RUF001 - a sign, not a letter


def role_name(role: str) -> str:
    """A role for people: ``Owner``, ``Read-only``; that of a customer who signed up is ``account``."""
    return "account" if role == "user" else ROLES.get(role, role.capitalize())


def standing(row: PersonRow, glyphs: Glyphs = UNICODE) -> Mark:
    """What somebody is here: a role, ``account`` or ``guest``; or what is more to be known (``barred``)."""
    at = 0 if glyphs is UNICODE else 1
    if row.erased_at is not None:
        return Mark(_GONE[at], "erased", "muted")
    if row.hidden:
        return Mark(glyphs.waiting, "goes soon", "warning")
    if row.account is None:
        return Mark(_GUEST[at], "guest", "muted")
    signs = _SIGNS.get(row.account.role, _GUEST)
    if not row.account.active:
        return Mark(signs[at], "barred", "warning")
    if row.account.invited:
        return Mark(signs[at], "invited", "muted")
    return Mark(signs[at], role_name(row.account.role), signs[2])


def account_words(account: UserRow) -> str:
    """How an account stands, in a word or two."""
    if not account.active:
        return "barred"
    return "invited, not here yet" if account.invited else "active"


def name_of(row: PersonRow) -> str:
    """Who it is: the name, else how a sentence names them."""
    return row.name or row.shown


def lead(glyphs: Glyphs) -> Callable[[PersonRow], Cell]:
    """The sign of a row."""

    def icon(row: PersonRow) -> Cell:
        mark = standing(row, glyphs)
        return Cell(mark.icon, mark.style)

    return icon


def columns(times: Callable[[], Times], glyphs: Glyphs, shown: TimeFormat) -> list[Column[PersonRow]]:
    """What the list shows of people.

    Args:
        times: how moments are written now.
        glyphs: the decorative characters.
        shown: the format of moments.
    """

    def who(row: PersonRow) -> Cell:
        return Cell(name_of(row), "muted" if row.erased_at is not None else "")

    def email(row: PersonRow) -> Cell:
        return Cell(row.email or "", "muted")

    def state(row: PersonRow) -> Cell:
        mark = standing(row, glyphs)
        return Cell(mark.word, mark.style if mark.style in {"warning", "accent", "muted"} else "")

    def bought(row: PersonRow) -> Cell:
        return Cell(f"{row.orders:,}" if row.orders else "")

    def asked(row: PersonRow) -> Cell:
        return Cell(f"{row.open_tickets:,}" if row.open_tickets else "", "accent")

    def since(row: PersonRow) -> Cell:
        return Cell(times().listed(row.created_at), "muted")

    return [
        Column("NAME", who, flex=4),
        Column("E-MAIL", email, flex=5, min_list_width=56),
        Column("ROLE", state, width=9, min_list_width=36),
        Column("ORDERS", bought, width=6, align="right", min_list_width=44),
        Column("OPEN", asked, width=4, align="right", min_list_width=52),
        Column("SINCE", since, width=SINCE[shown], align="right", min_list_width=64),
    ]
