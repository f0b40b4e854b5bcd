"""Where the cart recovery listens: expired sessions, and orders that were paid."""

from __future__ import annotations

from server.orders import hooks as orders
from server.payments import hooks as payments
from server.recovery import service as recovery

payments.on_expired(recovery.record)
orders.on_paid(recovery.note_paid)
