"""Importing this makes every room's jobs known: kinds, schedules, hooks. For all processes that ask for or run jobs."""

from __future__ import annotations

import server.activity.jobs
import server.inbox.jobs
import server.jobs.jobs  # noqa: F401 - they register themselves
