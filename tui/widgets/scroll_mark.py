"""A scroll bar that says when it shows only a part: ``≈`` at the end where the list goes on."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender


class MarkedBar(ScrollBarRender):
    """Draws the bar with a mark at those ``ends`` (top, bottom) beyond which there is more."""

    ends: ClassVar[tuple[bool, bool]] = (False, False)

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = Color.parse("default"),  # noqa: B008 - the signature of the base class
        bar_color: Color = Color.parse("default"),  # noqa: B008
    ) -> Segments:
        """Draw the bar, then the marks over its ends, keeping what a click there does."""
        bar = super().render_bar(
            size, virtual_size, window_size, position, thickness, vertical, back_color, bar_color
        )
        segments = list(bar.segments)
        if vertical and len(segments) > 2:
            for at, wanted in zip((0, -1), cls.ends, strict=True):
                if wanted:
                    segments[at] = _marked(segments[at])
        return Segments(segments, new_lines=vertical)


def _marked(segment: Segment) -> Segment:
    return Segment("≈", segment.style or Style(), segment.control)


@lru_cache(maxsize=4)
def marked_bar(ends: tuple[bool, bool]) -> type[MarkedBar]:
    """The renderer that marks these ends (top, bottom)."""
    return type("MarkedBar", (MarkedBar,), {"ends": ends})
