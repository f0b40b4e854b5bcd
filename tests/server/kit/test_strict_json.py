"""What the standard decoder lets through is refused, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.kit.problems import ProblemError
from server.kit.strict_json import MAX_DEPTH, decode

GOOD_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
GOOD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | GOOD_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(GOOD_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(GOOD, st.booleans())
def test_good_json_is_read_as_it_is(value: object, escaped: bool) -> None:
    assert decode(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=200))
@example(b"\xff")
@example(b"")
@example(b"[" * 100_000)
@example(b'{"a":' * 5_000 + b"1" + b"}" * 5_000)
def test_anything_else_is_refused_and_never_breaks(body: bytes) -> None:
    refused = None
    try:
        decode(body)
    except ProblemError as problem:
        refused = problem
    assert refused is None or (refused.status, refused.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": NaN}', "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"[-1e999]", "too large"),
        (b"[9223372036854775808]", "too large"),
        (b"[-9223372036854775809]", "too large"),
        (b"[" + b"9" * 5_000 + b"]", "too large"),
        (b'{"a": 1, "a": 2}', "key twice"),
        (b'{"x": {"a": 1, "\\u0061": 2}}', "key twice"),
        (b'["\\ud800"]', "half a character"),
        (b'["\\udc00\\ud800"]', "half a character"),
        (b'{"\\ud800": 1}', "half a character"),
        (b'["a\\u0000b"]', "NUL"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too deeply"),
        (b"[1] [2]", "malformed"),
        (b"\xef\xbb\xbf{}", "malformed"),
        (b'["\xff"]', "UTF-8"),
        (b"['a']", "malformed"),
        (b"", "malformed"),
    ],
)
def test_what_is_refused_says_why(body: bytes, why: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode(body)
    assert why in (caught.value.detail or "")


def test_the_edges_are_good() -> None:
    assert decode(b"[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert decode(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert decode(json.dumps(["[" * 100, '\\"' + "{" * 100]).encode()) == ["[" * 100, '\\"' + "{" * 100]
    assert decode(b'["\\ud83d\\ude00"]') == ["\U0001f600"]
