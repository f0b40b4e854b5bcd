"""What a shop shows of itself to its customers: its name, its addresses, and the days of its time zone."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from server.kit.clock import instant
from server.kit.pages import Shop
from server.kit.tx import Tx
from server.settings import service as settings


@dataclass(frozen=True, slots=True)
class Face:
    """The shop as its customers know it.

    Args:
        shop: its name and address.
        base: where customers reach this server's pages, without a slash at the end; None while nobody said it.
        zone: in which its days begin.
    """

    shop: Shop
    base: str | None
    zone: ZoneInfo

    @property
    def secure(self) -> bool:
        """Whether customers come by https, so that cookies may be kept to it."""
        return (self.base or "").lower().startswith("https:")

    def day(self, at: int) -> str:
        """The day of a moment, in words: ``23 February 2026``."""
        local = instant(at).astimezone(self.zone)
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def face(tx: Tx) -> Face:
    """The shop's face as its settings have it now."""
    return Face(
        Shop(settings.get(tx, "shop.name"), _address(settings.get(tx, "shop.url"))),
        _address(settings.get(tx, "public.url")),
        ZoneInfo(settings.get(tx, "shop.time_zone")),
    )


def _address(text: str | None) -> str | None:
    return (text or "").rstrip("/") or None
