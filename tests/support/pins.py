"""What tests pin about the machine, so that they see the same world everywhere."""

from __future__ import annotations

import importlib
import re
import sys
import time
from collections.abc import MutableMapping
from pathlib import Path

from tests.support.chromium import PICTURES, VARIABLE
from tests.support.postgres import URL_VARIABLE

# Whatever changes colours, sizes, languages, connections or the product's own settings; not what the snapshot
# plug-in hands from one test process to the others.
LOOSE = re.compile(
    r"SHOPBELL_.*|TEXTUAL(?!_SNAPSHOT_).*|PG[A-Z]+|XDG_.*|LC_.*|LANGUAGE|[A-Z]+_PROXY|[a-z]+_proxy"
    r"|NO_COLOR|FORCE_COLOR|CLICOLOR.*|COLORTERM|TERM_PROGRAM.*|TMUX.*|STY|SSH_.*|COLUMNS|LINES|ESCDELAY"
    r"|NOTIFY_SOCKET|LISTEN_.*|CREDENTIALS_DIRECTORY|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|PYTHONWARNINGS"
)
FIXED = {
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TERM": "xterm-256color",
    "TEXTUAL_ANIMATIONS": "none",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
}


def pin_environment(environ: MutableMapping[str, str]) -> None:
    """Take what is loose out of an environment and put what is fixed in, for this process and its children.

    A PostgreSQL that was given for the tests stays, with libpq's own settings for it; so do the browser's program and
    where to put its pictures.
    """
    given = {name: environ[name] for name in environ if name == URL_VARIABLE}
    if given:
        given |= {name: environ[name] for name in environ if re.fullmatch(r"PG[A-Z]+", name)}
    given |= {name: environ[name] for name in (VARIABLE, PICTURES) if name in environ}
    for name in [name for name in environ if LOOSE.fullmatch(name)]:
        del environ[name]
    environ.update(FIXED)
    environ.update(given)
    time.tzset()
    # Textual reads its settings once, and the snapshot plug-in imports it before any conftest is read.
    if constants := sys.modules.get("textual.constants"):
        importlib.reload(constants)


def pin_home(environ: MutableMapping[str, str], home: Path) -> None:
    """Point every per-user directory into `home`, which is made with its runtime directory (both 0700).

    Keep the path short: sockets are made in the runtime directory, and a socket's path may have 103 bytes.
    """
    home.mkdir(mode=0o700)
    environ["HOME"] = str(home)
    for name, folder in {
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
        "XDG_CACHE_HOME": "cache",
        "XDG_RUNTIME_DIR": "run",
    }.items():
        environ[name] = str(home / folder)
    (home / "run").mkdir(mode=0o700)
