"""What the identity strip says, put together from what the client knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from tui.api.poller import Connection, wordings
from tui.screens.desk import Desk
from tui.widgets.format import UNICODE
from tui.widgets.frame import Identity, SectionMark
from tui.widgets.standing import ROLES

if TYPE_CHECKING:
    from server.contract.access import Me
    from tui.screens.section import AnySection


@dataclass(frozen=True, slots=True)
class Sign:
    """A section before it is made.

    Attributes:
        name: of the section.
        title: what the strip calls it.
        digit: the key that goes there; each section has its own, whichever of them are shown.
        kind: imports and gives its class.
        needs: the permission without which it is not shown.
        counts_attention: whether what needs attention is counted beside it.
        counts_tickets: whether the tickets that are open or in progress are.
    """

    name: str
    title: str
    digit: str
    kind: Callable[[], type[AnySection]]
    needs: str | None = None
    counts_attention: bool = False
    counts_tickets: bool = False

    def shown_to(self, desk: Desk) -> bool:
        """Whether the reader's role has it; before the role is known, only what every role has."""
        return self.needs is None or (desk.me is not None and self.needs in desk.me.permissions)


def later(module: str, name: str) -> Callable[[], type[AnySection]]:
    """Gives a section's class out of a module that is imported when it is first gone to."""

    def kind() -> type[AnySection]:
        found: type[AnySection] = getattr(import_module(module), name)
        return found

    return kind


def identity(
    desk: Desk,
    connection: Connection | None,
    title: str,
    sections: Iterable[Sign],
    current: str,
) -> Identity:
    """The strip's content. ``title`` is the shop's name until the server told it, ``current`` the section's name.

    Without a ``connection`` there is not even somebody to ask.
    """
    pulse, ascii_only = desk.pulse, desk.glyphs is not UNICODE
    stopped = ("x not connected", "x") if ascii_only else ("✖ not connected", "✖")
    return Identity(
        shop=title if pulse is None else pulse.shop.name,
        environment="live" if pulse is None else pulse.shop.environment,
        sections=tuple(
            SectionMark(
                sign.digit,
                sign.title,
                f"go.{sign.name}",
                current=sign.name == current,
                badge=pulse.attention if pulse is not None and sign.counts_attention else 0,
                number=pulse.tickets if pulse is not None and sign.counts_tickets else 0,
            )
            for sign in sections
            if sign.shown_to(desk)
        ),
        person=_person(desk.me),
        role="" if desk.me is None else ROLES.get(desk.me.role, desk.me.role.capitalize()),
        connection=stopped
        if connection is None
        else wordings(connection, now=desk.clock.now(), zone=desk.zone, ascii_only=ascii_only),
        health="error" if connection is None else connection.health,
        glyphs=desk.glyphs,
    )


def _person(me: Me | None) -> str:
    """A member of staff by name, else by e-mail; a program by its token's name."""
    if me is None:
        return ""
    return me.token_name if me.user is None else me.user.name or me.user.email or ""
