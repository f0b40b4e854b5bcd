"""The face of the jobs: what other rooms call."""

from __future__ import annotations

from server.jobs.asking import Asked, cancel, enqueue, retry

__all__ = ["Asked", "cancel", "enqueue", "retry"]
