"""The commands that belong to one section, or to what is entered in it."""

from __future__ import annotations

from tui.keys.command import Command, group

SECTIONS: tuple[Command, ...] = (
    *group(
        "Orders", ("orders",),
        ("sort", "s", "sort", "sort", "Cycle how orders are sorted: newest, oldest, highest total, attention first."),
    ),
    *group(
        "Orders", ("orders",),
        ("order.ticket", "o", "open_ticket", "its ticket",
         "Open the ticket beside the order: the one under the cursor, else the newest."),
        needs="tickets.read",
    ),
    *group(
        "Activity", ("activity",),
        ("unfold", "u", "unfold", "unfold", "Unfold a group of repeated entries, or fold it again."),
        ("menu", "f", "menu", "categories", "Choose which categories to show."),
        ("level", "L", "level", "level", "Cycle the level: all, errors, warnings, information."),
        ("internal", "i", "internal", "internal", "Show the program's own events too, until you leave."),
    ),
    *group(
        "Acting", ("orders", "people", "tickets"),
        ("history", "H", "history", "history", "Who did what to this record."),
        needs="audit.read",
    ),
    *group(
        "People", ("people",),
        ("person.orders", "o", "open_orders", "its orders", "Show all orders of this person."),
        ("people.erased", "", "erased", "erased ones", "Show erased people and those about to be, too, or no more."),
    ),
    *group(
        "People", ("people",),
        ("person.edit", "e", "edit", "edit", "Change name, e-mail and phone."),
        ("person.note", "c", "note", "note", "Write a note about this person, for staff alone."),
        needs="people.edit",
    ),
    *group(
        "People", ("people",),
        ("person.invite", "+", "invite", "invite", "Invite somebody to the shop's staff."),
        ("person.role", "r", "role", "role", "Give this member of staff another role."),
        ("person.bar", "b", "bar", "bar / let in", "Deactivate the account and end its tokens, or let it in again."),
        ("person.invite_again", "", "invite_again", "new invitation", "Give somebody invited a new code to join with."),
        needs="users.manage",
    ),
    *group(
        "People", ("people",),
        ("person.export", "W", "export", "export", "Write all that is held about this person into a file of yours."),
        needs="people.export",
    ),
    *group(
        "People", ("people",),
        ("person.delete", "D", "deletion", "deletion plan", "Show what deleting this person would do."),
        ("person.restore", "", "restore", "restore", "Call the scheduled erasure of this person off."),
        needs="people.delete",
    ),
    *group(
        "People", ("deletion",),
        ("deletion.type", "e", "type_in", "type", "Type what must be typed."),
        ("deletion.other", "tab", "step(1)", "next place", "To the line, Cancel, Delete for good, and round."),
        ("deletion.cancel", "escape", "cancel", "cancel", "Leave everything as it is."),
        listed=False,
    ),
    *group(
        "Tickets", ("tickets",),
        ("tickets.menu", "f", "menu", "priorities", "Choose which priority to show."),
        ("ticket.order", "o", "open_order", "its order", "Open the order that the ticket stands beside."),
    ),
    *group(
        "Tickets", ("tickets",),
        ("ticket.file", "W", "save_file", "save a file", "Save a file that was handed in beside the ticket."),
        needs="content.read",
    ),
    *group(
        "Tickets", ("tickets",),
        ("ticket.reply", "r", "reply", "reply", "Reply to the customer, who gets it by mail too."),
        ("ticket.note", "c", "note", "note", "Write an internal note, for staff alone."),
        ("ticket.assign", "a", "assign", "assign", "Give the ticket to somebody: you come first."),
        ("ticket.unassign", "A", "unassign", "unassign", "Take the ticket off whoever has it."),
        ("ticket.priority", "p", "priority", "priority", "Choose how urgent the ticket is."),
        ("ticket.resolve", "x", "resolve", "resolve", "Resolve the ticket, or all that are marked."),
        ("ticket.reopen", "X", "reopen", "reopen", "Open a resolved or closed ticket again."),
        ("ticket.status", "S", "status", "status", "Choose the state of the ticket."),
        ("ticket.again", "", "again", "the same again", "Do to this ticket what was done to the last one."),
        needs="tickets.write",
    ),
    *group(
        "Tickets", ("tickets",),
        ("ticket.new", "+", "new_ticket", "new ticket", "Open a ticket for a customer."),
        needs="tickets.create",
    ),
    *group(
        "Jobs", ("jobs",),
        ("queue", "f", "choose_queue", "queues", "Choose which queue to show."),
        ("job.order", "o", "open_order", "its order", "Open the order that the job is about."),
    ),
    *group(
        "Jobs", ("jobs",),
        ("job.withdraw", "w", "withdraw", "withdraw", "Take back a job that waits: nothing of it leaves."),
        needs="jobs.manage",
    ),
    *group(
        "Jobs", ("jobs",),
        ("job.retry", "R", "retry_job", "retry", "Try a job again; its attempts are shown first."),
        needs="jobs.manage", outside=True,
    ),
    *group(
        "Jobs", ("jobs",),
        ("queue.pause", "P", "pause_queue", "pause", "Pause the queue, or let it go on."),
        needs="queues.manage", outside=True,
    ),
    *group(
        "Settings", ("settings",),
        ("setting.about", "d", "about", "about", "What the setting means, and who changed it."),
    ),
    *group(
        "Settings", ("settings",),
        ("setting.edit", "e", "edit", "edit", "Change the setting, in its place."),
        ("setting.unset", "", "unset", "back to default", "Forget what was stored, so that the default holds."),
        needs="settings.manage",
    ),
    *group(
        "Settings", ("settings",),
        ("setting.test", "T", "try_out", "test", "Try the group's connection out, as it is stored."),
        needs="settings.manage", outside=True,
    ),
    *group(
        "Audit", ("audit",),
        ("audit.menu", "f", "menu", "only", "Choose an area, an action or a way, and show only its acts."),
        ("audit.record", "o", "open_record", "its order", "Open the order that the act speaks of."),
    ),
    *group(
        "Settings", ("editing",),
        ("edit.save", "enter", "save", "save", "Save what was entered."),
        ("edit.leave", "escape", "give_up", "leave as it was", "Leave the setting as it was."),
        ("edit.line", "ctrl+n", "new_line", "new line", "Begin a new line in a long text."),
        ("edit.other", "space", "other", "the other", "Go to the other choice."),
        listed=False,
    ),
    *group(
        "Writing", ("composing",),
        ("compose.send", "enter", "save", "send", "Send what is written, or save it."),
        ("compose.line", "ctrl+n", "new_line", "new line", "Begin a new line."),
        ("compose.leave", "escape", "give_up", "leave for later", "Leave what is written for later."),
        listed=False,
    ),
)  # fmt: skip
