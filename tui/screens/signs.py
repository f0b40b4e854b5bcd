"""The signs of all sections, in the order of their digits."""

from __future__ import annotations

from tui.screens.activity import ActivitySection
from tui.screens.identity import Sign, later
from tui.screens.orders import OrdersSection

SECTIONS = (
    Sign("orders", "Orders", "1", lambda: OrdersSection),
    Sign("activity", "Activity", "2", lambda: ActivitySection, counts_attention=True),
    Sign("people", "People", "3", later("tui.screens.people", "PeopleSection"), needs="people.read"),
    Sign(
        "tickets",
        "Tickets",
        "4",
        later("tui.screens.tickets", "TicketsSection"),
        needs="tickets.read",
        counts_tickets=True,
    ),
    Sign("jobs", "Jobs", "6", later("tui.screens.jobs", "JobsSection"), needs="jobs.read"),
    Sign(
        "settings", "Settings", "7", later("tui.screens.settings", "SettingsSection"), needs="settings.read"
    ),
    Sign("audit", "Audit", "8", later("tui.screens.audit", "AuditSection"), needs="users.manage"),
)
"""The sections there are, in the order of their digits; all but the first two are imported when they are gone to."""
