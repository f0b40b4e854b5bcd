"""How values are written on the screen: money, moments, states, levels, people. Pure functions.

The reader's time zone and the present moment are given, never looked up: see :class:`Times`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from server.contract.orders import OrderRow

# --------------------------------------------------------------------------
# Money

_NO_DECIMALS = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
    "XAF", "XOF", "XPF",
)  # fmt: skip
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS = dict.fromkeys(_NO_DECIMALS, 0) | dict.fromkeys(_THREE_DECIMALS, 3) | {"CLF": 4, "UYW": 4}
"""ISO 4217: currencies whose minor unit is not a hundredth."""

_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴"}


class MoneyLike(Protocol):
    """An amount of minor units in an ISO currency (``server.contract.base.Money``)."""

    @property
    def amount(self) -> int: ...  # noqa: D102 - said above
    @property
    def currency(self) -> str: ...  # noqa: D102 - said above


def money(amount: int, currency: str) -> str:
    """Write ``amount`` minor units: ``£43.00``, ``¥1,200``, ``CHF 9.50``, ``-€0.05``, ``KWD 1.250``."""
    digits = _EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    number = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{currency} {number}"


def money_of(value: MoneyLike | None) -> str:
    """Write a contract's ``Money``; nothing for ``None``."""
    return "" if value is None else money(value.amount, value.currency)


# --------------------------------------------------------------------------
# Time

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class TimeFormat(Enum):
    """How moments are written in lists and timelines; the ``t`` key goes round."""

    CLOCK = "clock"
    """``14:23`` today, ``16 Feb`` before, ``16 Feb 2023`` in another year."""
    RELATIVE = "relative"
    """``2m``, ``5h``, ``3d``."""
    EXACT = "exact"
    """``16 Feb 14:23:05``, local."""
    UTC = "utc"
    """``02-16 13:23:05Z``."""

    def following(self) -> TimeFormat:
        """The next format in the round."""
        every = list(TimeFormat)
        return every[(every.index(self) + 1) % len(every)]


@dataclass(frozen=True, slots=True)
class Times:
    """Writes moments for one reader at one moment.

    ``now`` is the present (any zone), ``zone`` the reader's. Every moment given must carry a zone.
    """

    now: datetime
    zone: tzinfo = UTC
    format: TimeFormat = TimeFormat.CLOCK

    @property
    def minute(self) -> int:
        """A serial number of the present minute: what was written stays right until it changes."""
        return int(self.now.timestamp()) // _MINUTE

    def local(self, moment: datetime) -> datetime:
        """The moment on the reader's clock; unchanged where the calendar has no such day."""
        try:
            return moment.astimezone(self.zone)
        except (OverflowError, ValueError):
            return moment

    def short(self, moment: datetime) -> str:
        """Write a moment in the chosen format, for a column of a timeline."""
        if self.format is TimeFormat.RELATIVE:
            return self.relative(moment)
        if self.format is TimeFormat.EXACT:
            here = self.local(moment)
            return f"{_day_month(here.date())} {here:%H:%M:%S}"
        if self.format is TimeFormat.UTC:
            return f"{moment.astimezone(UTC):%m-%d %H:%M:%S}Z"
        return self.clock(moment)

    def listed(self, moment: datetime) -> str:
        """Write a moment for a list: relative unless another format was chosen with ``t``."""
        return self.relative(moment) if self.format is TimeFormat.CLOCK else self.short(moment)

    def clock(self, moment: datetime) -> str:
        """``14:23`` for today, ``16 Feb`` for older days, ``16 Feb 2023`` for other years."""
        here, today = self.local(moment), self.local(self.now).date()
        return f"{here:%H:%M}" if here.date() == today else self.date(moment)

    def date(self, moment: datetime) -> str:
        """``16 Feb`` in this year, ``16 Feb 2023`` in another."""
        day, today = self.local(moment).date(), self.local(self.now).date()
        return _day_month(day) if day.year == today.year else f"{_day_month(day)} {day.year}"

    def day(self, moment: datetime) -> str:
        """The heading of a day: ``Today``, ``Yesterday``, else :meth:`date`."""
        age = (self.local(self.now).date() - self.local(moment).date()).days
        return {0: "Today", 1: "Yesterday"}.get(age) or self.date(moment)

    def relative(self, moment: datetime) -> str:
        """``now``, ``2m``, ``5h``, ``3d``, ``7w``, ``2y``; ``in 5m`` for what lies ahead by more than a minute."""
        seconds = int((self.now - moment).total_seconds())
        if seconds < 0:
            return "now" if seconds > -_MINUTE else f"in {_span(-seconds)}"
        return "now" if seconds < _MINUTE else _span(seconds)

    def ago(self, moment: datetime) -> str:
        """The same as words: ``just now``, ``5h ago``, ``in 5m``."""
        text = self.relative(moment)
        return "just now" if text == "now" else text if text.startswith("in ") else f"{text} ago"

    def full(self, moment: datetime) -> str:
        """Local with zone, and UTC: ``Mon 16 Feb 2026 14:23:05 CET · 13:23:05 UTC``."""
        here, there = self.local(moment), moment.astimezone(UTC)
        zone = here.tzname() or f"UTC{here:%z}"
        left = f"{_DAYS[here.weekday()]} {_day_month(here.date())} {here.year} {here:%H:%M:%S} {zone}"
        if here.utcoffset() == timedelta(0):
            return left
        other = "" if here.date() == there.date() else f"{_day_month(there.date())} "
        return f"{left} · {other}{there:%H:%M:%S} UTC"


