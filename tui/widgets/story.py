"""A page to read in a list's manner: an order with its timeline, an entry with its facts.

Lines of different heights, laid out once for a width, drawn as they are seen. The cursor stands on the id of a
block, so that it stays on its entry when others arrive, change or leave.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.message import Message
from textual.strip import Strip

from tui import keys
from tui.widgets.cells import wrap
from tui.widgets.format import UNICODE, Glyphs
from tui.widgets.lines import LEAST_CELLS, Lines, Part, cut_matches, search_pattern

if TYPE_CHECKING:
    from tui.widgets.blocks import Block, Laid

__all__ = ["Story"]

KEPT_STRIPS = 1000
GUTTER = 2
"""Cells left of the text: the cursor's bar and a space."""
AIR = 2
"""Cells right of the text: a space and the scroll bar."""


class Story(Lines):
    """A page of blocks. It posts :class:`Highlighted`; :attr:`selected` is the id under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("story")]

    class Highlighted(Message):
        """The cursor stands on another block, or on none (``block_id`` is None)."""

        def __init__(self, story: Story, block_id: str | None) -> None:
            super().__init__()
            self.story = story
            self.block_id = block_id

        @property
        def control(self) -> Story:
            """The story."""
            return self.story

        def can_replace(self, message: Message) -> bool:
            """Only the last of several moves matters."""
            return isinstance(message, Story.Highlighted) and message.story is self.story

    def __init__(
        self,
        *,
        empty: str = "Nothing here.",
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self._sentence: tuple[str, str, str] = (empty, "", "muted")
        self._blocks: tuple[Block, ...] = ()
        self._laid: list[Laid] = []
        self._starts: list[int] = [0]
        self._laid_for = -1
        self._selected: str | None = None
        self._match: re.Pattern[str] | None = None
        self._strips: LRUCache[object, Strip] = LRUCache(KEPT_STRIPS)

    # What is shown.

    @property
    def selected(self) -> str | None:
        """The id of the block under the cursor."""
        return self._selected

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is shown now."""
        return self._blocks

    def show(self, blocks: Sequence[Block], *, top: bool = False) -> None:
        """Show these blocks. The reader keeps the place, unless ``top`` says that this is another story."""
        if top:
            self._blocks, self._selected = tuple(blocks), None
            self._lay_out()
            if self.is_attached:
                self.scroll_to(y=0, animate=False)
            return
        if tuple(blocks) == self._blocks:
            return
        anchor, line = self._anchor()
        same = self._laid_for == self.size.width and len(self._laid) == len(self._blocks)
        before = dict(zip(self._blocks, self._laid, strict=True)) if same else {}
        self._blocks = tuple(blocks)
        self._reselect()
        self._lay_out(before)
        if anchor is not None and (at := self._index(anchor)) is not None:
            self.scroll_to(y=max(self._starts[at] - line, 0), animate=False)

    def set_sentence(
        self, kind: Literal["empty", "loading", "problem"], sentence: str, hint: str = ""
    ) -> None:
        """Say this as long as there is nothing to show."""
        self._sentence = (sentence, hint, "error" if kind == "problem" else "muted")
        if not self._blocks:
            self.refresh_changed()

    def highlight(self, words: str) -> None:
        """Mark these words wherever they stand; an empty text marks nothing."""
        self._match = search_pattern(words)
        self._strips.clear()
        self.refresh_changed()

    def select(self, block_id: str) -> bool:
        """Put the cursor on a block; False when there is none with that id."""
        at = self._index(block_id)
        if at is None:
            return False
        self._select_at(at)
        return True

    # Layout.

    def _lay_out(self, known: dict[Block, Laid] | None = None) -> None:
        if not self.is_attached or not self.size.width:
            self._laid_for, self._laid = -1, [[] for _ in self._blocks]
            self._starts = [0] * (len(self._blocks) + 1)
            return
        self._laid_for = self.size.width
        cells = max(self.size.width - GUTTER - AIR, LEAST_CELLS)
        known = known or {}
        self._laid = [known.get(block) or block.lay(cells, self.glyphs) for block in self._blocks]
        self._starts = [0, *accumulate(len(laid) for laid in self._laid)]
        self._strips.clear()
        self.set_height(self._starts[-1])
        self.refresh_changed()

    def on_mount(self) -> None:
        """Lay out what was given before there was a width."""
        self._lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out for another width; the first line that is seen stays the first."""
        if self.size.width == self._laid_for:
            return
        anchor, line = self._anchor()
        self._lay_out()
        if anchor is not None and (at := self._index(anchor)) is not None:
            self.scroll_to(y=max(self._starts[at] - line, 0), animate=False)

    def notify_style_update(self) -> None:
        """Forget strips in other colours."""
        super().notify_style_update()
        self._strips.clear()

    def _anchor(self) -> tuple[str | None, int]:
        """A block that is seen and must stay where it is: (its id, its line on the screen)."""
        top, height = self.scroll_offset.y, self.size.height
        if top == 0 or len(self._starts) != len(self._blocks) + 1:
            return None, 0
        seen = [at for at in self._selectable() if top <= self._starts[at] < top + height]
        chosen = next((at for at in seen if self._blocks[at].id == self._selected), seen[0] if seen else None)
        return (None, 0) if chosen is None else (self._blocks[chosen].id, self._starts[chosen] - top)

    def _index(self, block_id: str | None) -> int | None:
        if block_id is None:
            return None
        return next((at for at, block in enumerate(self._blocks) if block.id == block_id), None)

    def _selectable(self) -> list[int]:
        return [at for at, block in enumerate(self._blocks) if block.id is not None]

    def _reselect(self) -> None:
        """When the selected block left, nothing is selected; the reader's next move starts from what is seen."""
        if self._selected is not None and self._index(self._selected) is None:
            self._selected = None
            self.post_message(self.Highlighted(self, None))

    # Drawing.

    def draw_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        if self._laid_for < 0:
            self._lay_out()  # another width waits for the resize event, which keeps the place
        line = self.scroll_offset.y + y
        if not self._blocks:
            return self._sentence_line(line)
        if line >= self._starts[-1]:
            return self.line([])
        at = bisect_right(self._starts, line) - 1
        block = self._blocks[at]
        chosen = block.id is not None and block.id == self._selected
        key = (line, chosen, self.has_focus, self.size.width, self.theme_serial)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(self._laid[at][line - self._starts[at]], chosen=chosen)
        return strip

    def _draw(self, laid: list[Part], *, chosen: bool) -> Strip:
        mark: Part = (f"{self.glyphs.cursor if chosen else ' '} ", "accent" if chosen else "")
        parts = [part for text, style in laid for part in cut_matches(text, style, self._match)]
        return self.line([mark, *parts], cursor=chosen)

    def _sentence_line(self, line: int) -> Strip:
        sentence, hint, style = self._sentence
        room = max(self.size.width - GUTTER - AIR, 1)
        said: list[Part] = [(text, style) for text in wrap(sentence, room)]
        said += [(text, "muted") for text in (wrap(hint, room) if hint else [])]
        at = line - max((self.size.height - len(said)) // 3, 0)
        return self.line([(" " * GUTTER, ""), said[at]] if 0 <= at < len(said) else [])

    # Moving.

    def _select_at(self, at: int) -> None:
        """Select a block and bring it into view; a view that is left moves half a page."""
        before, self._selected = self._index(self._selected), self._blocks[at].id
        start, end = self._starts[at], self._starts[at + 1]
        top, height = self.scroll_offset.y, self.size.height
        if start < top or end > top + height:
            wanted = start if end - start >= height else min(start, max(start - height // 2, end - height))
            self.scroll_to(y=min(max(wanted, 0), self.max_scroll_y), animate=False)
        for changed in {at, before} - {None}:
            self._refresh_block(changed)
        self.place_cursor(start - self.scroll_offset.y)
        self.post_message(self.Highlighted(self, self._selected))

    def _refresh_block(self, at: int | None) -> None:
        if at is None or at + 1 >= len(self._starts):
            return
        top = self.scroll_offset.y
        for line in range(max(self._starts[at], top), min(self._starts[at + 1], top + self.size.height)):
            self.refresh_y(line - top)

    def _move(self, step: Literal[1, -1]) -> None:
        """To the next block that can be selected; by one line where none is near."""
        top, height = self.scroll_offset.y, self.size.height
        found = self._selectable()
        current = self._index(self._selected)
        if current is None:
            seen = [at for at in found if top <= self._starts[at] < top + height]
            if seen:
                self._select_at(seen[0] if step > 0 else seen[-1])
                return
            ahead = None
        else:
            ahead = next((at for at in found[::step] if (at - current) * step > 0), None)
        near = ahead is not None and top - height < self._starts[ahead] < top + 2 * height
        if ahead is not None and near and not self._tall(current, step):
            self._select_at(ahead)
        else:
            self._scroll_by(step)

    def _tall(self, at: int | None, step: int) -> bool:
        """Whether the selected block goes on beyond the view in the direction of reading."""
        if at is None:
            return False
        top, height = self.scroll_offset.y, self.size.height
        if step > 0:
            return top <= self._starts[at + 1] - 1 and self._starts[at + 1] > top + height
        return self._starts[at] < top < self._starts[at + 1]

    def _scroll_by(self, lines: int) -> None:
        self.scroll_to(y=min(max(self.scroll_offset.y + lines, 0), self.max_scroll_y), animate=False)

    # Actions: the table of keys says which keys run them.

    def action_cursor_down(self) -> None:
        """Move to the next entry, or a line down."""
        self._move(1)

    def action_cursor_up(self) -> None:
        """Move to the previous entry, or a line up."""
        self._move(-1)

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self._scroll_by(max(self.size.height // 2, 1))

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self._scroll_by(-max(self.size.height // 2, 1))

    def action_page_down(self) -> None:
        """A page down; one line stays in sight."""
        self._scroll_by(max(self.size.height - 1, 1))

    def action_page_up(self) -> None:
        """A page up; one line stays in sight."""
        self._scroll_by(-max(self.size.height - 1, 1))

    def action_top(self) -> None:
        """To the beginning."""
        if found := self._selectable():
            self._select_at(found[0])
        self.scroll_to(y=0, animate=False)

    def action_bottom(self) -> None:
        """To the end."""
        if found := self._selectable():
            self._select_at(found[-1])
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def action_next_match(self) -> None:
        """To the next line that shows what was searched for."""
        self._find(1)

    def action_previous_match(self) -> None:
        """To the previous line that shows what was searched for."""
        self._find(-1)

    def _find(self, step: Literal[1, -1]) -> None:
        if self._match is None or not self._blocks:
            return
        here = self._index(self._selected)
        start = bisect_right(self._starts, self.scroll_offset.y) - 1 if here is None else here
        for at in range(start + step, len(self._blocks) if step > 0 else -1, step):
            text = "\n".join("".join(part for part, _style in line) for line in self._laid[at])
            if self._match.search(text):
                if self._blocks[at].id is not None:
                    self._select_at(at)
                else:
                    self.scroll_to(y=min(self._starts[at], self.max_scroll_y), animate=False)
                return

    def on_click(self, event: events.Click) -> None:
        """Select the entry under the mouse."""
        at = bisect_right(self._starts, self.scroll_offset.y + event.y) - 1
        if 0 <= at < len(self._blocks) and self._blocks[at].id is not None:
            self._select_at(at)
