"""The colours of the screens: shopbell's own dark and light theme, and which theme holds when.

Widgets name no colour: their style sheets use theme variables, and what they draw themselves uses the style
names of :data:`STYLES`. So every theme of Textual works, the terminal's own colours included.
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

STYLES = ("muted", "strong", "accent", "info", "success", "warning", "error", "match", "new", "rule")
"""The names that cells and marks may ask for; an unknown name is drawn like plain text."""

DARK = Theme(
    name="shopbell-dark",
    dark=True,
    primary="#7fb4ca",
    secondary="#8a9ac0",
    accent="#e6b450",
    foreground="#d6d9dc",
    background="#12151a",
    surface="#191d24",
    panel="#20252d",
    success="#8fbf7f",
    warning="#e6b450",
    error="#ef7a6d",
    variables={
        "text-muted": "#939ba4",
        "text-disabled": "#5f6770",
        "list-cursor": "#26303c",
        "list-cursor-blurred": "#1c222a",
        "list-marked": "#2a2a22",
        "list-match": "#5a4a1c",
        "scrollbar": "#323a45",
        "scrollbar-hover": "#434d5a",
        "scrollbar-active": "#566272",
        "scrollbar-background": "#12151a",
        "scrollbar-background-hover": "#12151a",
        "scrollbar-background-active": "#12151a",
        "border": "#7fb4ca",
        "border-blurred": "#2b323b",
        "input-selection-background": "#7fb4ca 35%",
        "block-cursor-background": "#26303c",
        "block-cursor-foreground": "#f2f4f6",
    },
)

LIGHT = Theme(
    name="shopbell-light",
    dark=False,
    primary="#22648a",
    secondary="#4a5a86",
    accent="#8a5a00",
    foreground="#22272d",
    background="#fbfaf7",
    surface="#f2f0eb",
    panel="#e9e6df",
    success="#2f6b2f",
    warning="#8a5a00",
    error="#b3261e",
    variables={
        "text-muted": "#5d636a",
        "text-disabled": "#9aa0a6",
        "list-cursor": "#dde7ee",
        "list-cursor-blurred": "#eeece6",
        "list-marked": "#f3ead2",
        "list-match": "#f6dc8c",
        "scrollbar": "#cfcac0",
        "scrollbar-hover": "#b8b2a6",
        "scrollbar-active": "#a09a8e",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "border": "#22648a",
        "border-blurred": "#d9d5cc",
        "input-selection-background": "#22648a 25%",
        "block-cursor-background": "#dde7ee",
        "block-cursor-foreground": "#14181c",
    },
)

THEMES = (DARK, LIGHT)
"""Themes that the app registers beside Textual's own."""

CYCLE = ("shopbell-dark", "shopbell-light", "ansi-dark", "ansi-light")
"""What the key for the next theme goes through; the others can be named in the config file."""


def choose_theme(
    wanted: str | None, *, no_color: bool, colours: int | None = None, light: bool = False
) -> str:
    """The theme to start with.

    ``wanted`` is the user's (an empty or missing one leaves the choice here). ``no_color`` (NO_COLOR is set)
    always gives a theme of the terminal's own colours, which then draws without any. ``colours`` is how many
    the terminal has, where that is known: with 16 its own palette is used. ``light`` asks for the light one.
    """
    if no_color or (not wanted and colours is not None and colours <= 16):
        light = light or bool(wanted and wanted.endswith("light"))
        return "ansi-light" if light else "ansi-dark"
    return wanted or ("shopbell-light" if light else "shopbell-dark")


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Values of shopbell's own variables for a theme that does not set them (Textual's own themes).

    The app returns this from ``get_theme_variable_defaults``.
    """
    if theme.ansi:
        own = dict.fromkeys(
            ("list-cursor", "list-cursor-blurred", "list-marked", "list-match"), "transparent"
        )
    else:
        own = _mixed(theme)
    return own


def _mixed(theme: Theme) -> dict[str, str]:
    warning = theme.warning or theme.primary
    return {
        "list-cursor": f"{theme.primary} 25%",
        "list-cursor-blurred": f"{theme.primary} 12%",
        "list-marked": f"{warning} 12%",
        "list-match": f"{warning} 35%",
    }


def known(name: str, themes: Mapping[str, Theme]) -> bool:
    """Whether a theme of that name can be chosen."""
    return name in themes
