"""Asks the system's keyring, in a process of its own: it may hang, print, or open a window on another screen.

Run by its path: it stands alone and imports nothing of shopbell. One JSON object comes on standard input (``do``:
get, set or delete; ``service``, ``name``, and for set ``secret``), one goes out on standard output (``status``:
ok, missing, none, locked, lost or failed; ``backend``; for get ``secret``).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

KNOWN = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
)
"""Keyrings that keep a secret and say so when they cannot. Others keep it in plain text, or nowhere."""


def best(named: str | None) -> Any:
    """The best known backend that works here; only the one that PYTHON_KEYRING_BACKEND names, if it does."""
    found = []
    for place in KNOWN:
        if named and named != place:
            continue
        module, _, name = place.rpartition(".")
        try:
            backend = getattr(importlib.import_module(module), name)
            if backend.viable:
                found.append((float(backend.priority), place, backend))
        except Exception:  # noqa: BLE001, S112 - a backend that cannot even be looked at is none
            continue
    return max(found, key=lambda each: each[:2])[2]() if found else None


def answer(asked: dict[str, Any], backend: Any) -> dict[str, Any]:
    """Do what is asked with a backend."""
    if backend is None:
        return {"status": "none"}
    service, name = asked["service"], asked["name"]
    said: dict[str, Any] = {"status": "ok", "backend": type(backend).__module__.rpartition(".")[2]}
    if asked["do"] == "get":
        secret = backend.get_password(service, name)
        return said | ({"secret": secret} if secret else {"status": "missing"})
    if asked["do"] == "set":
        backend.set_password(service, name, asked["secret"])
        kept = backend.get_password(service, name) == asked["secret"]
        return said | ({} if kept else {"status": "lost"})
    if backend.get_password(service, name) is None:
        return said | {"status": "missing"}
    backend.delete_password(service, name)
    return said


def main() -> None:
    """Answer one question."""
    asked = json.loads(sys.stdin.read())
    try:
        said = answer(asked, best(os.environ.get("PYTHON_KEYRING_BACKEND")))
    except Exception as error:  # noqa: BLE001 - whatever a backend raises: only its kind is told
        kind = type(error).__name__
        said = {"status": "locked" if kind in {"KeyringLocked", "LockedException"} else "failed"}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
