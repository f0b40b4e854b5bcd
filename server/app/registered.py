"""Importing this makes known what the rooms declare: kinds of jobs, schedules, hooks, topics, for every process."""

from __future__ import annotations

import server.accounts.jobs
import server.accounts.topics
import server.activity.jobs
import server.audit.topics
import server.billing.erasure
import server.billing.topics
import server.carts.erasure
import server.carts.jobs
import server.carts.topics
import server.catalog.topics
import server.content.erasure
import server.deletion.due
import server.deletion.jobs
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
import server.recovery.mails
import server.tickets.erasure
import server.tickets.mails
import server.tickets.topics  # noqa: F401 - they register themselves