def _day_month(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def _span(seconds: int) -> str:
    """The largest whole unit: minutes, hours, days (to two weeks), weeks (to a year), years."""
    if seconds < _HOUR:
        return f"{max(seconds // _MINUTE, 1)}m"
    if seconds < _DAY:
        return f"{seconds // _HOUR}h"
    days = seconds // _DAY
    if days < 14:
        return f"{days}d"
    return f"{days // 7}w" if days < 365 else f"{days // 365}y"


LATE_AFTER = timedelta(minutes=5)
"""An entry recorded this much after it happened is marked as late."""


def lateness(occurred_at: datetime, inserted_at: datetime) -> str | None:
    """``arrived 3h late`` when an entry was recorded long after it happened, else ``None``."""
    late = inserted_at - occurred_at
    return f"arrived {_span(int(late.total_seconds()))} late" if late >= LATE_AFTER else None


# --------------------------------------------------------------------------
# Levels, glyphs, states


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The decorative characters of the screens, each one cell wide."""

    info: str = "●"
    warning: str = "▲"
    error: str = "⚠"
    waiting: str = "◌"
    cursor: str = "▌"
    marked: str = "✓"
    up: str = "▲"
    attention: str = "⚑"
    bar: str = "┃"
    rule: str = "─"
    outside: str = "↗"
    dot: str = "·"
    ellipsis: str = "…"


UNICODE = Glyphs()
ASCII = Glyphs(
    info="o", warning="!", error="X", waiting=".", cursor=">", marked="*", up="^", attention="!", bar="|",
    rule="-", outside="^", dot="-", ellipsis="~",
)  # fmt: skip
"""For terminals whose fonts lack the others."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A level or a state in two carriers that need no colour, and the style name that adds one.

    ``style`` is one of ``success info warning error muted accent`` (see ``tui.widgets.theme.STYLES``).
    """

    icon: str
    word: str
    style: str


def level_mark(level: str, glyphs: Glyphs = UNICODE) -> Mark:
    """The icon and word of an activity level; an unknown level is shown as it calls itself."""
    if level == "info":
        return Mark(glyphs.info, "info", "success")
    if level == "warning":
        return Mark(glyphs.warning, "warning", "warning")
    if level == "error":
        return Mark(glyphs.error, "error", "error")
    return Mark(glyphs.info, words(level), "muted")


_PAYMENT = {
    "pending": ("unpaid", "muted", "waiting"),
    "paid": ("paid", "success", "info"),
    "failed": ("payment failed", "error", "error"),
    "refunded": ("refunded", "muted", "info"),
}
_FULFILMENT = {
    "unfulfilled": ("to ship", "", "waiting"),
    "submitted": ("submitted", "info", "info"),
    "processing": ("in production", "info", "info"),
    "shipped": ("shipped", "success", "info"),
    "delivered": ("delivered", "success", "info"),
    "failed": ("submission failed", "error", "error"),
    "cancelled": ("cancelled", "warning", "warning"),
}


def payment_mark(status: str, glyphs: Glyphs = UNICODE) -> Mark:
    """The word of a payment state; a state this client does not know is shown as it calls itself."""
    return _state(_PAYMENT, status, glyphs)


def fulfilment_mark(status: str, glyphs: Glyphs = UNICODE) -> Mark:
    """The word of a fulfilment state, ``in production`` for ``processing``."""
    return _state(_FULFILMENT, status, glyphs)


def _state(table: dict[str, tuple[str, str, str]], status: str, glyphs: Glyphs) -> Mark:
    word, style, icon = table.get(status, (words(status), "muted", "info"))
    return Mark(getattr(glyphs, icon), word, style)


def order_mark(
    payment_status: str, fulfilment_status: str, attention: int = 0, glyphs: Glyphs = UNICODE
) -> Mark:
    """The one mark of an order in a list: what went wrong first, then how far it is.

    ``attention`` is the number of its open warnings and errors.
    """
    if payment_status != "paid":
        mark = payment_mark(payment_status, glyphs)
    else:
        mark = fulfilment_mark(fulfilment_status, glyphs)
    if fulfilment_status in {"cancelled", "failed"} and payment_status != "failed":
        mark = fulfilment_mark(fulfilment_status, glyphs)
    if attention > 0 and mark.style not in {"error", "warning"}:
        return Mark(glyphs.warning, mark.word, "warning")
    return mark


# --------------------------------------------------------------------------
# Words


def words(name: str) -> str:
    """A name of the program as words: ``insufficient_permissions`` → ``insufficient permissions``."""
    return name.replace("_", " ").replace(".", " ").strip() or "unknown"


def person(name: str | None, email: str | None, erased: str | None = None) -> str:
    """Who it is: the name, else the e-mail, else ``⟨erased 7F2A⟩``, else ``no customer``."""
    if name or email:
        return name or email or ""
    return f"⟨erased {erased}⟩" if erased else "no customer"


def customer(order: OrderRow) -> str:
    """Whose order it is."""
    who = order.customer
    return "no customer" if who is None else person(who.name, who.email, who.erased)


def short_number(number: str) -> str:
    """The last part of an order number: ``SS-260223-0046`` → ``0046``."""
    return number.rpartition("-")[2] or number


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 entry``, ``1,204 entries``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def badge(number: int) -> str:
    """A number that must stay short: ``7``, ``99+``."""
    return str(number) if number < 100 else "99+"


def size(octets: int) -> str:
    """A length in bytes: ``640 bytes``, ``4 kB``, ``12.5 MB``."""
    if octets < 1000:
        return count(octets, "byte")
    return f"{octets / 1000:,.0f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:,.1f} MB"
