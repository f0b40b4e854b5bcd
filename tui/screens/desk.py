"""What all sections share: the client, who is working, how times and signs are written, what can be undone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

from tui import keys
from tui.screens.deeds import Deeds
from tui.widgets.format import ASCII, UNICODE, Glyphs, TimeFormat, Times

if TYPE_CHECKING:
    from server.contract.access import Me
    from server.contract.pulse import Pulse
    from tui.api.client import Client
    from tui.api.clock import ShopClock
    from tui.screens.departure import Departure


class HomeZone(tzinfo):
    """The reader's own zone, summer time included, as the machine has it."""

    def _offset(self, moment: datetime | None) -> time.struct_time:
        return time.localtime(0 if moment is None else moment.replace(tzinfo=None).timestamp())

    def utcoffset(self, moment: datetime | None, /) -> timedelta:
        """How far the local clock is ahead of UTC at a local moment."""
        return timedelta(seconds=self._offset(moment).tm_gmtoff)

    def dst(self, moment: datetime | None, /) -> timedelta | None:  # noqa: ARG002 - not asked for
        """Unknown: the offset holds it."""
        return None

    def tzname(self, moment: datetime | None, /) -> str:
        """The zone's short name at a local moment."""
        return self._offset(moment).tm_zone

    def fromutc(self, moment: datetime, /) -> datetime:
        """The local moment of a moment in UTC (whose zone says this one)."""
        seconds = (moment.replace(tzinfo=timezone.utc)).timestamp()  # noqa: UP017
        return moment + timedelta(seconds=time.localtime(seconds).tm_gmtoff)


@dataclass(slots=True)
class Desk:
    """One reader at work.

    Attributes:
        clock: the shop's time.
        live: the keys in force.
        glyphs: the decorative characters.
        zone: the reader's zone.
        format: how moments are written.
        client: the server, once there is a connection.
        obstacle: why there is none and none is being made; empty otherwise.
        me: who the reader is, once that is known.
        pulse: the newest counts of the frame.
        deeds: what can be undone.
        departure: what was asked to leave the shop last, as long as it is told of.
        rest: seconds that the cursor rests on a row before the story beside the list follows it.
    """

    clock: ShopClock
    live: keys.Keymap
    glyphs: Glyphs = UNICODE
    zone: tzinfo = field(default_factory=HomeZone)
    format: TimeFormat = TimeFormat.CLOCK
    client: Client | None = None
    obstacle: str = ""
    me: Me | None = None
    pulse: Pulse | None = None
    deeds: Deeds = field(default_factory=Deeds)
    departure: Departure | None = None
    rest: float = 0.12

    @property
    def times(self) -> Times:
        """How moments are written now."""
        return Times(self.clock.now(), self.zone, self.format)

    def may(self, command: keys.Command) -> bool:
        """Whether the reader's role allows a command; before the role is known, what reads is."""
        if command.needs is None:
            return True
        return self.me is not None and command.needs in self.me.permissions

    def key(self, command_id: str) -> str:
        """The live key of a command, for sentences."""
        return self.live.shown(command_id, ascii_only=self.glyphs is ASCII)


def counters(pulse: Pulse | None) -> Mapping[str, int]:
    """The change counters of a pulse; none before the first one."""
    return {} if pulse is None else pulse.topics
