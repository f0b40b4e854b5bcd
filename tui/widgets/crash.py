"""Reports of failures: where in our own code and of which type, never what was in a variable or a message."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import textual

if TYPE_CHECKING:
    from rich.traceback import Trace

    from tui.api.clock import Clock

OWN = ("tui", "server")
"""Packages whose line numbers a report may name."""

SENTENCE = "shopbell stopped because of an error in itself."
_ROOT = Path(__file__).resolve().parents[2]
_LONGEST = 50
MOST_REPORTS = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """What may be told of an error: the types in its chain, and places in our own code, outermost first."""

    types: tuple[str, ...]
    places: tuple[str, ...]

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Take types and places from an error and what caused it."""
        types: list[str] = []
        places: list[str] = []
        for each in _chain(error):
            types.append(f"{type(each).__module__}.{type(each).__qualname__}")
            places.extend(_places(each.__traceback__))
        return cls(tuple(types[:_LONGEST]), tuple(places[:_LONGEST]))

    @classmethod
    def of_trace(cls, trace: Trace) -> Failure:
        """Take them from a Rich trace (what a thread of Textual hands over)."""
        places = [
            place
            for stack in trace.stacks
            for frame in stack.frames
            if (place := _place(frame.filename, frame.lineno, frame.name)) is not None
        ]
        return cls(tuple(stack.exc_type for stack in trace.stacks), tuple(places[:_LONGEST]))

    @classmethod
    def unknown(cls) -> Failure:
        """A failure of which nothing is known."""
        return cls(("unknown",), ())

    @property
    def sentence(self) -> str:
        """What a person is told when there is no report."""
        return f"{SENTENCE} Its kind: {self.types[0] if self.types else 'unknown'}."

    @property
    def text(self) -> str:
        """The report."""
        lines = [
            SENTENCE,
            f"python {platform.python_version()}, textual {textual.__version__}, {platform.system()}",
            "types: " + " <- ".join(self.types),
            "places in shopbell:",
            *(f"  {place}" for place in self.places or ("none",)),
        ]
        return "\n".join(lines) + "\n"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what a worker wrapped, and what caused it, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < _LONGEST:
        seen.add(id(current))
        yield current
        wrapped = getattr(current, "error", None)
        cause = current.__cause__ or current.__context__
        current = wrapped if isinstance(wrapped, BaseException) else cause


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = _place(code.co_filename, traceback.tb_lineno, code.co_name)
        if place is not None:
            yield place
        traceback = traceback.tb_next


def _place(filename: str, line: int, name: str) -> str | None:
    """``tui/app.py:12 in on_mount`` for our own code, else None. No path of the machine is told."""
    with contextlib.suppress(ValueError, OSError):
        inside = Path(filename).resolve().relative_to(_ROOT)
        if inside.parts and inside.parts[0] in OWN:
            return f"{inside.as_posix()}:{line} in {name}"
    return None


class CrashReports:
    """Writes reports into a directory (0700) as files that only their owner reads (0600)."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._written = 0

    def write(self, failure: Failure) -> str:
        """Write a report; the sentence that tells the person where it is. Never raises.

        A program that fails again and again writes :data:`MOST_REPORTS` and then no more.
        """
        if self._written >= MOST_REPORTS:
            return failure.sentence
        stem = f"crash-{self._clock.now():%Y%m%dT%H%M%S}Z-{os.getpid()}"
        path = self._directory / f"{stem}-{self._written + 1}.txt"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(failure.text)
        except OSError:
            return failure.sentence
        self._written += 1
        return f"{SENTENCE} A report without any of your data: {path}"


def report_failures(reports: CrashReports, say: Callable[[str], object]) -> None:
    """Take over what Python prints when a thread or the main program fails: one sentence, given to ``say``.

    Python's own words hold the error's message, and a message may hold anything.
    """

    def failed(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
        say("Interrupted." if isinstance(error, KeyboardInterrupt) else reports.write(Failure.of(error)))

    def thread_failed(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            reports.write(Failure.of(arguments.exc_value))

    sys.excepthook = failed
    threading.excepthook = thread_failed
