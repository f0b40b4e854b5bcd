"""Every setting: its name, what its text means, and what holds when nobody set it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

T = TypeVar("T")
TextSetting = Literal["shop.name", "shop.environment", "shop.currency", "shop.time_zone"]
NumberSetting = Literal["activity.retention_days"]

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_DAYS = re.compile(r"[0-9]{1,5}", re.ASCII)
LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One setting. ``read`` turns stored text into its value, or raises ValueError with what would be right."""

    name: str
    default: T
    read: Callable[[str], T]


def _name(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
        raise ValueError(f"must be 1 to {LONGEST_NAME} printable letters")
    return text.strip()


def _environment(text: str) -> str:
    if text not in ("live", "test", "practice"):
        raise ValueError("must be live, test or practice")
    return text


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError("must be the three capital letters of a currency (GBP)")
    return text


def _time_zone(text: str) -> str:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed only when it is set or another than UTC

    if text == "UTC":
        return text
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError("must be a name of the time zone database (Europe/London)") from None
    return text


def _days(text: str) -> int:
    if not _DAYS.fullmatch(text) or int(text) < 1:
        raise ValueError("must be a number of days, 1 or more")
    return int(text)


_ALL: Final[tuple[Setting[Any], ...]] = (
    Setting("shop.name", "My shop", _name),
    Setting("shop.environment", "live", _environment),
    Setting("shop.currency", "GBP", _currency),
    Setting("shop.time_zone", "UTC", _time_zone),
    Setting("activity.retention_days", 90, _days),
)
REGISTRY: Final[dict[str, Setting[Any]]] = {setting.name: setting for setting in _ALL}
