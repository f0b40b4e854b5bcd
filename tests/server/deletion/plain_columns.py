"""Texts that hold nobody's words, and why: what no rule of an erasure deletes, overwrites or searches.

Whoever adds a text to a table finds it missing here or in a rule of the room's ``erasure.py``.
"""

from __future__ import annotations

WORD = "one of a few words of the program"
NUMBER = "a number or code that the shop or a provider gives"
SHOP = "the shop's own words, told apart when traces are looked for"
HASH = "a hash that cannot be guessed back"
IDS = "ids, counts and words of the program"

TABLES = {
    "setting": SHOP,
    "store_fact": "facts of the store itself",
    "category": SHOP,
    "product": SHOP,
    "product_option": SHOP,
    "variant": SHOP,
    "sync_run": "about products; a provider's words about its own catalogue",
    "suppression": "a keyed hash: it must outlive the person, so that nobody writes to them again",
    "topic": WORD,
    "topic_event": IDS,
    "order_day": NUMBER,
    "invoice_year": NUMBER,
    "order_payment": NUMBER,
    "setup_code": HASH,
    "job_queue": WORD,
    "job_schedule": WORD,
    "deletion_plan": IDS,
}
"""Tables in which nothing is anybody's."""

PLAIN: dict[str, dict[str, str]] = {
    "activity": {
        "type": WORD,
        "level": WORD,
        "category": WORD,
        "actor_kind": WORD,
        "actor_name": "a provider's or a job's name",
        "params": "the writer takes e-mails and names out (activity.intake)",
        "words": "made of the parameters",
    },
    "audit": {
        "action": WORD,
        "actor_role": WORD,
        "resource_type": WORD,
        "metadata": "the writer refuses what is no id, count or word (audit.facts)",
        "module": WORD,
        "mode": WORD,
    },
    "deletion": {
        "kind": WORD,
        "mark": "what takes the person's place",
        "state": WORD,
        "asked_role": WORD,
        "plan_hash": HASH,
        "counts": IDS,
        "receipt": IDS,
        "signature": "of the receipt",
        "sealed": "opens only with the key outside the store, and is emptied by the scan",
        "scan": "places and counts",
    },
    "inbox": {
        "provider": WORD,
        "connection": WORD,
        "event_id": NUMBER,
        "type": WORD,
        "state": WORD,
        "error": "the name of an exception",
        "waits_for": NUMBER,
    },
    "invoice": {"number": NUMBER, "state": WORD, "currency": WORD, "due_on": "a day"},
    "money_transaction": {"kind": WORD, "currency": WORD, "method": WORD},
    "job": {
        "kind": WORD,
        "queue": WORD,
        "args": IDS,
        "unique_key": IDS,
        "state": WORD,
        "worker": NUMBER,
    },
    "job_attempt": {"outcome": WORD},
    "mail": {
        "kind": WORD,
        "message_id": "random, at the shop's own domain",
        "state": WORD,
        "bounce": WORD,
    },
    "order_item": {"product_id": NUMBER, "variant_id": NUMBER},
    "person": {"kind": WORD, "mark": "what takes the person's place"},
    "shop_order": {
        "number": NUMBER,
        "currency": WORD,
        "payment_status": WORD,
        "fulfilment_status": WORD,
        "stripe_session_id": NUMBER,
        "payment_intent": NUMBER,
        "provider": WORD,
        "provider_order_id": NUMBER,
        "provider_status": "the provider's word for a state",
        "handled_by": WORD,
        "overdue_for": WORD,
    },
    "submission": {"provider": WORD, "external_id": NUMBER, "state": WORD, "provider_order_id": NUMBER},
    "ticket": {"status": WORD, "priority": WORD},
    "ticket_comment": {"author_kind": WORD},
    "ticket_history": {"field": WORD},
}
"""Texts of tables that also hold somebody's, by table and name."""
