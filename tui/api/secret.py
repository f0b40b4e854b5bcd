"""A token that does not show itself."""

from __future__ import annotations

import re
from typing import Final, NoReturn

_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,512}", re.ASCII)


class Secret:
    """A token: 1 to 512 printable ASCII characters. Its repr and str are stars, and it cannot be pickled.

    Raises:
        ValueError: anything else, in a sentence that does not hold the text.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not _TOKEN.fullmatch(text):
            raise ValueError("that is not a token: 1 to 512 letters, digits and signs without blanks are")
        self._text = text

    def reveal(self) -> str:
        """The token itself. Call it where it is sent or stored, and keep the result out of variables."""
        return self._text

    def __repr__(self) -> str:
        return "****"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not stored that way")
