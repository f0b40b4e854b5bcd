"""Prepared SQLite files to make quick copies of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path


class SqliteTemplates:
    """Files on which a preparation ran once, kept in a directory for the length of a test run."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, Path] = {}

    def copy(self, key: str, prepare: Callable[[str], None], target: Path) -> None:
        """Put a copy of the prepared file at `target` (0600); `prepare` gets the URL, once for each key."""
        if key not in self._files:
            template = self._directory / f"{len(self._files)}.db"
            prepare(f"sqlite:///{template}")
            log = template.with_name(template.name + "-wal")
            if log.exists() and log.stat().st_size:
                raise AssertionError(f"{key} left its database open: part of it is still in {log.name}")
            self._files[key] = template
        shutil.copyfile(self._files[key], target)
        target.chmod(0o600)
