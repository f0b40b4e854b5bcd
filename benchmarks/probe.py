"""How a terminal program feels: when it shows something, how soon it answers a key, and how many bytes that takes.

Everything the program writes is kept with the time at which it was read; a terminal is emulated afterwards, so
the emulation's slowness is not charged to the program.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyte

_ANSWERS = (
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?(\d+)\$p"), b""),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
)
_QUIET = 0.15


@dataclass(frozen=True)
class Press:
    """One key press: milliseconds to the first byte of the answer, and how many bytes it had in all."""

    milliseconds: float
    bytes: int


class Probe:
    """A program in a pseudo-terminal, with every byte and its time."""

    def __init__(self, command: list[str], env: dict[str, str], size: tuple[int, int] = (80, 24)) -> None:
        self._size = size
        self.chunks: list[tuple[float, bytes]] = []
        self._begin = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child becomes the program
            os.execvpe(command[0], command, env)  # noqa: S606 - the command is ours
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return b""
        self.chunks.append((time.perf_counter(), data))
        for pattern, answer in _ANSWERS:
            if answer and pattern.search(data):
                os.write(self._fd, answer)
        return data

    def listen(self, seconds: float) -> int:
        """Read for so long; how many bytes came."""
        end = time.perf_counter() + seconds
        count = 0
        while (left := end - time.perf_counter()) > 0:
            count += len(self._read(left))
        return count

    def until_quiet(self, most: float = 10.0) -> None:
        """Read until nothing has come for a moment."""
        end = time.perf_counter() + most
        while time.perf_counter() < end and self._read(_QUIET):
            pass

    def shown_after(self, wanted: str | None, most: float = 15.0) -> float:
        """Milliseconds from the start until the text (or, with None, anything) was on the screen.

        Raises:
            TimeoutError: it never came.
        """
        looked = 0
        screen = pyte.Screen(*self._size)
        stream = pyte.ByteStream(screen)
        end = time.perf_counter() + most
        while time.perf_counter() < end:
            self._read(0.05)
            while looked < len(self.chunks):
                at, data = self.chunks[looked]
                looked += 1
                stream.feed(_plain(data))
                text = "\n".join(screen.display)
                if (wanted is None and text.strip()) or (wanted is not None and wanted in text):
                    return (at - self._begin) * 1e3
        raise TimeoutError(f"{wanted!r} never came on the screen:\n" + "\n".join(screen.display))

    def press(self, key: bytes) -> Press:
        """Press a key and wait until the program is quiet again."""
        first = len(self.chunks)
        pressed = time.perf_counter()
        os.write(self._fd, key)
        end = pressed + 2
        while time.perf_counter() < end and len(self.chunks) == first:
            self._read(0.5)
        while self._read(0.03):
            pass
        news = self.chunks[first:]
        if not news:
            return Press(float("nan"), 0)
        return Press((news[0][0] - pressed) * 1e3, sum(len(data) for _, data in news))

    def rss_mib(self) -> float:
        """Resident memory of the program, without its children."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def close(self) -> None:
        """End the program that this probe started."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            self.listen(0.5)
            if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self._fd)


def _plain(data: bytes) -> bytes:
    """Without what pyte does not know and would print: kitty keyboard and private mode questions."""
    return re.sub(rb"\x1b\[[<>=?][0-9;]*[a-zA-Z]?u|\x1b\[\?[0-9;]*\$p|\x1b\[>[0-9;]*[a-z]", b"", data)
