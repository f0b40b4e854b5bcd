"""What the text of a setting may be. Each reader gives the value, or raises ValueError with what would be right.

The sentence follows the setting's label ("must be …") and never repeats what was given: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

LONGEST_LINE: Final = 80
LONGEST_TEXT: Final = 1_200
LONGEST_SECRET: Final = 4_096
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)", re.ASCII)
_URL = re.compile(r"https?://[!-~]{1,290}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{3,189}")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{8,4096}", re.ASCII)
_BEARER = re.compile(r"[!-~]{16,200}", re.ASCII)
_SIGNING = re.compile(r"whsec_[A-Za-z0-9_+/=-]{1,200}", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def line(text: str) -> str:
    """One printable line of 1 to 80 letters, without the spaces around it."""
    if not text.strip() or len(text) > LONGEST_LINE or not text.isprintable():
        raise ValueError(f"must be 1 to {LONGEST_LINE} printable letters")
    return text.strip()


def long_text(text: str) -> str:
    """Printable lines, 1 to 1,200 letters together."""
    clean = text.strip().replace("\r\n", "\n")
    if not clean or len(clean) > LONGEST_TEXT or not clean.replace("\n", "").isprintable():
        raise ValueError(f"must be 1 to {LONGEST_TEXT:,} printable letters, in one or more lines")
    return clean


def one_of(*choices: str) -> Callable[[str], str]:
    """One of these words."""
    said = " or ".join([", ".join(choices[:-1]), choices[-1]])

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {said}")
        return text

    return read


def switch(text: str) -> bool:
    """``on`` or ``off``."""
    if text not in ("on", "off"):
        raise ValueError("must be on or off")
    return text == "on"


def number(low: int, high: int, unit: str) -> Callable[[str], int]:
    """A whole number within limits, in digits."""

    def read(text: str) -> int:
        if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"must be {unit}, {low:,} to {high:,}")
        return int(text)

    return read


def currency(text: str) -> str:
    """An ISO 4217 code."""
    if not _CURRENCY.fullmatch(text):
        raise ValueError("must be the three capital letters of a currency (GBP)")
    return text


def time_zone(text: str) -> str:
    """A name of the time zone database."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed only when it is set or another than UTC

    if text == "UTC":
        return text
    try:
        ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError("must be a name of the time zone database (Europe/London)") from None
    return text


def time_of_day(text: str) -> str:
    """``HH:MM``."""
    if not _TIME.fullmatch(text):
        raise ValueError("must be a time of the day with 24 hours (03:30)")
    return text


def address(text: str) -> str:
    """A web address without a slash at its end; over TLS unless it is this machine's own."""
    clean = text.strip().rstrip("/")
    wrong = ValueError("must be an address that begins with https:// (http:// only on this machine itself)")
    if not _URL.fullmatch(clean):
        raise wrong
    try:
        parts = urlsplit(clean)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise wrong from None
    if not host or port == 0 or "@" in parts.netloc or parts.query or parts.fragment or "\\" in clean:
        raise wrong
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise wrong
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise wrong
    return clean


def host(text: str) -> str:
    """The name of a machine, without a port."""
    if len(text) > 253 or not _HOST.fullmatch(text):
        raise ValueError("must be the name of a server (smtp.example.com), without a port")
    return text


def email(text: str) -> str:
    """One e-mail address and nothing around it."""
    clean = text.strip()
    if not _EMAIL.fullmatch(clean) or not clean.isprintable():
        raise ValueError("must be one e-mail address (shop@example.com)")
    return clean


def word(text: str) -> str:
    """A part of an address: letters, digits, ``-`` and ``_``."""
    if not _WORD.fullmatch(text):
        raise ValueError("must be 1 to 64 letters of a to z, digits, - or _")
    return text


def digits(text: str) -> str:
    """A provider's number of something."""
    clean = text.strip()
    if not _DIGITS.fullmatch(clean):
        raise ValueError("must be a number in digits, as the provider shows it")
    return clean


def token(text: str) -> str:
    """A provider's token or secret."""
    clean = text.strip()
    if not _TOKEN.fullmatch(clean):
        raise ValueError(f"must be 8 to {LONGEST_SECRET:,} letters without spaces, as the provider shows it")
    return clean


def bearer(text: str) -> str:
    """A secret that we give out: long enough that nobody guesses it."""
    clean = text.strip()
    if not _BEARER.fullmatch(clean):
        raise ValueError("must be 16 to 200 letters without spaces, such as openssl rand -hex 24 gives")
    return clean


def password(text: str) -> str:
    """Somebody else's password, as it is: spaces belong to it, the end of a line does not."""
    clean = text.rstrip("\r\n")
    if not clean or len(clean) > 1_000 or not clean.isprintable():
        raise ValueError("must be 1 to 1,000 printable letters")
    return clean


def signing_secrets(text: str) -> str:
    """Signing secrets of Stripe's, separated by commas; written without spaces."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(found) <= 10 or not all(_SIGNING.fullmatch(part) for part in found):
        raise ValueError("must be signing secrets of Stripe's (whsec_…), separated by commas")
    return ",".join(found)
