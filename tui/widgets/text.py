"""Widgets that show text and cannot be talked into anything else.

The one module that may import Textual's ``Static``, ``Button`` and ``Input``: theirs read a plain ``str`` as
markup, and a stranger's name with a bracket in it would crash the screen or become a live link. Here a
``str`` is always shown as it stands, and what a terminal would act on is taken out first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content
from textual.widgets import Button, Input, Static

from tui.widgets.cells import DEAD

if TYPE_CHECKING:
    from textual.content import ContentText
    from textual.visual import VisualType
    from textual.widget import Widget
    from textual.widgets._button import ButtonVariant

MAX_TEXT = 65_536
"""Characters of one text that are shown; a longer one is cut and says so."""

MAX_TEXT_LINES = 2000
"""Lines of one text that are shown."""

_UNWANTED = re.compile(f"(?!\n)(?:{DEAD.pattern}|[\ud800-\udfff])")


def literal(text: VisualType) -> Content:
    """Turn a ``str`` or a ``Content`` into a ``Content`` that no terminal acts on.

    A ``str`` is taken letter by letter: brackets stay brackets. Line feeds stay, tabs become spaces. A
    ``Content`` keeps its styles; unwanted characters in it become U+FFFD, so that its spans stay in place.
    Raises TypeError for anything else: Rich renderables made from a ``str`` may hold markup.
    """
    if isinstance(text, Content):
        if not _UNWANTED.search(text.plain):
            return text
        return Content(_UNWANTED.sub("\ufffd", text.plain), spans=list(text.spans))
    if not isinstance(text, str):
        raise TypeError(f"text or Content expected, not {type(text).__name__}")
    text = text[: MAX_TEXT + 1].replace("\t", "    ")
    if len(text) > MAX_TEXT or text.count("\n") >= MAX_TEXT_LINES:
        text = "\n".join(text[:MAX_TEXT].split("\n", MAX_TEXT_LINES)[:MAX_TEXT_LINES]) + " … (cut)"
    return Content(_UNWANTED.sub("", text))


def titled(widget: Widget, title: str | Content) -> None:
    """Set a widget's border title to a text shown as it stands (first line only)."""
    widget.border_title = literal(title)


class SafeStatic(Static):
    """A text. ``content`` is a ``Content`` (own styles) or a ``str`` (shown as it stands)."""

    def __init__(
        self,
        content: str | Content = "",
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(literal(content), markup=False, name=name, id=id, classes=classes)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show another ``str`` or ``Content``. Raises TypeError for anything else."""
        super().update(literal(content), layout=layout)

    @property
    def content(self) -> VisualType:
        """The text shown now."""
        return super().content

    @content.setter
    def content(self, content: VisualType) -> None:
        self.update(content)


class Heading(SafeStatic):
    """The title of a pane or a dialogue: one bold line."""

    DEFAULT_CSS = """
    Heading {
        height: 1;
        text-style: bold;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        color: $text;
    }
    """


class Line(SafeStatic):
    """One line that is cut with an ellipsis when it does not fit."""

    DEFAULT_CSS = """
    Line {
        height: 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """


class Hint(SafeStatic):
    """A quiet sentence that says what can be done."""

    DEFAULT_CSS = """
    Hint {
        color: $text-muted;
        &:ansi { color: ansi_default; text-style: dim; }
    }
    """


class SafeButton(Button):
    """A button whose label is shown as it stands. One cell high, so that dialogues fit small screens."""

    DEFAULT_CSS = """
    SafeButton {
        min-width: 10;
        &:focus { text-style: bold reverse; }
    }
    """

    def __init__(
        self,
        label: str | Content,
        variant: ButtonVariant = "default",
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            literal(label), variant, name=name, id=id, classes=classes, disabled=disabled, compact=True
        )
        self.active_effect_duration = 0

    def validate_label(self, label: ContentText) -> Content:
        """Keep a label that is set later from being read as markup."""
        return literal(label)


class SafeInput(Input):
    """A line to type into. Its cursor stands still: a blinking one writes to the terminal for ever."""

    BINDINGS: ClassVar = []

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str | Content = "",
        password: bool = False,
        max_length: int = 0,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            _one_line(value),
            literal(placeholder).plain,
            password=password,
            max_length=max_length,
            name=name,
            id=id,
            classes=classes,
            disabled=disabled,
            compact=True,
        )
        self.set_reactive(Input.cursor_blink, False)

    def validate_value(self, value: str) -> str:
        """Keep typed or pasted text to one line without control characters."""
        return _one_line(value)


def _one_line(text: str) -> str:
    return _UNWANTED.sub("", text.replace("\n", " ").replace("\t", " "))
