"""How texts are made comparable: letters' case and accents do not count, and words know where they begin.

The same folding goes into what is stored for search and into what somebody searches for, so both databases compare
plain strings and mean the same.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")
_WORD_START: Final = re.compile(r"(?<![^\W_])(?=[^\W_])")


def clean_text(text: str, most: int) -> str:
    """A stranger's text as both databases can store it: no NUL, no half characters, at most ``most`` signs.

    What cannot be stored becomes U+FFFD; what is cut off leaves an ellipsis.
    """
    if _BROKEN.search(text):
        text = _BROKEN.sub("\ufffd", text)
    return text if len(text) <= most else text[: most - 1] + "…"


def fold(text: str) -> str:
    """Without case and accents: ``Müller`` and ``MULLER`` become ``muller``."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if unicodedata.category(letter) != "Mn").casefold()


def fold_email(text: str) -> str:
    """An e-mail address as it is compared: without case, but with its accents."""
    return unicodedata.normalize("NFC", text.strip()).casefold()


def mark_words(text: str) -> str:
    """Fold a text and put a space before every word's first letter.

    A term marked in the same way is then found in it, as a plain string, only where a word begins: ``(pfy-12345)``
    becomes ``( pfy- 12345)``, which holds `` 12345`` and `` pfy- 12`` but not `` 2345``.
    """
    return _WORD_START.sub(" ", " ".join(fold(text).split()))
