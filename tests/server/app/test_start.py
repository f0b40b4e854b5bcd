"""What a server loads before it answers: the start and the memory of an idle server are made of imports."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from server import cli
from server.app import running
from server.kit.db import open_store
from server.kit.migrate import migrate

ROOT = Path(__file__).parents[3]
LATER = (
    "alembic",
    "cryptography",
    "email.headerregistry",
    "httpx",
    "jinja2",
    "psycopg",
    "pydantic.v1",
    "pygments",
    "rich",
    "smtplib",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
)
"""Only for what a server may never do: asking a provider, showing a page, sending a mail, opening a secret, migrating.
Nor does a shop whose store is a file need what speaks to PostgreSQL."""

STARTED = """
import os, signal, socket, sys, threading
from server import cli
from server.app import running

serve = running.run

def served(app, opened, ready):
    def ask():
        with socket.create_connection(opened.getsockname()) as line:
            line.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
            print(line.makefile().readline().strip(), *sys.modules, sep="\\n")
        os.kill(os.getpid(), signal.SIGTERM)

    serve(app, opened, ready=threading.Thread(target=ask).start)

running.run = served
sys.exit(cli.main(["serve", "--data", sys.argv[1], "--port", "0"]))
"""
"""Serves until it answered once; prints the answer's first line and every module that is loaded by then."""


def test_a_server_loads_only_what_it_needs_to_answer(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shop = open_store(None, data)
    try:
        migrate(shop)  # a server that has to migrate loads all that migrates
    finally:
        shop.close()
    done = subprocess.run(
        [sys.executable, "-c", STARTED, str(data)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    answered, *loaded = done.stdout.splitlines()
    assert answered == "HTTP/1.1 200 OK"
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert sorted(set(LATER) & set(loaded)) == []


def test_garbage_is_collected_again_once_everything_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collecting: list[bool] = []
    monkeypatch.setattr(running, "serve", lambda *_args, **_given: collecting.append(gc.isenabled()))
    assert cli.main(["serve", "--data", str(tmp_path / "data")]) == 0
    assert collecting == [True]
