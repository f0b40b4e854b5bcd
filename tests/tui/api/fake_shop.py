"""A stand-in for ``shopbelld`` and the practice shop that starts at once and does as a file tells it.

``fake_shop.py MODULE ARGUMENTS…``. The file ``behave.json`` beside the data directory says ``init`` and ``create`` (ok,
exists, fail), ``serve`` (ok, fail, silent) and ``words`` (what a failure says on stderr). The files ``calls``, ``pids``
and ``valid`` (tokens that are taken) stand there too.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from pathlib import Path


def option(name: str) -> Path:
    return Path(sys.argv[sys.argv.index(name) + 1])


def main() -> int:
    data = option("--data")
    told = data.with_name("behave.json")
    behave = json.loads(told.read_text()) if told.exists() else {}
    with data.with_name("calls").open("a") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    if "serve" in sys.argv or "server.practice" in sys.argv:
        return serve(data, behave)
    return make(data, "init" if "init" in sys.argv else "create", behave)


def make(data: Path, what: str, behave: dict[str, str]) -> int:
    if behave.get(what) in {"exists", "fail"}:
        sys.stderr.write(behave.get("words", "shopbelld: There is an Owner already.") + "\n")
        return 1
    token = f"sbl_pat_{what}0000_{os.getpid()}"
    with data.with_name("valid").open("a") as valid:
        valid.write(token + "\n")
    sys.stdout.write(token + "\n")
    return 0


def serve(data: Path, behave: dict[str, str]) -> int:
    if behave.get("serve") == "fail":
        sys.stderr.write('{"event": "starting"}\n' + behave["words"] + "\n" + '{"event": "ending"}\n')
        return 3
    with data.with_name("pids").open("a") as pids:
        pids.write(f"{os.getpid()}\n")
    if behave.get("serve") == "silent":
        threading.Event().wait()
    path = option("--uds")
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
        opened.bind(str(path))
        opened.listen()
        if sys.argv[1] == "server.practice":
            make(data, "practice", {})
            token = data.with_name("valid").read_text().split()[-1]
            sys.stdout.write(
                "some noise\n" + json.dumps({"token": token, "uds": str(path)}) + "\nmore noise\n"
            )
            sys.stdout.flush()
        while True:
            line, _ = opened.accept()
            with line:
                asked = line.recv(4096).decode()
                valid = data.with_name("valid")
                known = valid.read_text().split() if valid.exists() else []
                status = 200 if any(f"Bearer {token}\r\n" in asked for token in known) else 401
                line.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())


if __name__ == "__main__":
    sys.exit(main())
