"""What somebody is in the shop, and how far an erasure is: signs and words, the same on screens and in commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.widgets.format import UNICODE, Glyphs, Mark

if TYPE_CHECKING:
    from server.contract.access import UserRow
    from server.contract.deletion import Deletion
    from server.contract.people import PersonRow

ROLES: Final = {"readonly": "Read-only"}
"""Roles whose name is not its word with a capital."""
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


def erasure_mark(done: Deletion, glyphs: Glyphs) -> Mark:
    """How far an erasure is."""
    known = {
        "scheduled": Mark(glyphs.waiting, "scheduled", "warning"),
        "restored": Mark(glyphs.info, "called off", "muted"),
        "erased": Mark(glyphs.waiting, "erased, cleaning up", "info"),
        "clean": Mark(glyphs.marked, "clean", "success"),
        "residue": Mark(glyphs.error, "something is left", "error"),
    }
    return known.get(done.state) or Mark(glyphs.info, done.state, "muted")
