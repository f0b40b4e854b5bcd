"""Short ways to say what a setting is, by the kind of its value."""

from __future__ import annotations

from collections.abc import Callable

from server.contract.settings import SettingKind
from server.settings import kinds
from server.settings.setting import Setting


def text(
    name: str,
    label: str,
    words: str,
    read: Callable[[str], str],
    default: str = "",
    *,
    kind: SettingKind = "text",
    group: str | None = None,
    like: str | None = None,
) -> Setting[str]:
    """A setting whose value is a text that ``read`` accepts."""
    return Setting(name, group or name.partition(".")[0], kind, label, words, read, default, like=like)


def choice(
    name: str, label: str, words: str, choices: tuple[str, ...], default: str, also: tuple[str, ...] = ()
) -> Setting[str]:
    """A setting whose value is one of ``choices``, or one that is only understood (``also``)."""
    return Setting(
        name,
        name.partition(".")[0],
        "choice",
        label,
        words,
        kinds.one_of(*choices, *also),
        default,
        choices=choices,
    )


def switch(name: str, label: str, words: str, *, default: bool) -> Setting[bool]:
    """A setting that is on or off."""
    return Setting(name, name.partition(".")[0], "switch", label, words, kinds.switch, default)


def number(
    name: str, label: str, words: str, limits: tuple[int, int, int], unit: str, group: str | None = None
) -> Setting[int]:
    """A number between the first and the last of ``limits``; the one between them holds by itself."""
    low, default, high = limits
    return Setting(
        name,
        group or name.partition(".")[0],
        "number",
        label,
        words,
        kinds.number(low, high, "a port" if unit == "" else f"a number of {unit}"),
        default,
        unit=unit or None,
    )


def secret(name: str, label: str, words: str, read: Callable[[str], str] = kinds.token) -> Setting[str]:
    """A setting that is sealed and never shown."""
    return Setting(name, name.partition(".")[0], "secret", label, words, read)
