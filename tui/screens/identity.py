"""What the identity strip says, put together from what the client knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.api.poller import Connection, wordings
from tui.screens.desk import Desk
from tui.widgets.format import UNICODE
from tui.widgets.frame import Identity, SectionMark

if TYPE_CHECKING:
    from server.contract.access import Me
    from tui.screens.section import AnySection

ROLES = {"readonly": "Read-only"}
"""Roles whose name is not its word with a capital."""


def identity(
    desk: Desk,
    connection: Connection | None,
    title: str,
    sections: Iterable[type[AnySection]],
    current: AnySection,
) -> Identity:
    """The strip's content. ``title`` is the shop's name until the server told it.

    Without a ``connection`` there is not even somebody to ask.
    """
    pulse, ascii_only = desk.pulse, desk.glyphs is not UNICODE
    stopped = ("x not connected", "x") if ascii_only else ("✖ not connected", "✖")
    return Identity(
        shop=title if pulse is None else pulse.shop.name,
        environment="live" if pulse is None else pulse.shop.environment,
        sections=tuple(
            SectionMark(
                str(number),
                kind.TITLE,
                f"go.{kind.NAME}",
                current=isinstance(current, kind),
                badge=pulse.attention if pulse is not None and kind.COUNTS_ATTENTION else 0,
            )
            for number, kind in enumerate(sections, 1)
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
