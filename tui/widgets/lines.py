"""The base of everything that draws itself line by line: styles by name, strips of exactly one width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.widgets.cells import width
from tui.widgets.scroll_mark import Outside, bar_renderer
from tui.widgets.theme import STYLES

Part = tuple[str, str]
"""A piece of a line: its text (already ``cells.plain``) and the name of its style, or an empty name."""

LEAST_CELLS = 8
"""Text is never laid out narrower than this; what does not fit on the screen is cut."""

_NO_STYLE = Style()


def strip_of(parts: Iterable[Part], cells: int, base: Style, styles: dict[str, Style]) -> Strip:
    """Make a strip of exactly ``cells`` from parts, in as few runs as possible; what is too much is cut.

    Fewer runs are fewer bytes on the wire: spaces join their neighbour, as they look the same in every style
    that has no background of its own.
    """
    runs: list[Part] = []
    for text, name in parts:
        if not text:
            continue
        if runs and (runs[-1][1] == name or (text.isspace() and _joins(runs[-1][1], name, styles))):
            runs[-1] = (runs[-1][0] + text, runs[-1][1])
        else:
            runs.append((text, name))
    used = sum(width(text) for text, _name in runs)
    if used < cells:
        space = " " * (cells - used)
        if runs and _joins(runs[-1][1], "", styles):
            runs[-1] = (runs[-1][0] + space, runs[-1][1])
        else:
            runs.append((space, ""))
    segments = [Segment(text, base + styles.get(name, _NO_STYLE)) for text, name in runs]
    strip = Strip(segments, max(used, cells))
    return strip if used <= cells else strip.crop(0, cells)


def _joins(left: str, right: str, styles: dict[str, Style]) -> bool:
    """Whether spaces look the same in both styles."""
    return all(
        style.bgcolor is None and not style.underline and not style.reverse
        for style in (styles.get(left, _NO_STYLE), styles.get(right, _NO_STYLE))
    )


def cut_matches(text: str, name: str, match: re.Pattern[str] | None) -> list[Part]:
    """Cut what ``match`` finds out of a text, to be drawn in the ``match`` style."""
    if match is None:
        return [(text, name)]
    parts: list[Part] = []
    end = 0
    for found in match.finditer(text):
        if found.end() > found.start():
            parts += [(text[end : found.start()], name), (found[0], "match")]
            end = found.end()
    return [*parts, (text[end:], name)]


def search_pattern(words: str) -> re.Pattern[str] | None:
    """What to look for when a person types ``words`` after ``/``: each word, whatever the letters' case."""
    found = [re.escape(word) for word in words.split()][:20]
    return re.compile("|".join(sorted(found, key=len, reverse=True)), re.IGNORECASE) if found else None


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """A scrolling widget that draws its own lines with the styles of :data:`tui.widgets.theme.STYLES`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--header", "lines--cursor", "lines--marked", *(f"lines--{name}" for name in STYLES),
    }  # fmt: skip

    DEFAULT_CSS = """
    Lines {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .lines--header { color: $text-muted; }
        & > .lines--cursor { background: $list-cursor-blurred; }
        &:focus > .lines--cursor { background: $list-cursor; text-style: bold; }
        & > .lines--marked { background: $list-marked; }
        & > .lines--muted { color: $text-muted; }
        & > .lines--strong { text-style: bold; }
        & > .lines--accent { color: $accent; }
        & > .lines--info { color: $primary; }
        & > .lines--success { color: $success; }
        & > .lines--warning { color: $warning; }
        & > .lines--error { color: $error; }
        & > .lines--match { background: $list-match; }
        & > .lines--new { color: $background; background: $accent; text-style: bold; }
        & > .lines--rule { color: $text-muted; }
        &:ansi {
            scrollbar-color: ansi_bright_black;
            scrollbar-background: ansi_default;
            & > .lines--header { color: ansi_default; text-style: dim; }
            &:focus > .lines--cursor { text-style: reverse; }
            & > .lines--cursor { text-style: bold; }
            & > .lines--marked { text-style: bold; }
            & > .lines--muted { color: ansi_default; text-style: dim; }
            & > .lines--rule { color: ansi_default; text-style: dim; }
            & > .lines--match { text-style: underline; }
            & > .lines--new { color: ansi_default; background: ansi_default; text-style: reverse; }
        }
    }
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.theme_serial = 0
        """Changes whenever the styles do: part of every cache's key."""
        self._styles: dict[str, Style] | None = None
        self._outside = Outside()
        self._drawn: dict[int, Strip] = {}

    @property
    def base_style(self) -> Style:
        """The style of plain text."""
        return self.rich_style

    @property
    def named_styles(self) -> dict[str, Style]:
        """What each style name adds to the line's own style; found once for each theme."""
        if self._styles is None:
            names = ("header", "cursor", "marked", *STYLES)
            self._styles = {name: self._overlay(name) for name in names}
        return self._styles

    @property
    def cursor_styles(self) -> dict[str, Style]:
        """The named styles on the cursor's line: where that is drawn in reverse, colours would be blocks in it."""
        styles = self.named_styles
        if not styles["cursor"].reverse:
            return styles
        return {name: styles[name] for name in ("cursor", "marked", "match")}

    def _overlay(self, name: str) -> Style:
        """What a component class says itself, its colour mixed with the widget's background."""
        partial = self.get_component_rich_style(f"lines--{name}", partial=True)
        whole = self.get_component_rich_style(f"lines--{name}")
        return partial + Style.from_color(
            whole.color if partial.color is not None else None,
            whole.bgcolor if partial.bgcolor is not None else None,
        )

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._styles = None
        self.theme_serial += 1

    def line(self, parts: Sequence[Part], *, cursor: bool = False) -> Strip:
        """A strip as wide as the widget; ``cursor`` for the line that the cursor is on."""
        base = self.base_style + self.named_styles["cursor"] if cursor else self.base_style
        return strip_of(parts, self.size.width, base, self.cursor_styles if cursor else self.named_styles)

    def render(self) -> RenderableType:
        """Not used: lines are drawn one by one."""
        return ""

    def draw_line(self, y: int) -> Strip:  # noqa: ARG002 - for those that follow
        """Draw the line ``y`` of what is seen; as wide as the widget."""
        return self.line([])

    def render_line(self, y: int) -> Strip:
        """Draw a line and remember what is on the screen now."""
        strip = self._drawn[y] = self.draw_line(y)
        return strip

    @property
    def fixed_lines(self) -> int:
        """Lines at the top that do not scroll."""
        return 0

    def refresh_changed(self) -> None:
        """Draw those lines again that would look different now, and no others.

        What is hidden, or lies under another screen, draws nothing now and everything when it is shown again.
        """
        if not (self.is_attached and self.display and self.screen.is_current and self._drawn):
            self.refresh()
            return
        for y in range(self.size.height):
            drawn = self._drawn.get(y)
            if drawn is None or self.render_line(y) != drawn:
                self.refresh_y(y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what scrolls, without the titles and the scroll bar; move the bar when its thumb visibly moves."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = self._thumb(new_value)
        if round(old_value) != round(new_value):
            width, height = self.scrollable_content_region.size
            self.refresh(Region(0, self.fixed_lines, width, max(height - self.fixed_lines, 0)))

    def _thumb(self, scroll: float) -> float:
        """The bar's position in steps of an eighth of a cell: a smaller one would paint the same bar again."""
        lines = self.virtual_size.height + self._outside.above + self._outside.below
        step = lines / max(8 * self.size.height, 1)
        return scroll if step <= 1 or scroll >= self.max_scroll_y else scroll // step * step

    def place_cursor(self, y: int) -> None:
        """Put the terminal's own (hidden) cursor on a line: screen readers and magnifiers follow it."""
        if self.has_focus and 0 <= y < self.size.height:
            self.app.cursor_position = self.content_region.offset + Offset(0, y)

    def refresh_y(self, y: int) -> None:
        """Draw one line of what is seen again, without the scroll bar beside it."""
        self.refresh(Region(0, y, self.scrollable_content_region.width, 1))

    def set_height(self, lines: int) -> None:
        """Say how many lines there are to scroll through."""
        size = Size(0, lines)  # the width is never scrolled; naming it would lay the screen out once more
        if size != self.virtual_size:
            self.virtual_size = size

    def show_outside(self, outside: Outside) -> None:
        """Count lines that are not here into the scroll bar, and mark (≈) the ends of unknown length."""
        if outside == self._outside:
            return
        self._outside = outside
        bar = self.vertical_scrollbar
        # Textual's own way to change the looks of one bar: whatever takes the place of the class draws.
        bar.renderer = bar_renderer(outside)  # type: ignore[misc, assignment]
        bar.refresh()
