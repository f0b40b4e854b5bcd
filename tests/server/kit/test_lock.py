"""One server per data file, also when the one before was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.kit.lock import AlreadyRunningError, sole_server

HOLD = """
import sys
from pathlib import Path
from server.kit.lock import sole_server
with sole_server(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_server_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with sole_server(tmp_path), pytest.raises(AlreadyRunningError, match="running"), sole_server(tmp_path):
        pass
    with sole_server(tmp_path):
        pass


def test_a_killed_server_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunningError), sole_server(tmp_path):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        with sole_server(tmp_path):
            pass


def test_the_lock_file_is_private(tmp_path: Path) -> None:
    with sole_server(tmp_path):
        assert (tmp_path / "server.lock").stat().st_mode & 0o777 == 0o600
