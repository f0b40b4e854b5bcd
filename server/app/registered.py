"""Importing this makes every room's jobs known: kinds, schedules, hooks. For all processes that ask for or run jobs."""

from __future__ import annotations

import server.activity.jobs
import server.fulfilment.jobs
import server.inbox.jobs
import server.jobs.jobs
import server.lookup.jobs
import server.lookup.mails
import server.mail.jobs
import server.mail.trying
import server.orders.mails
import server.orders.resending
import server.recovery.hooks
import server.recovery.jobs
import server.recovery.mails  # noqa: F401 - they register themselves
