"""One table of all that keys can do: footer, help, palette, command line and the user's keymap come from it.

A command has a stable id (what the config file and the command line name), the keys it has unless the user
says otherwise, the action it runs, a word for the footer and a sentence for the help. A *scope* is where it
holds; ``TOGETHER`` lists the scopes that are live at once, so no key may stand twice within one of its sets.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.key_names import KeymapError, canonical, show_key

if TYPE_CHECKING:
    from textual.binding import Binding

__all__ = ["BY_ID", "COMMANDS", "Command", "Keymap", "KeymapError", "bindings", "keymap", "show_key"]

Scope = Literal["everywhere", "list", "story", "orders", "activity", "jobs", "settings", "editing", "panel"]
Focus = Literal[
    "orders",
    "order",
    "activity",
    "entry",
    "jobs",
    "job",
    "settings",
    "setting",
    "editing",
    "choosing",
    "panel",
    "explained",
]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do.

    Attributes:
        id: the stable name, used in the config file and on the command line.
        keys: the default keys; single characters stand for themselves, others are Textual's names.
        action: the action that it runs, looked for from the focused widget upwards.
        label: one or two words for the footer.
        help: one sentence for help and palette.
        group: the heading under which help lists it.
        scopes: where it holds.
        outside: it reaches the outside world (shown with ↗).
        listed: it stands in the palette; plain cursor movement does not.
        needs: the permission without which it is neither shown nor run.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    label: str
    help: str
    group: str
    scopes: tuple[Scope, ...]
    outside: bool = False
    listed: bool = True
    needs: str | None = None


_Row = tuple[str, str, str, str, str]


def _group(
    heading: str,
    scopes: tuple[Scope, ...],
    *rows: _Row,
    listed: bool = True,
    needs: str | None = None,
    outside: bool = False,
) -> Iterable[Command]:
    """Rows of (id, keys apart by blanks, action, label, help) under one heading."""
    for command_id, keys, action, label, sentence in rows:
        yield Command(
            command_id,
            tuple(keys.split()),
            action,
            label,
            sentence,
            heading,
            scopes,
            outside=outside,
            listed=listed,
            needs=needs,
        )


COMMANDS: tuple[Command, ...] = (
    *_group(
        "Moving", ("list", "story"),
        ("move.down", "down j", "cursor_down", "down", "Move down."),
        ("move.up", "up k", "cursor_up", "up", "Move up."),
        ("move.half_down", "ctrl+d", "half_page_down", "½ down", "Half a page down."),
        ("move.half_up", "ctrl+u", "half_page_up", "½ up", "Half a page up."),
        ("move.page_down", "pagedown", "page_down", "page down", "A page down."),
        ("move.page_up", "pageup", "page_up", "page up", "A page up."),
        listed=False,
    ),
    *_group(
        "Moving", ("list", "story"),
        ("move.top", "g home", "top", "top", "Go to the top, where new rows come in."),
        ("move.bottom", "G end", "bottom", "bottom", "Go to the bottom."),
        ("match.next", "n", "next_match", "next match", "Next match of the filter."),
        ("match.previous", "N", "previous_match", "previous match", "Previous match of the filter."),
    ),
    *_group(
        "Moving", ("list",),
        ("open", "enter", "open", "open", "Open what is under the cursor."),
    ),
    *_group(
        "Moving", ("orders", "activity", "jobs", "settings"),
        ("record.next", "J", "next_record", "next", "Next record; what is open stays open."),
        ("record.previous", "K", "previous_record", "previous", "Previous record."),
    ),
    *_group(
        "Everywhere", ("everywhere",),
        ("go.orders", "1", "section('orders')", "orders", "Go to Orders."),
        ("go.activity", "2", "section('activity')", "activity", "Go to Activity."),
        ("tab.next", "] >", "next_tab", "next tab", "Next tab of the section."),
        ("tab.previous", "[ <", "previous_tab", "previous tab", "Previous tab of the section."),
        ("pane.next", "tab", "next_pane", "next pane", "Next pane."),
        ("pane.previous", "shift+tab", "previous_pane", "previous pane", "Previous pane."),
        ("attention.next", "!", "next_attention", "next attention",
         "Jump to the next thing that needs attention, oldest first."),
        ("filter", "/", "filter", "filter", "Show only what matches some words."),
        ("follow", "F", "follow", "follow", "Let new rows come in at the top by themselves, on or off."),
        ("repeat", ".", "repeat", "repeat", "Repeat the last action on what is under the cursor."),
        ("view.last", "-", "last_view", "last view", "Back to the view before this one, and forth again."),
        ("time.format", "t", "time_format", "times", "Cycle how times are shown: clock, relative, exact, UTC."),
        ("refresh", "ctrl+r", "refresh_now", "refresh", "Ask the server now."),
        ("theme.next", "", "next_theme", "theme", "Next colour theme, until you leave."),
        ("help", "? f1", "help", "help", "Show every key, and search them."),
        ("close", "escape h left backspace", "close", "close",
         "Close what is open, else clear the filter, else the marks, else go back."),
        ("back", "q", "back", "back", "Go back; where there is nothing to go back to, quit."),
        ("quit", "ctrl+c", "ask_quit", "quit", "Ask, then quit."),
    ),
    *_group(
        "Everywhere", ("everywhere",), ("go.jobs", "6", "section('jobs')", "jobs", "Go to Jobs."), needs="jobs.read"
    ),
    *_group(
        "Everywhere", ("everywhere",), ("go.settings", "7", "section('settings')", "settings", "Go to Settings."),
        needs="settings.read",
    ),
    *_group(
        "Everywhere", ("everywhere",),
        ("undo", "z", "undo", "undo",
         "Undo the last resolve or reopen; take back what was asked for while it waits to leave."),
        ("redo", "Z", "redo", "redo", "Do again what was undone."),
        needs="activity.resolve",
    ),
    *_group(
        "Everywhere", ("everywhere",),
        ("palette", "ctrl+p", "palette", "find action", "Find any action by its words."),
        ("command", ":", "command_line", "command", "Type the name of a command, or an order's number."),
        listed=False,
    ),
    *_group(
        "Lists", ("list",),
        ("mark", "space", "mark", "mark", "Mark or unmark this row."),
        ("mark.range", "v", "mark_range", "range", "Mark all rows from the last mark to here."),
        ("mark.all", "*", "mark_all", "mark all", "Mark all rows that match."),
    ),
    *_group(
        "Acting", ("orders", "activity"),
        ("resolve", "x", "resolve", "resolve",
         "Resolve an entry, a folded group as far as you saw it, or all that is open on an order."),
        ("reopen", "X", "reopen", "reopen", "Open a resolved entry again."),
        needs="activity.resolve",
    ),
    *_group(
        "Acting", ("orders", "activity", "jobs", "settings"),
        ("copy", "y", "copy", "copy", "Copy the number, id or name to your terminal's clipboard."),
    ),
    *_group(
        "Acting", ("orders", "activity", "jobs"),
        ("raw", "d", "raw", "raw facts", "Show or hide the raw facts."),
    ),
    *_group(
        "Acting", ("orders", "activity"),
        ("copy.link", "Y", "copy_link", "copy link", "Copy the link: an order's tracking page."),
    ),
    *_group(
        "Acting", ("orders", "activity"),
        ("retry", "R", "retry", "retry", "Submit the order, or sync products, again: explained first, then sent."),
        ("ask", "U", "ask_provider", "ask provider", "Ask the provider now how far the order is."),
        needs="orders.submit", outside=True,
    ),
    *_group(
        "Acting", ("orders", "activity"),
        ("mail", "M", "mail", "mail", "Send a mail about the order to its customer: you choose which."),
        needs="mail.send", outside=True,
    ),
    *_group(
        "Acting", ("everywhere",),
        ("sync.products", "", "sync_products", "sync products", "Read the products of each connected provider now."),
        needs="syncs.run", outside=True,
    ),
    *_group(
        "Acting", ("panel",),
        ("send", "enter", "send", "send", "Send what is explained."),
        listed=False,
    ),
    *_group(
        "Orders", ("orders",),
        ("sort", "s", "sort", "sort", "Cycle how orders are sorted: newest, oldest, highest total, attention first."),
    ),
    *_group(
        "Activity", ("activity",),
        ("unfold", "u", "unfold", "unfold", "Unfold a group of repeated entries, or fold it again."),
        ("menu", "f", "menu", "categories", "Choose which categories to show."),
        ("level", "L", "level", "level", "Cycle the level: all, errors, warnings, information."),
        ("internal", "i", "internal", "internal", "Show the program's own events too, until you leave."),
    ),
    *_group(
        "Jobs", ("jobs",),
        ("queue", "f", "choose_queue", "queues", "Choose which queue to show."),
        ("job.order", "o", "open_order", "its order", "Open the order that the job is about."),
    ),
    *_group(
        "Jobs", ("jobs",),
        ("job.withdraw", "w", "withdraw", "withdraw", "Take back a job that waits: nothing of it leaves."),
        needs="jobs.manage",
    ),
    *_group(
        "Jobs", ("jobs",),
        ("job.retry", "R", "retry_job", "retry", "Try a job again; its attempts are shown first."),
        needs="jobs.manage", outside=True,
    ),
    *_group(
        "Jobs", ("jobs",),
        ("queue.pause", "P", "pause_queue", "pause", "Pause the queue, or let it go on."),
        needs="queues.manage", outside=True,
    ),
    *_group(
        "Settings", ("settings",),
        ("setting.about", "d", "about", "about", "What the setting means, and who changed it."),
    ),
    *_group(
        "Settings", ("settings",),
        ("setting.edit", "e", "edit", "edit", "Change the setting, in its place."),
        ("setting.unset", "", "unset", "back to default", "Forget what was stored, so that the default holds."),
        needs="settings.manage",
    ),
    *_group(
        "Settings", ("settings",),
        ("setting.test", "T", "try_out", "test", "Try the group's connection out, as it is stored."),
        needs="settings.manage", outside=True,
    ),
    *_group(
        "Settings", ("editing",),
        ("edit.save", "enter", "save", "save", "Save what was entered."),
        ("edit.leave", "escape", "give_up", "leave as it was", "Leave the setting as it was."),
        ("edit.line", "ctrl+n", "new_line", "new line", "Begin a new line in a long text."),
        ("edit.other", "space", "other", "the other", "Go to the other choice."),
        listed=False,
    ),
)  # fmt: skip

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}

TOGETHER: tuple[frozenset[Scope], ...] = (
    frozenset({"everywhere", "list", "orders"}),
    frozenset({"everywhere", "story", "orders"}),
    frozenset({"everywhere", "story", "panel", "orders"}),
    frozenset({"everywhere", "list", "activity"}),
    frozenset({"everywhere", "story", "activity"}),
    frozenset({"everywhere", "story", "panel", "activity"}),
    frozenset({"everywhere", "list", "jobs"}),
    frozenset({"everywhere", "story", "jobs"}),
    frozenset({"everywhere", "list", "settings"}),
    frozenset({"everywhere", "story", "settings"}),
    frozenset({"editing"}),
)
"""Scopes that are live at the same time: a list or a story, in a section, in the frame."""

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
    "panel": (_MOVE, ("send",), ("close",), ("refresh",), ("undo",), ("help",)),
    "explained": (_MOVE, ("close",), ("refresh",), ("undo",), ("help",)),
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
    "editing": (("edit.save",), ("edit.leave",)),
    "choosing": (("edit.save",), ("edit.leave",), ("edit.other",)),
}  # fmt: skip
"""What the footer shows for each focus: at most eight places; a pair shares one place and one word."""

FOOTER_WORDS: Mapping[tuple[str, ...], str] = {_MOVE: "move", _TABS: "tabs", _RECORDS: "next"}

NEVER_ALONE = frozenset(
    [f"ctrl+{key}" for key in ("a", "b", "s", "q", "\\", "backslash", "z", "h", "i", "j", "m")]
    + [f"f{number}" for number in range(1, 25)]
    + list("@[]{}\\|~")
)
"""Keys that tmux, terminals or their drivers keep for themselves, or that keyboards hide behind AltGr."""


class Keymap:
    """The keys in force: the table's, with the user's changes on top."""

    def __init__(self, changed: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.changed: Mapping[str, tuple[str, ...]] = dict(changed or {})

    def keys(self, command: Command) -> tuple[str, ...]:
        """The live keys of a command."""
        return self.changed.get(command.id, command.keys)

    def shown(self, command_id: str, *, every: bool = False, ascii_only: bool = False) -> str:
        """The live keys as a person reads them: the first one, or with ``every`` all of them."""
        keys = self.keys(BY_ID[command_id])
        return " ".join(show_key(key, ascii_only=ascii_only) for key in (keys if every else keys[:1]))

    def for_textual(self) -> dict[str, str]:
        """The changes as ``App.set_keymap`` takes them."""
        return {
            command_id: ",".join("comma" if key == "," else key for key in keys)
            for command_id, keys in self.changed.items()
        }


def keymap(changes: Mapping[str, str]) -> Keymap:
    """Lay the user's ``[keys]`` (command id → keys separated by commas) over the table.

    Raises:
        KeymapError: an unknown id, an unreadable key, or one key for two commands that are live together.
    """
    changed: dict[str, tuple[str, ...]] = {}
    for command_id, text in changes.items():
        if command_id not in BY_ID:
            near = difflib.get_close_matches(command_id, BY_ID, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " The ids stand in the client's help (?)."
            raise KeymapError(f"there is no command {command_id!r}.{hint}")
        keys = tuple(canonical(command_id, part) for part in text.split(",") if part.strip())
        if not keys:
            raise KeymapError(f"{command_id!r} is left without a key.")
        changed[command_id] = keys
    result = Keymap(changed)
    clash = next(iter(clashes(result)), None)
    if clash is not None:
        key, one, other = clash
        raise KeymapError(
            f"{show_key(key)!r} would mean both {one.id!r} and {other.id!r}. Give one of them another key."
        )
    return result


def clashes(live: Keymap) -> Iterable[tuple[str, Command, Command]]:
    """Each key that means two things at the same time: (key, one command, the other)."""
    for scopes in TOGETHER:
        taken: dict[str, Command] = {}
        for command in COMMANDS:
            if not scopes.intersection(command.scopes):
                continue
            for key in live.keys(command):
                other = taken.setdefault(key, command)
                if other is not command:
                    yield key, other, command


def bindings(*scopes: Scope) -> list[Binding]:
    """The table's commands of these scopes as Textual bindings (ids kept, so that a keymap can move them)."""
    from textual.binding import Binding  # noqa: PLC0415 - the command line reads this table without the UI

    return [
        Binding(",".join(command.keys), command.action, command.label, show=False, id=command.id)
        for command in COMMANDS
        if command.keys and set(scopes).intersection(command.scopes)
    ]
