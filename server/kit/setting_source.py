"""What goes with a store for the sake of its settings: the keys of its secrets, and what the environment says.

The room of settings fills it and reads it; the store only carries it to every transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.kit.crypto import SecretBox


@dataclass(frozen=True, slots=True)
class Override:
    """A setting that the environment gives.

    Args:
        variable: which variable says it.
        text: what it says; fits the setting.
    """

    variable: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """The settings as they were stored when their counter stood at ``counter``.

    Args:
        counter: of the topic ``settings``.
        rows: the rows of the table, by name.
        values: what was made of them so far; filled as they are asked for. Never a secret.
    """

    counter: int
    rows: Mapping[str, Any] = field(repr=False)
    values: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class SettingSource:
    """The settings' own part of a store.

    Args:
        box: seals and opens secrets; without a key until ``settings.source.attach``.
        overrides: by setting.
        data_dir: where the shop's own files stand; None until ``settings.source.attach``.
        kept: what was last read; asked again when the counter moved.
        generation: moves when this process changes a setting, so that nobody keeps what was read just before.
        fresh_until: by the monotonic clock: until then ``kept`` may be used without asking (`at_hand`).
    """

    box: SecretBox = field(default_factory=SecretBox, repr=False)
    overrides: Mapping[str, Override] = field(default_factory=dict, repr=False)
    data_dir: Path | None = None
    kept: Kept | None = field(default=None, repr=False)
    generation: int = 0
    fresh_until: float = 0.0

    def forget(self) -> None:
        """Ask the store again, because a setting changed."""
        self.kept = None
        self.fresh_until = 0.0
        self.generation += 1
