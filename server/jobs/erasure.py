"""What an erasure does to jobs: that they ran stays, for whom and what went wrong goes."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from server.jobs.models import job, job_attempt, job_queue
from server.kit import refs
from server.people.erasure import Rule, Subject, exempt, register


def _jobs(subject: Subject) -> ColumnElement[bool]:
    return or_(job.c.person_id == subject.person_id, job.c.order_id.in_(refs.orders_of(subject.person_id)))


register(
    Rule(
        job,
        "jobs",
        "anonymise",
        "That they ran stays; for whom, and the words of what failed, goes.",
        _jobs,
        ("person_id",),
        lambda _subject: {"person_id": None, "error": None, "progress": None},
    ),
    Rule(
        job_attempt,
        "attempts of jobs",
        "anonymise",
        "When each ran stays; the words of what failed go.",
        lambda subject: job_attempt.c.job_id.in_(select(job.c.id).where(_jobs(subject))),
        (),
        lambda _subject: {"error": None},
    ),
)
exempt(job, "asked_by", "an id that names nobody once the account is gone")
exempt(job_queue, "paused_by", "an id that names nobody once the account is gone")
