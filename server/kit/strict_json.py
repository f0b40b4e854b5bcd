"""The one JSON decoder for what strangers send. What the standard decoder lets through is refused here."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from server.kit.problems import ProblemError

MAX_DEPTH = 32
MAX_DIGITS = 20
_LARGEST = 2**63 - 1
_BAD_TEXT = re.compile("[\x00\ud800-\udfff]")


def _refuse(why: str) -> NoReturn:
    raise ProblemError(400, "invalid_json", f"The body is not JSON that we take: {why}.")


def _constant(name: str) -> NoReturn:
    _refuse(f"{name} is not a number")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        _refuse("a number is too large")
    value = int(text)
    if not -_LARGEST - 1 <= value <= _LARGEST:
        _refuse("a number is too large")
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        _refuse("a number is too large")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("an object has a key twice")
    return found


_DECODER = json.JSONDecoder(
    parse_constant=_constant, parse_int=_integer, parse_float=_float, object_pairs_hook=_object
)


def _check_depth(text: str) -> None:
    """Measure nesting before decoding, so that a deep body never reaches the recursive decoder."""
    depth = 0
    in_string = escaped = False
    for letter in text:
        if in_string:
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == '"':
                in_string = False
        elif letter == '"':
            in_string = True
        elif letter in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("it is nested too deeply")
        elif letter in "]}":
            depth -= 1


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        if _BAD_TEXT.search(value):
            _refuse("a text holds NUL or half a character")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def decode(body: bytes) -> Any:
    """Decode a body strictly.

    Refused: bytes that are not UTF-8, NaN and infinities, a key given twice, integers beyond 64 bits,
    nesting beyond 32, lone surrogates, NUL, anything after the value.

    Raises:
        ProblemError: 400 ``invalid_json`` with the reason in words.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("it is not UTF-8")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except ProblemError:
        raise
    except (ValueError, RecursionError):
        _refuse("it is malformed")
    if "\\u" in text or "\x00" in text:
        _check_text(value)
    return value
