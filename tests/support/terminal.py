"""A pseudo-terminal for end-to-end tests: start a program, press keys, see what a person would see.

    with Terminal([sys.executable, "-m", "tui.cli", "demo"], size=(80, 24)) as terminal:
        terminal.wait_for("Orders")
        terminal.press("j", "enter")
        terminal.wait_for(re.compile(r"SS-\\d{6}-"))
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert foreign_sequences(terminal.raw) == []

A thread reads all the time, keeps every byte, answers what a program asks its terminal and draws on an
emulated screen. Waiting is for a condition with a deadline; nothing pauses for a fixed time. A screen inside
a synchronised update is not looked at before the update is complete, as on a real terminal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

import pyte

from tests.support.sequences import Token, Tokenizer

T = TypeVar("T")

PATIENCE = 20.0  # seconds that a wait lasts at most unless it says otherwise

CELL = (8, 16)  # pixels
READ_BYTES = 1 << 16
ALTERNATE_SCREEN = 1049
SYNCHRONISED = 2026
ON_AT_FIRST = frozenset({7, 25})  # line wrap and the cursor

# The child becomes the owner of its terminal, so that it hears of a new size and of its end.
OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""

KEYS = {
    "enter": "\r", "escape": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "backspace": "\x7f",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "insert": "\x1b[2~", "delete": "\x1b[3~", "pageup": "\x1b[5~", "pagedown": "\x1b[6~",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~",
    "f7": "\x1b[18~", "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "f11": "\x1b[23~", "f12": "\x1b[24~",
}  # fmt: skip

_MODE_CHANGE = re.compile(r"\?([0-9;]+)([hl])")
_MODE_QUESTION = re.compile(r"\?([0-9]+)\$p")
_DRAWN_CSI = re.compile(r"[0-9;]*[@ABCDEFGHJKLMPSTXZ`abdefgmrsu]")
_DRAWN_ESCAPES = frozenset("78DEHM")
_DRAWN_CONTROLS = frozenset("\b\t\n\v\f\r")
_DRAWN_MODES = frozenset({7, 25})
KNOWN_MODES = frozenset({7, 25, 1000, 1002, 1003, 1004, 1006, 1015, 1049, 2004, 2026})


def key_bytes(key: str) -> bytes:
    """What a terminal sends for a key: a name of `KEYS`, ``ctrl+x``, ``alt+x``, else the text itself."""
    if key in KEYS:
        return KEYS[key].encode()
    if re.fullmatch(r"ctrl\+[a-z@\[\]\\^_]", key):
        return bytes([ord(key[-1].upper()) & 0x1F])
    if key.startswith("alt+") and len(key) > len("alt+"):
        return b"\x1b" + key_bytes(key.removeprefix("alt+"))
    return key.encode()


class Terminal:
    """A program in a pseudo-terminal. Use it in a ``with`` block, which ends the program in any case.

    `size` is (columns, rows). `environ` is laid over the pinned environment of the test. With `answers` off
    the terminal stays silent, as a very old one would.
    """

    end_seconds = 5.0
    """How long a program may take to end when asked, before it is killed."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        size: tuple[int, int] = (80, 24),
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        answers: bool = True,
    ) -> None:
        self._raw = bytearray()
        self.modes = set(ON_AT_FIRST)
        self._answers = answers
        self._changed = threading.Condition()
        self._ended = False
        self._broken: BaseException | None = None
        self._tokens = Tokenizer()
        self._screens = (pyte.Screen(*size), pyte.Screen(*size))
        self._streams = tuple(pyte.Stream(screen) for screen in self._screens)
        self._master, slave = os.openpty()
        self._wake_reader, self._wake = os.pipe()
        try:
            self._set_size(size)
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", OWN_TERMINAL, *map(str, command)],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                cwd=directory,
                env={**os.environ, **(environ or {})},
            )
        finally:
            os.close(slave)
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- seeing

    @property
    def raw(self) -> bytes:
        """Every byte that the program has written so far."""
        with self._changed:
            return bytes(self._raw)

    @property
    def text(self) -> str:
        """The screen as text, one line per row, without blanks at the end of a line."""
        with self._changed:
            return self._text()

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, counted from 0."""
        with self._changed:
            screen = self._screens[self._active]
            return screen.cursor.x, screen.cursor.y

    def cell(self, column: int, row: int) -> pyte.screens.Char:
        """One cell with its character, colours and attributes, counted from 0."""
        with self._changed:
            return self._screens[self._active].buffer[row][column]

    def wait_for(self, wanted: str | re.Pattern[str], *, seconds: float = PATIENCE) -> str:
        """Wait until a text or pattern is on the screen and return what it matched."""
        pattern = re.compile(re.escape(wanted)) if isinstance(wanted, str) else wanted
        seen = self._wait(lambda: pattern.search(self._text()), f"{pattern.pattern!r} to appear", seconds)
        assert seen is not None
        return seen[0]

    def wait_gone(self, unwanted: str | re.Pattern[str], *, seconds: float = PATIENCE) -> None:
        """Wait until a text or pattern is no longer on the screen."""
        pattern = re.compile(re.escape(unwanted)) if isinstance(unwanted, str) else unwanted
        self._wait(lambda: not pattern.search(self._text()), f"{pattern.pattern!r} to go", seconds)

    def wait_until(self, holds: Callable[[str], bool], what: str, *, seconds: float = PATIENCE) -> None:
        """Wait until the screen's text satisfies a condition; `what` names it for the failure's message."""
        self._wait(lambda: holds(self._text()), what, seconds)

    def wait_exit(self, *, seconds: float = PATIENCE) -> int:
        """Wait for the program's end and return its exit status (negative: the signal that ended it)."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"waited {seconds:g} s for the end; the screen:\n{self.text}") from None
        with self._changed:
            while not self._ended and select.select([self._master], [], [], 0)[0]:
                self._changed.wait(self.end_seconds)  # what the program wrote last is still being read
        return status

    @property
    def modes_left_on(self) -> set[int]:
        """Private modes that differ from those of a fresh terminal; a tidy program leaves none."""
        with self._changed:
            return self.modes ^ ON_AT_FIRST

    # -- doing

    def press(self, *keys: str) -> None:
        """Press keys one after the other (see `key_bytes`); a plain text is typed as it stands.

        Keys that must keep their order need a wait for the effect in between: Textual may take a letter
        before a bound key (an arrow, Backspace) that came in the same burst, and tells a lone Escape from the
        beginning of a sequence by the silence after it.
        """
        for key in keys:
            self.send(key_bytes(key))

    def paste(self, text: str) -> None:
        """Paste a text as a terminal does that was asked to mark pastes."""
        self.send(f"\x1b[200~{text}\x1b[201~".encode())

    def click(self, column: int, row: int) -> None:
        """Press and release the left mouse button on a cell, counted from 0."""
        place = f"\x1b[<0;{column + 1};{row + 1}"
        self.send(f"{place}M{place}m".encode())

    def send(self, data: bytes) -> None:
        """Write bytes to the program's input."""
        while data:
            data = data[os.write(self._master, data) :]

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, of which the program hears by a signal."""
        with self._changed:
            for screen in self._screens:
                screen.resize(rows, columns)
            self._set_size((columns, rows))

    def close(self) -> None:
        """End the program and whatever it started in its session, and free the terminal."""
        if self.process.poll() is None:
            for final in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, final)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(self.end_seconds)
                    break
        os.write(self._wake, b"x")
        self._reader.join()
        for descriptor in (self._master, self._wake, self._wake_reader):
            os.close(descriptor)

    # -- the terminal's side; all of it with the lock held

    @property
    def _active(self) -> int:
        return int(ALTERNATE_SCREEN in self.modes)

    def _text(self) -> str:
        screen = self._screens[self._active]
        return "\n".join(
            # A wide character's second cell is empty, also after the first was overwritten alone, over which
            # pyte's own `display` stumbles.
            "".join(screen.buffer[row][column].data for column in range(screen.columns)).rstrip()
            for row in range(screen.lines)
        )

    def _wait(self, look: Callable[[], T], what: str, seconds: float) -> T:
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                if SYNCHRONISED not in self.modes and (seen := look()):
                    return seen
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the program ended before" if self._ended else f"waited {seconds:g} s for"
                    raise AssertionError(f"{why} {what}; the screen:\n{self._text()}") from self._broken
                self._changed.wait(left)

    def _read(self) -> None:
        try:
            while True:
                ready, _, _ = select.select([self._master, self._wake_reader], [], [])
                if self._wake_reader in ready:
                    return
                with self._changed:
                    try:
                        data = os.read(self._master, READ_BYTES)
                    except OSError:  # on Linux, when the last program has closed its side
                        data = b""
                    if not data:
                        return
                    self._raw += data
                    for token in self._tokens.feed(data):
                        self._take(token)
                    self._changed.notify_all()
        except Exception as error:
            self._broken = error
            raise
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take(self, token: Token) -> None:
        """Draw a token, switch a mode or answer a question."""
        drawn = (
            token.kind == "text"
            or (token.kind == "c0" and token.raw in _DRAWN_CONTROLS)
            or (token.kind == "escape" and token.body in _DRAWN_ESCAPES)
            or (token.kind == "csi" and _DRAWN_CSI.fullmatch(token.body))
        )
        if drawn:
            self._streams[self._active].feed(token.raw)
        elif change := _MODE_CHANGE.fullmatch(token.body):
            self._switch({int(number) for number in change[1].split(";") if number}, on=change[2] == "h")
        elif self._answers and (answer := self._answer(token)):
            self.send(answer.encode())

    def _switch(self, modes: set[int], *, on: bool) -> None:
        if on and ALTERNATE_SCREEN in modes - self.modes:
            self._screens[1].reset()
        self.modes = self.modes | modes if on else self.modes - modes
        for mode in modes & _DRAWN_MODES:
            for stream in self._streams:
                stream.feed(f"\x1b[?{mode}{'h' if on else 'l'}")

    def _answer(self, token: Token) -> str | None:
        screen = self._screens[self._active]
        if question := _MODE_QUESTION.fullmatch(token.body):
            mode = int(question[1])
            state = 0 if mode not in KNOWN_MODES else 1 if mode in self.modes else 2
            return f"\x1b[?{mode};{state}$y"
        return {
            "5n": "\x1b[0n",
            "6n": f"\x1b[{screen.cursor.y + 1};{screen.cursor.x + 1}R",
            "c": "\x1b[?62;22c",
            "0c": "\x1b[?62;22c",
            ">c": "\x1b[>1;10;0c",
            ">0c": "\x1b[>1;10;0c",
            "?u": "\x1b[?0u",
            "14t": f"\x1b[4;{screen.lines * CELL[1]};{screen.columns * CELL[0]}t",
            "16t": f"\x1b[6;{CELL[1]};{CELL[0]}t",
            "18t": f"\x1b[8;{screen.lines};{screen.columns}t",
            "10;?": "\x1b]10;rgb:e0e0/e0e0/e0e0\x1b\\",
            "11;?": "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
        }.get(token.body)

    def _set_size(self, size: tuple[int, int]) -> None:
        columns, rows = size
        packed = struct.pack("HHHH", rows, columns, columns * CELL[0], rows * CELL[1])
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, packed)
