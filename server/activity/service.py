"""The face of the log: what other rooms call."""

from __future__ import annotations

from server.activity.feed import FeedPage, FeedQuery, entry, feed, timeline
from server.activity.groups import attention_by_order, attention_count
from server.activity.log import Actor, Logged, forget_order, log, record
from server.activity.recorded import RecordedPage, recorded
from server.activity.resolution import reopen, resolve, resolve_order, settle
from server.activity.retention import prune

__all__ = [
    "Actor",
    "FeedPage",
    "FeedQuery",
    "Logged",
    "RecordedPage",
    "attention_by_order",
    "attention_count",
    "entry",
    "feed",
    "forget_order",
    "log",
    "prune",
    "record",
    "recorded",
    "reopen",
    "resolve",
    "resolve_order",
    "settle",
    "timeline",
]
