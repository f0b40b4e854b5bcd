"""The server's log: one JSON object a line on stderr.

A line holds a fixed sentence and fields of ours. Of an exception it tells the type and where in our own code it
passed, never its message and never a variable: both may hold a secret or somebody's data.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from server.kit.clock import Clock, SystemClock, rfc3339

_OURS = f"{Path(__file__).parents[1]}/"
_PLACES = 8
_LONGEST = 256


class JsonFormatter(logging.Formatter):
    """Writes records as JSON lines. Fields come from ``extra={"fields": {...}}``."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self._clock = clock or SystemClock()

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": rfc3339(self._clock.now()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg)
            if record.name.startswith("shopbell")
            else record.getMessage()[:_LONGEST],
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update({key: _field(value) for key, value in fields.items() if key not in line})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = places(record.exc_info[2])
        return json.dumps(line)


def places(trace: TracebackType | None) -> list[str]:
    """Where in our own code an exception passed, innermost last: ``server/orders/service.py:120 create``."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(_OURS):
            found.append(f"server/{code.co_filename[len(_OURS) :]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-_PLACES:]


def start_logging(stream: IO[str] | None = None, clock: Clock | None = None) -> None:
    """Send every logger of this process to one handler; the libraries' only from warnings up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(clock))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("shopbell").setLevel(logging.INFO)
    logging.raiseExceptions = False


def _field(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_LONGEST]
