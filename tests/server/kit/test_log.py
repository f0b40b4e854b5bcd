"""The log tells what happened and never what somebody said."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from server.kit.clock import FrozenClock
from server.kit.ids import random_text
from server.kit.log import start_logging


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    stream = io.StringIO()
    start_logging(stream, FrozenClock("2026-02-23T10:00:00Z"))
    yield stream
    root.handlers[:], logging.raiseExceptions = before[0], before[2]
    root.setLevel(before[1])


def test_a_line_is_one_json_object(lines: io.StringIO) -> None:
    logging.getLogger("shopbell.test").info("it happened", extra={"fields": {"order": "a\nb\x1b[2J", "n": 3}})
    (line,) = lines.getvalue().splitlines()
    assert json.loads(line) == {
        "at": "2026-02-23T10:00:00.000Z",
        "level": "info",
        "logger": "shopbell.test",
        "event": "it happened",
        "order": "a\nb\x1b[2J",
        "n": 3,
    }
    assert "\x1b" not in line


def test_an_exception_is_told_by_type_and_place_only(lines: io.StringIO) -> None:
    secret = "sbl_pat_very_secret"
    try:
        random_text(1, "")  # fails inside our own code
    except IndexError:
        logging.getLogger("shopbell.test").exception("failed")
    try:
        int(secret)
    except ValueError:
        logging.getLogger("some.library").exception("failed")
    first, second = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert first["error"] == "IndexError"
    assert first["where"][-1].startswith("server/kit/ids.py:")
    assert second["error"] == "ValueError"
    assert secret not in lines.getvalue()


def test_libraries_are_quiet_below_a_warning(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("hello")
    logging.getLogger("uvicorn.error").warning("careful %s", "now")
    (line,) = lines.getvalue().splitlines()
    assert json.loads(line)["event"] == "careful now"


def test_fields_are_capped(lines: io.StringIO) -> None:
    logging.getLogger("shopbell.test").warning(
        "x", extra={"fields": {"long": "a" * 10_000, "event": "kept out"}}
    )
    told = json.loads(lines.getvalue())
    assert len(told["long"]) == 256
    assert told["event"] == "x"
