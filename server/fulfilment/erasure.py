"""What an erasure does to submissions: that a provider has an order stays, its words about it go."""

from __future__ import annotations

from server.fulfilment.models import submission
from server.kit import refs
from server.people.erasure import Rule, register

register(
    Rule(
        submission,
        "submissions",
        "anonymise",
        "That a provider has the order stays; its words, and the fingerprint of what was sent, go.",
        lambda subject: submission.c.order_id.in_(refs.orders_of(subject.person_id)),
        (),
        lambda _subject: {"reason": None, "fingerprint": None},
    )
)
