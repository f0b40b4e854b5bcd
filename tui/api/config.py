"""The user's settings: the TOML file, and the one place that reads the environment.

    default_profile = "shop"

    [ui]
    theme = "shopbell-dark"      # or shopbell-light, ansi-dark, ansi-light, or another theme of Textual's
    mouse = true
    time = "clock"               # or relative, exact, utc
    ascii = false
    poll_seconds = 5

    [keys]
    resolve = "x,e"              # command ids are listed under ? in the client

    [profiles.shop]
    url = "https://shop.example"
    ca_file = "~/ca.pem"         # to trust instead of the usual authorities
    theme = "shopbell-light"

Every mistake is a `ConfigError` that names the file, the key and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tui.api.errors import ConfigError, StartError
from tui.api.paths import config_file
from tui.api.secret import Secret

TIME_FORMATS: Final = ("clock", "relative", "exact", "utc")
SHORTEST_POLL, LONGEST_POLL = 1.0, 3600.0
_LARGEST: Final = 1_048_576
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_COMMAND: Final = re.compile(r"[a-z0-9_.]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ui:
    """How the screens look and behave. An empty ``theme`` leaves the choice to the client."""

    theme: str = ""
    mouse: bool = True
    time: str = "clock"
    ascii: bool = False
    poll_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A server that has a name. ``theme`` makes it look different from the others."""

    name: str
    url: str
    ca_file: Path | None = None
    theme: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. ``path`` is the file they came from, whether it is there or not."""

    path: Path
    ui: Ui = field(default_factory=Ui)
    keys: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    default_profile: str | None = None

    def profile(self, name: str) -> Profile:
        """The profile of that name. Raises ConfigError when there is none."""
        if name in self.profiles:
            return self.profiles[name]
        there = ", ".join(sorted(self.profiles)) or "none at all"
        raise ConfigError(self.path, f"profiles.{name}", f"there is no such profile; there are: {there}.")

    def with_ui(self, **changes: Any) -> Config:
        """The same settings with other ones of ``ui``."""
        return replace(self, ui=replace(self.ui, **changes))


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says to the client."""

    config: Path | None = None
    data: Path | None = None
    url: str | None = None
    token: Secret | None = None
    token_file: Path | None = None
    no_color: bool = False


def read_environment(environ: MutableMapping[str, str]) -> Environment:
    """Read the client's variables. The token is taken out, so that no child process inherits it.

    Raises:
        ConfigError: ``SHOPBELL_TOKEN`` is no token.
    """

    def path(name: str) -> Path | None:
        return Path(environ[name]).expanduser() if environ.get(name) else None

    token = environ.pop("SHOPBELL_TOKEN", "").strip()
    try:
        secret = Secret(token) if token else None
    except ValueError as error:
        raise ConfigError("SHOPBELL_TOKEN", "", f"{error}.") from None
    return Environment(
        config=path("SHOPBELL_CONFIG"),
        data=path("SHOPBELL_DATA"),
        url=environ.get("SHOPBELL_URL") or None,
        token=secret,
        token_file=path("SHOPBELL_TOKEN_FILE"),
        no_color=bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb",
    )


def load(named: Path | None = None) -> Config:
    """Read the config file: the one ``named`` by SHOPBELL_CONFIG, which must be there, or the user's own.

    Raises:
        ConfigError: it cannot be read, or something in it cannot be so.
    """
    path = named or config_file()
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        if named is None:
            return Config(path)
        raise ConfigError(path, "", "SHOPBELL_CONFIG names this file, and it is not there.") from None
    except OSError as error:
        raise ConfigError(path, "", f"cannot be read: {error.strerror}.") from None
    if len(content) > _LARGEST:
        raise ConfigError(path, "", "is larger than 1 MiB.")
    return _Reader(path).config(_parse(path, content))


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - many have no config file

    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise ConfigError(path, "", "is not UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(path, "", f"is not TOML: {error}.") from None


class _Reader:
    """Turns a parsed file into settings, and names what cannot be so."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def config(self, tree: dict[str, Any]) -> Config:
        self._known(tree, "", ("default_profile", "keys", "profiles", "ui"))
        profiles = {
            name: self._profile(name, self._table(tree["profiles"], name, "profiles."))
            for name in self._table(tree, "profiles")
        }
        default = self._text(tree, "default_profile")
        if default and default not in profiles:
            raise self._wrong(
                "default_profile", f"must be one of: {', '.join(sorted(profiles)) or 'none yet'}"
            )
        keys = self._table(tree, "keys")
        for command in keys:
            if not _COMMAND.fullmatch(command):
                raise self._wrong(f"keys.{command}", "is no command's id; they look like move.top")
        return Config(
            path=self._path,
            ui=self._ui(self._table(tree, "ui")),
            keys={command: self._text(keys, command, "keys.", empty=False) for command in keys},
            profiles=profiles,
            default_profile=default or None,
        )

    def _ui(self, ui: dict[str, Any]) -> Ui:
        self._known(ui, "ui.", ("ascii", "mouse", "poll_seconds", "theme", "time"))
        plain = Ui()
        time = self._text(ui, "time", "ui.") or plain.time
        if time not in TIME_FORMATS:
            raise self._wrong("ui.time", f"must be one of: {', '.join(TIME_FORMATS)}")
        seconds = ui.get("poll_seconds", plain.poll_seconds)
        if type(seconds) not in (int, float) or not SHORTEST_POLL <= seconds <= LONGEST_POLL:
            raise self._wrong("ui.poll_seconds", "must be a number from 1 to 3600")
        return Ui(
            theme=self._text(ui, "theme", "ui."),
            mouse=self._yes_or_no(ui, "mouse", default=plain.mouse),
            time=time,
            ascii=self._yes_or_no(ui, "ascii", default=plain.ascii),
            poll_seconds=float(seconds),
        )

    def _profile(self, name: str, profile: dict[str, Any]) -> Profile:
        from tui.api.endpoint import normal_url  # noqa: PLC0415 - few have profiles

        where = f"profiles.{name}."
        if not _NAME.fullmatch(name):
            raise self._wrong(where[:-1], "a profile's name has 1 to 40 letters, digits, - and _")
        self._known(profile, where, ("ca_file", "theme", "url"))
        try:
            url = normal_url(self._text(profile, "url", where, empty=False))
        except StartError as error:
            raise self._wrong(f"{where}url", error.sentence.rstrip(".")) from None
        ca_file = self._text(profile, "ca_file", where)
        return Profile(
            name=name,
            url=url,
            ca_file=(self._path.parent / Path(ca_file).expanduser()) if ca_file else None,
            theme=self._text(profile, "theme", where),
        )

    def _known(self, table: dict[str, Any], where: str, allowed: tuple[str, ...]) -> None:
        for key in table:
            if key not in allowed:
                raise self._wrong(f"{where}{key}", f"is not known; there are: {', '.join(allowed)}")

    def _table(self, tree: dict[str, Any], key: str, where: str = "") -> dict[str, Any]:
        value = tree.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(f"{where}{key}", f"must be a table: [{where}{key}]")
        return value

    def _text(self, table: dict[str, Any], key: str, where: str = "", *, empty: bool = True) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or (not empty and not value.strip()):
            raise self._wrong(f"{where}{key}", 'must be text in quotes, as in key = "text"')
        return value.strip()

    def _yes_or_no(self, table: dict[str, Any], key: str, *, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(f"ui.{key}", "must be true or false")
        return value

    def _wrong(self, key: str, what: str) -> ConfigError:
        return ConfigError(self._path, key, f"{what}.")
