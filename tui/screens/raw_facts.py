"""Stories that can be told with the raw facts: what was recorded, as it was."""

from __future__ import annotations

from typing import TypeVar

from tui.screens.desk import Desk
from tui.screens.section import Section

T = TypeVar("T")


class WithRawFacts(Section[T]):
    """A section of records that can be read raw; ``raw`` says whether they are."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.raw = False

    def action_raw(self) -> None:
        """Show or hide the raw facts; on a narrow screen, open the record with them."""
        self.repeatable = "raw"
        if self.is_open or self.wide:
            self.raw = not self.raw
            self.retell(fresh=False)
        elif self.list.cursor_id is not None:
            self.raw = True
            self.open(self.list.cursor_id)
