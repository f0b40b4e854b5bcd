"""The commands of the frame and of all lists, and those that act on what several sections show."""

from __future__ import annotations

from tui.keys.command import Command, group

EVERYWHERE: tuple[Command, ...] = (
    *group(
        "Moving", ("list", "story"),
        ("move.down", "down j", "cursor_down", "down", "Move down."),
        ("move.up", "up k", "cursor_up", "up", "Move up."),
        ("move.half_down", "ctrl+d", "half_page_down", "½ down", "Half a page down."),
        ("move.half_up", "ctrl+u", "half_page_up", "½ up", "Half a page up."),
        ("move.page_down", "pagedown", "page_down", "page down", "A page down."),
        ("move.page_up", "pageup", "page_up", "page up", "A page up."),
        listed=False,
    ),
    *group(
        "Moving", ("list", "story"),
        ("move.top", "g home", "top", "top", "Go to the top, where new rows come in."),
        ("move.bottom", "G end", "bottom", "bottom", "Go to the bottom."),
        ("match.next", "n", "next_match", "next match", "Next match of the filter."),
        ("match.previous", "N", "previous_match", "previous match", "Previous match of the filter."),
    ),
    *group(
        "Moving", ("list",),
        ("open", "enter", "open", "open", "Open what is under the cursor."),
    ),
    *group(
        "Moving", ("orders", "activity", "people", "tickets", "jobs", "settings", "audit"),
        ("record.next", "J", "next_record", "next", "Next record; what is open stays open."),
        ("record.previous", "K", "previous_record", "previous", "Previous record."),
    ),
    *group(
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
    *group(
        "Everywhere", ("everywhere",), ("go.people", "3", "section('people')", "people", "Go to People."),
        needs="people.read",
    ),
    *group(
        "Everywhere", ("everywhere",), ("go.tickets", "4", "section('tickets')", "tickets", "Go to Tickets."),
        needs="tickets.read",
    ),
    *group(
        "Everywhere", ("everywhere",), ("go.jobs", "6", "section('jobs')", "jobs", "Go to Jobs."), needs="jobs.read"
    ),
    *group(
        "Everywhere", ("everywhere",), ("go.settings", "7", "section('settings')", "settings", "Go to Settings."),
        needs="settings.read",
    ),
    *group(
        "Everywhere", ("everywhere",), ("go.audit", "8", "section('audit')", "audit", "Go to Audit."),
        needs="users.manage",
    ),
    *group(
        "Everywhere", ("everywhere",),
        ("undo", "z", "undo", "undo",
         "Undo the last change; take back what was asked for while it waits to leave."),
        ("redo", "Z", "redo", "redo", "Do again what was undone."),
        needs="activity.resolve",
    ),
    *group(
        "Everywhere", ("everywhere",),
        ("palette", "ctrl+p", "palette", "find action", "Find any action by its words."),
        ("command", ":", "command_line", "command", "Type the name of a command, or an order's number."),
        listed=False,
    ),
    *group(
        "Lists", ("list",),
        ("mark", "space", "mark", "mark", "Mark or unmark this row."),
        ("mark.range", "v", "mark_range", "range", "Mark all rows from the last mark to here."),
        ("mark.all", "*", "mark_all", "mark all", "Mark all rows that match."),
    ),
    *group(
        "Acting", ("orders", "activity"),
        ("resolve", "x", "resolve", "resolve",
         "Resolve an entry, a folded group as far as you saw it, or all that is open on an order."),
        ("reopen", "X", "reopen", "reopen", "Open a resolved entry again."),
        needs="activity.resolve",
    ),
    *group(
        "Acting", ("orders", "activity", "people", "tickets", "jobs", "settings", "audit"),
        ("copy", "y", "copy", "copy", "Copy the number, id or name to your terminal's clipboard."),
    ),
    *group(
        "Acting", ("orders", "activity", "jobs", "audit"),
        ("raw", "d", "raw", "raw facts", "Show or hide the raw facts."),
    ),
    *group(
        "Acting", ("orders", "activity"),
        ("copy.link", "Y", "copy_link", "copy link", "Copy the link: an order's tracking page."),
    ),
    *group(
        "Acting", ("orders", "activity"),
        ("retry", "R", "retry", "retry", "Submit the order, or sync products, again: explained first, then sent."),
        ("ask", "U", "ask_provider", "ask provider", "Ask the provider now how far the order is."),
        needs="orders.submit", outside=True,
    ),
    *group(
        "Acting", ("orders", "activity"),
        ("mail", "M", "mail", "mail", "Send a mail about the order to its customer: you choose which."),
        needs="mail.send", outside=True,
    ),
    *group(
        "Acting", ("everywhere",),
        ("sync.products", "", "sync_products", "sync products", "Read the products of each connected provider now."),
        needs="syncs.run", outside=True,
    ),
    *group(
        "Acting", ("panel",),
        ("send", "enter", "send", "send", "Send what is explained."),
        listed=False,
    ),
)  # fmt: skip
