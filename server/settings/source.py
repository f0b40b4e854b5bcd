"""What goes with a store before its settings can be read: the keys of the secrets, and what the environment says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from server.kit.config import ConfigError, ServerConfig
from server.kit.crypto import SecretBox, ring_of
from server.kit.db import Store
from server.kit.setting_source import Override
from server.settings.registry import REGISTRY

_LONGEST_FILE: Final = 65_536


def attach(store: Store, config: ServerConfig) -> None:
    """Give a store its keys, unless it has some, the environment's settings, and where its files stand.

    Raises:
        ConfigError: a key or a setting of the environment is no use; one sentence that names the variable.
    """
    source = store.setting_source
    source.overrides = overrides(config.variables)
    source.data_dir = config.data_dir
    if source.box.ring.is_empty:
        source.box = SecretBox(ring_of(config))
    source.forget()


def overrides(variables: Mapping[str, str]) -> dict[str, Override]:
    """The settings that the environment gives, by name.

    Raises:
        ConfigError: one does not fit.
    """
    found = {}
    for known in REGISTRY.values():
        variable, text = known.variable, variables.get(known.variable)
        if text is None and known.secret and (path := variables.get(f"{known.variable}_FILE")):
            variable, text = f"{known.variable}_FILE", _text_of(f"{known.variable}_FILE", Path(path))
        if text is None:
            continue
        try:
            known.read(text)
        except ValueError as error:
            raise ConfigError(f"{variable} {error}.") from None
        found[known.name] = Override(variable, text)
    return found


def _text_of(variable: str, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LONGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"{variable} names {path}, which cannot be read: {why}.") from None
