"""What the footer shows for each focus."""

from __future__ import annotations

from collections.abc import Mapping

from tui.keys.command import Focus

_MOVE, _TABS = ("move.up", "move.down"), ("tab.previous", "tab.next")
_RECORDS = ("record.next", "record.previous")

FOOTERS: Mapping[Focus, tuple[tuple[str, ...], ...]] = {
    "orders": (
        _MOVE, ("open",), ("retry",), ("resolve",), ("filter",), ("attention.next",), ("undo",), ("help",),
    ),
    "order": (
        _MOVE, ("retry",), ("mail",), ("resolve",), ("back",), ("attention.next",), ("undo",), ("help",),
    ),
    "activity": (
        _MOVE, ("open",), ("retry",), ("resolve",), ("filter",), ("attention.next",), ("undo",), ("help",),
    ),
    "entry": (
        _MOVE, _RECORDS, ("retry",), ("resolve",), ("back",), ("attention.next",), ("undo",), ("help",),
    ),
    "people": (
        _MOVE, ("open",), ("person.edit",), ("person.note",), ("person.delete",), ("filter",), ("person.invite",),
        ("help",),
    ),
    "person": (
        _MOVE, _RECORDS, ("person.edit",), ("person.note",), ("person.delete",), ("history",), ("back",), ("help",),
    ),
    "deletion": (_MOVE, ("deletion.type",), ("deletion.other",), ("deletion.cancel",)),
    "confirming": (("deletion.other",), ("deletion.cancel",)),
    "receipt": (_MOVE, ("copy",), ("close",), ("refresh",), ("help",)),
    "panel": (_MOVE, ("send",), ("close",), ("refresh",), ("undo",), ("help",)),
    "explained": (_MOVE, ("close",), ("refresh",), ("undo",), ("help",)),
    "tickets": (
        _MOVE, ("open",), ("ticket.reply",), ("ticket.assign",), ("ticket.resolve",), ("filter",),
        ("ticket.new",), ("help",),
    ),
    "ticket": (
        _MOVE, _RECORDS, ("ticket.reply",), ("ticket.note",), ("ticket.assign",), ("ticket.resolve",), ("back",),
        ("help",),
    ),
    "composing": (("compose.send",), ("compose.line",), ("compose.leave",)),
    "jobs": (
        _MOVE, ("open",), ("job.retry",), ("job.withdraw",), ("queue.pause",), ("queue",), _TABS, ("help",),
    ),
    "job": (
        _MOVE, _RECORDS, ("job.retry",), ("job.withdraw",), ("queue.pause",), ("back",), ("job.order",), ("help",),
    ),
    "settings": (
        _MOVE, ("setting.edit",), ("setting.about",), ("setting.test",), ("filter",), _TABS, ("help",),
    ),
    "setting": (
        _MOVE, _RECORDS, ("setting.edit",), ("setting.test",), ("back",), ("help",),
    ),
    "audit": (_MOVE, ("open",), ("filter",), ("audit.menu",), _TABS, ("raw",), ("help",)),
    "act": (_MOVE, _RECORDS, ("audit.record",), ("raw",), ("copy",), ("back",), ("help",)),
    "editing": (("edit.save",), ("edit.leave",)),
    "choosing": (("edit.save",), ("edit.leave",), ("edit.other",)),
}  # fmt: skip
"""What the footer shows for each focus: at most eight places; a pair shares one place and one word."""

FOOTER_WORDS: Mapping[tuple[str, ...], str] = {_MOVE: "move", _TABS: "tabs", _RECORDS: "next"}
