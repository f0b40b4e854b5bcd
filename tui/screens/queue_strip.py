"""The queues as one line: how many jobs run and wait in each, and which of them somebody paused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from server.contract.jobs import Queue
from tui.widgets.bar import Bar, Part, size
from tui.widgets.cells import clip, plain, width
from tui.widgets.format import UNICODE, Glyphs, badge


class QueueStrip(Bar):
    """All queues; the one that the pause key is for stands out. A click on one presses ``queue:`` and its name."""

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self.glyphs = glyphs
        self._queues: tuple[Queue, ...] = ()
        self._chosen: str | None = None

    def queues(self, queues: Iterable[Queue], chosen: str | None) -> None:
        """Show these queues, one of them chosen."""
        self._queues, self._chosen = tuple(queues), chosen
        self._fit()

    def on_resize(self) -> None:
        """Choose the longest wording that fits."""
        self._fit()

    def _fit(self) -> None:
        if self.size.width:
            self.show(fit_queues(self._queues, self._chosen, self.size.width, self.glyphs))


def fit_queues(
    queues: Sequence[Queue], chosen: str | None, cells: int, glyphs: Glyphs = UNICODE
) -> list[Part]:
    """The line in the longest wording that fits: who paused gives way first, then the words, then the ends of names."""
    parts: list[Part] = []
    for words, by, name in ((True, 24, 24), (False, 24, 24), (False, 10, 16), (False, 0, 16), (False, 0, 6)):
        parts = [Part(" ")]
        for queue in queues:
            parts += _queue(queue, chosen == queue.name, glyphs, words=words, by=by, name=name)
        if size(parts) <= cells:
            break
    return parts


def _queue(queue: Queue, chosen: bool, glyphs: Glyphs, *, words: bool, by: int, name: int) -> list[Part]:
    command = f"queue:{queue.name}"
    label = clip(plain(queue.label), name, glyphs.ellipsis)
    busy = f" {queue.running}/{queue.limit}"
    if queue.waiting:
        busy += f", {queue.waiting:,} waiting" if words else f" +{badge(queue.waiting)}"
    parts = [Part(label, "current" if chosen else "text", command)]
    if queue.paused_at is None:
        parts.append(Part(busy, "info" if queue.running else "muted", command))
    else:
        who = plain(queue.paused_by or "")
        if width(who) > by:
            who = clip(who.split("@", 1)[0], by, glyphs.ellipsis)
        parts += [
            Part(" PAUSED", "warning", command),
            Part((f" by {who}" if who else "") + busy, "muted", command),
        ]
    return [*parts, Part("   " if words else "  ")]
