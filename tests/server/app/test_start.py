"""What a server loads before it answers: the start and the memory of an idle server are made of imports."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from server import cli
from server.app import running

ROOT = Path(__file__).parents[3]
LATER = ("alembic", "cryptography", "httpx", "jinja2", "psycopg", "pygments", "rich", "sqlalchemy.orm")
"""Only for what a server may never do: asking a provider, showing a page, opening a secret, migrating."""


def test_a_server_loads_only_what_it_needs_to_answer() -> None:
    code = f"import sys, server.app.running; print([name for name in {LATER!r} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert loaded.strip() == "[]"


def test_garbage_is_collected_again_once_everything_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collecting: list[bool] = []
    monkeypatch.setattr(running, "serve", lambda *_args, **_given: collecting.append(gc.isenabled()))
    assert cli.main(["serve", "--data", str(tmp_path / "data")]) == 0
    assert collecting == [True]
