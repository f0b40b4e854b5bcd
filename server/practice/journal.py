"""What the local providers and the mail server remember: a line for each thing that they were asked and took.

All else follows from it and the seed, so it is all that a practice shop needs to go on tomorrow.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

FILE: Final = "practice-providers.jsonl"
Line = dict[str, Any]


class Journal:
    """A file of lines, readable by its owner alone. A line that a kill cut off is left out.

    Args:
        data: the practice shop's data directory.
    """

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._lock = threading.Lock()
        self._file: int | None = None

    def read(self) -> list[Line]:
        """All lines, oldest first."""
        try:
            texts = self._path.read_text().splitlines()
        except FileNotFoundError:
            return []
        lines = []
        for text in texts:
            with contextlib.suppress(ValueError):
                line = json.loads(text)
                if isinstance(line, dict):
                    lines.append(line)
        return lines

    def begin(self, lines: Iterable[Line]) -> None:
        """Start over with these lines."""
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = handle
        for line in lines:
            self.add(line)
        fresh.replace(self._path)

    def add(self, line: Line) -> None:
        """Remember something. Does nothing once it is closed."""
        with self._lock:
            if self._file is not None:
                os.write(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Remember no more."""
        with self._lock:
            handle, self._file = self._file, None
            if handle is not None:
                os.close(handle)
