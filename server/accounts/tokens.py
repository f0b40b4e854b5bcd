"""The text of a token: ``sbl_pat_<id>_<secret><checksum>``.

The prefix makes it findable where it should not be; the checksum lets a mistyped or invented one be refused without
asking the database. Only a SHA-256 of the secret is stored: 190 random bits need no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

from server.kit.ids import random_text

PREFIX: Final = "sbl_pat_"
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECKSUM = 8, 32, 6
_TOKEN = re.compile(
    rf"{PREFIX}([0-9A-Za-z]{{{_ID}}})_([0-9A-Za-z]{{{_SECRET}}})([0-9A-Za-z]{{{_CHECKSUM}}})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token taken apart. The secret stays out of its ``repr``."""

    id: str
    secret: str = field(repr=False)

    def text(self) -> str:
        """What the bearer sends."""
        body = f"{PREFIX}{self.id}_{self.secret}"
        return body + _checksum(body)

    def hash(self) -> str:
        """What is stored of the secret."""
        return hashlib.sha256(self.secret.encode("ascii")).hexdigest()

    def matches(self, stored_hash: str) -> bool:
        """Whether the stored hash is this secret's, compared in constant time."""
        return hmac.compare_digest(self.hash().encode("ascii"), stored_hash.encode("ascii"))


def new_token() -> TokenText:
    """A token that nobody can guess."""
    return TokenText(random_text(_ID, _ALPHABET), random_text(_SECRET, _ALPHABET))


def parse(text: str) -> TokenText | None:
    """Take a token apart; None for anything that this program never made."""
    match = _TOKEN.fullmatch(text)
    if match is None or _checksum(text[:-_CHECKSUM]) != match[3]:
        return None
    return TokenText(match[1], match[2])


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode("ascii"))
    letters = []
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))
