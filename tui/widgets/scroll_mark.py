"""A scroll bar for a list of which only a window is here: it counts what lies outside, and says what it guesses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment, Segments
from rich.style import StyleType
from textual.scrollbar import ScrollBarRender


@dataclass(frozen=True, slots=True)
class Outside:
    """Lines of the list that are not here, above and below; the marks say at which end more may follow."""

    above: int = 0
    below: int = 0
    mark_above: bool = False
    mark_below: bool = False


class MarkedBar(ScrollBarRender):
    """Draws a vertical bar over the whole list, with ``≈`` at an end beyond which the length is not known."""

    def __init__(
        self,
        virtual_size: int = 100,
        window_size: int = 0,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        style: StyleType = "bright_magenta on #555555",
        *,
        outside: Outside,
    ) -> None:
        super().__init__(
            virtual_size + outside.above + outside.below,
            window_size,
            position + outside.above,
            thickness,
            vertical,
            style,
        )
        self._outside = outside

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The bar, then the marks over its ends; a click there does what it did."""
        for bar in super().__rich_console__(console, options):
            segments = list(bar.segments) if isinstance(bar, Segments) else []
            if len(segments) > 2:
                if self._outside.mark_above:
                    segments[0] = _marked(segments[0])
                if self._outside.mark_below:
                    segments[-1] = _marked(segments[-1])
            yield Segments(segments, new_lines=True)


def _marked(segment: Segment) -> Segment:
    """The mark in the place of a blank, as plain text on the bar or cut out of the thumb."""
    return Segment("≈", segment.style, segment.control)


def bar_renderer(outside: Outside) -> partial[MarkedBar]:
    """What draws a scroll bar with this much outside of what is here."""
    return partial(MarkedBar, outside=outside)
