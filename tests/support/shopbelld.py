"""A real ``shopbelld`` in a process of its own, to be started, asked and killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


class Shopbelld:
    """A server on a Unix socket, with a data directory (and a database, where it is not the file in there).

    Args:
        folder: an empty directory with a short path.
        database_url: PostgreSQL; None for the file.
        environ: what else the process is told.
    """

    def __init__(self, folder: Path, database_url: str | None = None, **environ: str) -> None:
        self.data = folder / "d"
        self.data.mkdir(mode=0o700)
        self.uds = folder / "s" / "bell"
        self.log = folder / "log"
        self._environ = {**os.environ, **environ}
        if database_url is not None:
            self._environ["SHOPBELL_DATABASE_URL"] = database_url
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> str:
        """Run a command on the data to its end; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *arguments, "--data", str(self.data)],
            cwd=ROOT,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start serving and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "server.cli", "serve"),
                    *("--data", str(self.data), "--uds", str(self.uds)),
                ],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._answers, f"the server to start; it said: {self.log.read_text()[-2000:]}", seconds=30)

    def kill(self) -> None:
        """End it with -9, wherever it stands."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def client(self) -> httpx.Client:
        """A client of it; the connection breaks when it dies."""
        transport = httpx.HTTPTransport(uds=str(self.uds))
        return httpx.Client(base_url="http://localhost", transport=transport, trust_env=False, timeout=30)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        with contextlib.suppress(httpx.TransportError), self.client() as client:
            return client.get("/healthz").status_code == 200
        return False
