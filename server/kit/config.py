"""How the server is set up. The only reader of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?", re.ASCII)


class ConfigError(Exception):
    """The set-up cannot work; the message is one sentence for the person who starts the server."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What a server process was told. Secrets stay out of its ``repr``.

    Args:
        data_dir: where the data file, the setup code and the locks stand; 0700.
        database_url: PostgreSQL instead of the file; may hold a password.
        allowed_hosts: names that the Host header may hold besides those of the loopback.
        variables: every variable of the environment that begins with ``SHOPBELL_``, by name: any setting may be given
            there (``server.settings.source``).
        secret_key: the key of the secrets at rest (``kit.crypto``).
        secret_key_file: a file that holds it.
        credentials_dir: where systemd puts the credentials of this service.
    """

    data_dir: Path
    database_url: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    secret_key: str | None = field(default=None, repr=False)
    secret_key_file: Path | None = None
    credentials_dir: Path | None = None

    @property
    def is_file(self) -> bool:
        """Whether the shop's data stands in one SQLite file in ``data_dir``."""
        return self.database_url is None


def load_config(data_dir: Path | None = None, environ: Mapping[str, str] | None = None) -> ServerConfig:
    """Read the environment; what the command line says about the data directory goes first.

    ``SHOPBELL_DATA``, ``SHOPBELL_DATABASE_URL``, ``SHOPBELL_ALLOWED_HOSTS`` (comma separated names,
    ``shop.example.com`` or ``shop.example.com:8443``), ``SHOPBELL_SECRET_KEY_FILE``, ``SHOPBELL_SECRET_KEY``, systemd's
    ``CREDENTIALS_DIRECTORY``, and a variable for each setting.

    Raises:
        ConfigError: a value that cannot be meant.
    """
    values = os.environ if environ is None else environ
    given = data_dir or (Path(values["SHOPBELL_DATA"]) if values.get("SHOPBELL_DATA") else None)
    return ServerConfig(
        data_dir=(given or default_data_dir()).expanduser().absolute(),
        database_url=values.get("SHOPBELL_DATABASE_URL") or None,
        allowed_hosts=tuple(_host(name) for name in _listed(values.get("SHOPBELL_ALLOWED_HOSTS"))),
        variables={name: text for name, text in values.items() if name.startswith("SHOPBELL_") and text},
        secret_key=values.get("SHOPBELL_SECRET_KEY") or None,
        secret_key_file=_path(values.get("SHOPBELL_SECRET_KEY_FILE")),
        credentials_dir=_path(values.get("CREDENTIALS_DIRECTORY")),
    )


def default_data_dir() -> Path:
    """The user's data directory on this system."""
    from platformdirs import user_data_path  # noqa: PLC0415 - only where nobody named a directory

    return user_data_path("shopbell", appauthor=False)


def make_data_dir(path: Path) -> None:
    """Make the data directory (0700) when it is not there, and let this process make files 0600 from now on.

    Raises:
        ConfigError: it cannot be made, or is no directory.
    """
    os.umask(0o077)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The data directory {path} cannot be made: {error.strerror}.") from None


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _host(name: str) -> str:
    if not _HOST.fullmatch(name.lower()):
        raise ConfigError(
            f"SHOPBELL_ALLOWED_HOSTS holds {name!r}, which is no host name (shop.example.com, with :port if needed)."
        )
    return name.lower()
