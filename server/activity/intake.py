"""What may stand in an entry: caps, clean text, no personal data, and which other entries it is the same as."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.activity.event_type import ORDER, EventType
from server.activity.template import plain, show
from server.kit.folding import clean_text, fold, mark_words

MAX_PARAMS: Final = 8 * 1024
"""Most bytes of an entry's parameters as JSON."""
MAX_TEXT: Final = 4096
"""Most signs of a stranger's text."""
TEXTS_KEPT: Final = "_texts"
"""In the parameters: which texts came with the entry, so that an erased one is told from one that never was."""
REMOVED: Final = "⟨removed⟩"
"""Stands for personal data that somebody tried to write into a parameter."""

_MAX_PARAM: Final = 1024
_MAX_ITEMS: Final = 100
_MAX_DEPTH: Final = 5
_MAX_TEXTS: Final = 8
_MAX_WORDS: Final = 2000
_LARGEST: Final = 2**63
_SHORTEST_NAME: Final = 3
_TEXT_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@<>()\"',;:]+@[^\s@<>()\"',;:]+\.[^\s@<>()\"',;:]+")
_NUMBERED: Final = re.compile(r"\w*\d\w*")
_SPACES: Final = re.compile(r"[\W_]+")


class OddEntryError(Exception):
    """An entry that cannot be written as it is; ``reason`` is what its loss is counted under."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an entry is about, folded as the vault keeps it for comparison."""

    person_id: str | None = None
    email_key: str | None = None
    name_key: str | None = None
    gone: int = 0
    """Whether they have been erased: strangers' words about them are not kept any more."""

    def names(self) -> list[str]:
        """What must not stand in a parameter, the longest first."""
        keys = [self.email_key or "", self.name_key or ""]
        return sorted((key for key in keys if len(key) >= _SHORTEST_NAME), key=len, reverse=True)


def clean_params(params: object, subject: Subject) -> tuple[dict[str, Any], bool]:
    """Parameters as they may be stored, and whether personal data had to be taken out.

    Raises:
        OddEntryError: not a map of JSON values, or too large.
    """
    if params is None:
        return {}, False
    if not isinstance(params, Mapping):
        raise OddEntryError("bad_params")
    guard = _Guard(subject)
    cleaned = {
        key: guard.value(value, 1)
        for key, value in _items(params)
        if not key.startswith("_") and value is not None
    }
    if len(json.dumps(cleaned, ensure_ascii=False).encode()) > MAX_PARAMS:
        raise OddEntryError("params_too_large")
    return cleaned, guard.found


def clean_texts(texts: object) -> dict[str, str]:
    """Strangers' texts as they may be stored; empty ones are left out.

    Raises:
        OddEntryError: not a map of texts.
    """
    if texts is None:
        return {}
    if not isinstance(texts, Mapping) or len(texts) > _MAX_TEXTS:
        raise OddEntryError("bad_texts")
    cleaned = {}
    for name, text in texts.items():
        if text is None:
            continue
        if not isinstance(name, str) or not _TEXT_NAME.fullmatch(name) or not isinstance(text, str):
            raise OddEntryError("bad_texts")
        if text.strip():
            cleaned[name] = clean_text(text.strip(), MAX_TEXT)
    return cleaned


def clean_name(name: object, subject: Subject) -> str | None:
    """The name of a provider or a job, short and without the person's."""
    if name is None:
        return None
    return _Guard(subject).text(clean_text(str(name), 100)) or None


class _Guard:
    """Walks through values, keeps them storable, and takes out what names the person or any e-mail address."""

    def __init__(self, subject: Subject) -> None:
        self._names = subject.names()
        self.found = False

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(clean_text(value, _MAX_PARAM))
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and -_LARGEST <= value < _LARGEST:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if depth < _MAX_DEPTH and isinstance(value, Mapping):
            return {key: self.value(item, depth + 1) for key, item in _items(value)}
        if depth < _MAX_DEPTH and isinstance(value, list | tuple) and len(value) <= _MAX_ITEMS:
            return [self.value(item, depth + 1) for item in value]
        raise OddEntryError("bad_params")

    def text(self, text: str) -> str:
        if "@" in text and _EMAIL.search(text):
            text = _EMAIL.sub(REMOVED, text)
            self.found = True
        if self._names:
            folded = fold(text)
            if any(_stands_in(name, folded) for name in self._names):
                self.found = True
                return REMOVED
        return text


def _items(value: Mapping[Any, Any]) -> Iterable[tuple[str, Any]]:
    if len(value) > _MAX_ITEMS:
        raise OddEntryError("bad_params")
    for key, item in value.items():
        if not isinstance(key, str):
            raise OddEntryError("bad_params")
        yield clean_text(key, 100), item


def _stands_in(name: str, folded: str) -> bool:
    """Whether a folded text holds the name as words of its own."""
    return name in folded and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) is not None


def identity_of(type_name: str, identity: str | Iterable[object] | None) -> str | None:
    """The hash of an event's natural identity: what makes a second telling of it the same event."""
    if identity is None:
        return None
    parts = [identity] if isinstance(identity, str) else [str(part) for part in identity]
    return hashlib.sha256(json.dumps([type_name, *parts]).encode()).hexdigest()


def group_of(
    kind: EventType,
    *,
    params: Mapping[str, Any],
    texts: Mapping[str, str],
    order_id: str | None,
    subject: Subject,
) -> str | None:
    """What all entries about the same problem share; None for an entry that stands alone."""
    if kind.same is None or (ORDER in kind.same and order_id is None):
        return None
    parts: list[Any] = []
    for name in kind.same:
        if name == ORDER:
            parts.append(order_id)
        elif name in kind.texts:
            parts.append(_fingerprint(texts.get(name, ""), subject))
        else:
            parts.append(plain(params.get(name)))
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
    return f"{kind.name}:{digest}"


def _fingerprint(text: str, subject: Subject) -> str:
    """A text without what differs from case to case: numbers, ids, addresses, the person's name, signs."""
    text = fold(_EMAIL.sub(" ", text))[:1024]
    for name in subject.names():
        text = text.replace(name, " ")
    return _SPACES.sub(" ", _NUMBERED.sub(" ", text)).strip()


def search_words(kind: EventType, params: Mapping[str, Any], order_number: str | None) -> str:
    """What search finds an entry by, apart from its person and its texts: no personal data."""
    said = {name: show(how, params[name]) for name, how in kind.params.items() if name in params}
    blank = {"person": " ", "order": order_number or "", **dict.fromkeys(kind.texts, " ")}
    rest = [
        plain(value)
        for name, value in params.items()
        if name not in kind.sentence.slots and not name.startswith("_") and isinstance(value, str | int)
    ]
    parts = [kind.sentence.fill(said | blank), kind.label, kind.name, order_number or "", *rest]
    pieces = dict.fromkeys(" ".join(parts).split())
    return mark_words(" ".join(pieces))[:_MAX_WORDS]
