"""One line made of parts that may be clicked, drawn again only when its parts changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.cells import clip, plain, width


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar.

    Attributes:
        text: what it says; strangers' words are cleaned when it is made.
        look: the component class that gives its style, without the leading ``bar--``.
        command: the id of the command that a click on it runs.
    """

    text: str
    look: str = "text"
    command: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", plain(self.text))


def size(parts: Sequence[Part]) -> int:
    """How many cells the parts take side by side."""
    return sum(width(part.text) for part in parts)


class Bar(Widget):
    """One line: parts from the left, parts at the right end, a gap between.

    Where both do not fit, ``left_first`` says which of them gives way.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bar--text",
        "bar--muted",
        "bar--strong",
        "bar--current",
        "bar--key",
        "bar--success",
        "bar--info",
        "bar--warning",
        "bar--error",
        "bar--practice",
    }

    DEFAULT_CSS = """
    Bar {
        height: 1;
        background: $background;
        color: $foreground;
        & > .bar--muted { color: $text-muted; }
        & > .bar--strong { text-style: bold; }
        & > .bar--current { text-style: bold; color: $primary; }
        & > .bar--key { text-style: bold; color: $accent; }
        & > .bar--success { color: $success; }
        & > .bar--info { color: $primary; }
        & > .bar--warning { color: $warning; text-style: bold; }
        & > .bar--error { color: $error; text-style: bold; }
        & > .bar--practice { color: $warning; text-style: bold; }
        &:ansi {
            background: ansi_default;
            color: ansi_default;
            & > .bar--muted { color: ansi_default; text-style: dim; }
            & > .bar--current { color: ansi_default; text-style: bold underline; }
            & > .bar--key { color: ansi_default; text-style: bold; }
            & > .bar--practice { text-style: bold reverse; }
        }
        &:nocolor {
            & > .bar--current { text-style: bold underline; }
            & > .bar--practice { text-style: bold reverse; }
        }
    }
    """

    @dataclass
    class Pressed(Message):
        """A part that stands for a command was clicked."""

        command: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.left_first = False
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()
        self._spans: list[tuple[int, int, str]] = []

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; nothing is drawn when they are the ones already shown."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    @property
    def words(self) -> str:
        """The text as it stands (for tests and for reading aloud)."""
        left = "".join(part.text for part in self._left)
        right = "".join(part.text for part in self._right)
        return f"{left}  {right}".strip() if right else left.rstrip()

    def render_line(self, y: int) -> Strip:
        """Draw the line; the end that must give way is cut, or left out when it stands at the right."""
        room = self.size.width
        base = self.rich_style
        if y or room <= 0:
            return Strip.blank(room, base)
        self._spans = []
        taken = size(self._left) if self.left_first else 0
        right = self._right if size(self._right) + taken < room else ()
        segments, at = self._draw(self._left, 0, room - size(right) - bool(right))
        gap = room - at - size(right)
        segments.append(Segment(" " * max(gap, 0), base))
        segments.extend(self._draw(right, at + gap, room)[0])
        return Strip(segments, room).adjust_cell_length(room, base)

    def _draw(self, parts: Sequence[Part], at: int, end: int) -> tuple[list[Segment], int]:
        segments: list[Segment] = []
        for part in parts:
            text = clip(part.text, end - at)
            if not text:
                continue
            start, at = at, at + width(text)
            segments.append(Segment(text, self.style_of(part.look)))
            if part.command is not None:
                self._spans.append((start, at, part.command))
        return segments, at

    def style_of(self, look: str) -> Style:
        """The style of a look in the theme in force."""
        return self.get_component_rich_style(f"bar--{look}")

    def on_click(self, event: events.Click) -> None:
        """Run the command of the part under the mouse."""
        for start, end, command in self._spans:
            if start <= event.x < end:
                self.post_message(self.Pressed(command))
                return
