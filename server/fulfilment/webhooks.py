"""What providers tell: which event is about what, and what it does. Each is stored first (`server.inbox`).

An event of Printful's version 1 is not signed, so it is only a hint: what it says is asked for through the API.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Row, func, select

from server.activity import service as activity
from server.activity.service import Actor
from server.fulfilment import following, printful, printify, registry, sync
from server.fulfilment.provider import Step, provider_time
from server.fulfilment.registry import Known
from server.fulfilment.shapes import mapping, text, whole
from server.inbox import senders
from server.inbox import service as inbox
from server.inbox.senders import Event, Outcome, Sender
from server.inbox.service import Incoming
from server.kit import strict_json
from server.kit.clock import MINUTE, SECOND
from server.kit.problems import invalid_request
from server.kit.tx import Tx
from server.orders import service as orders
from server.orders.models import order_item

HINT: Final = "hint:"
"""How the type of an unsigned event begins in the inbox."""
_FUTURE: Final = 5 * MINUTE
_TYPE: Final = re.compile(r"[a-z][a-z0-9_:.-]{0,79}", re.ASCII)

PRINTIFY: Final = registry.PROVIDERS["printify"]
PRINTFUL: Final = registry.PROVIDERS["printful"]


# -- taking them in -------------------------------------------------------------------------------------


def from_printify(body: bytes, connection: str, now: int) -> Incoming:
    """A signed event of Printify's as the inbox keeps it.

    Raises:
        ProblemError: 400 ``invalid_json``; 422 ``invalid_request`` when it is no event.
    """
    told = _decoded(body)
    event_id, event_type = text(told.get("id")), text(told.get("type"), 80)
    if event_id is None or event_type is None or not _TYPE.fullmatch(event_type):
        raise invalid_request(("body", "is not an event of Printify's"))
    at = provider_time(told.get("created_at"))
    return _incoming(PRINTIFY, connection, event_id, event_type, at, now, body)


def from_printful(body: bytes, connection: str, now: int, *, signed: bool) -> Incoming:
    """An event of Printful's as the inbox keeps it; it has no id, so what it says is its name.

    Raises:
        ProblemError: 400 ``invalid_json``; 422 ``invalid_request`` when it is no event.
    """
    told = _decoded(body)
    event_type = text(told.get("type"), 80)
    if event_type is None or not _TYPE.fullmatch(event_type):
        raise invalid_request(("body", "is not an event of Printful's"))
    said = {name: value for name, value in told.items() if name != "retries"}
    name = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    seconds = whole(told.get("created"))
    at = provider_time(told.get("occurred_at")) or (seconds * SECOND if seconds else None)
    shown = event_type if signed else HINT + event_type
    return _incoming(PRINTFUL, connection, name, shown, at, now, body)


def _decoded(body: bytes) -> dict[str, Any]:
    found = strict_json.decode(body)
    if not isinstance(found, dict):
        raise invalid_request(("body", "is not an event"))
    return found


def _incoming(
    known: Known, connection: str, event_id: str, event_type: str, at: int | None, now: int, body: bytes
) -> Incoming:
    believed = now if at is None or at > now + _FUTURE else at
    return Incoming(known.name, connection, event_id, event_type, believed, body.decode())


# -- Printify -------------------------------------------------------------------------------------------


def _printify_step(step: Step) -> senders.Handler:
    def handle(tx: Tx, event: Event) -> Outcome:
        resource = _resource(event)
        data = mapping(resource.get("data"))
        row, name = _order_of(tx, PRINTIFY, resource.get("id"), text(data.get("external_id")))
        if row is None:
            return Outcome("parked", waits_for=name)
        if _only_part(tx, row, data):
            following.look(tx, row)
            return _done(row)
        carrier = mapping(data.get("carrier"))
        at = provider_time(data.get(f"{step}_at")) or event.occurred_at
        following.take(
            tx,
            row,
            PRINTIFY,
            step,
            at,
            provider_order_id=name,
            carrier=text(carrier.get("code")),
            tracking_number=text(carrier.get("tracking_number")),
            tracking_url=carrier.get("tracking_url"),
        )
        return _done(row)

    return handle


def _printify_changed(tx: Tx, event: Event) -> Outcome:
    """``order:updated``: a status without details; what has any is asked for."""
    resource = _resource(event)
    status = (text(mapping(resource.get("data")).get("status")) or "").lower()
    row, name = _order_of(tx, PRINTIFY, resource.get("id"), None)
    if row is None:
        return Outcome("parked", waits_for=name)
    step = printify.STATUS.get(status)
    if step in ("processing", "cancelled"):
        row = orders.note_provider_status(tx, row, status)
        following.take(tx, row, PRINTIFY, step, event.occurred_at, provider_order_id=name)
    elif step is not None:
        following.look(tx, row)
    return _done(row)


def _only_part(tx: Tx, row: Row[Any], data: Mapping[str, Any]) -> bool:
    """Whether a shipment holds fewer kinds of things than the order has lines."""
    skus = data.get("skus")
    if not isinstance(skus, list) or not skus:
        return False
    lines = select(func.count()).select_from(order_item).where(order_item.c.order_id == row.id)
    return len({str(sku) for sku in skus}) < int(tx.execute(lines).scalar_one())


def _resource(event: Event) -> dict[str, Any]:
    return mapping(_decoded(event.body.encode()).get("resource"))


# -- Printful -------------------------------------------------------------------------------------------


def _printful_step(step: Step) -> senders.Handler:
    def handle(tx: Tx, event: Event) -> Outcome:
        data = _data(event)
        shipment = mapping(data.get("shipment"))
        row, name = _printful_order(tx, data)
        if row is None:
            return Outcome("parked", waits_for=name)
        if shipment.get("reshipment") is True:
            return _done(row)
        following.take(
            tx,
            row,
            PRINTFUL,
            step,
            provider_time(shipment.get(f"{step}_at")) or event.occurred_at,
            reason=text(data.get("reason"), 500),
            provider_order_id=name,
            carrier=text(shipment.get("carrier")),
            tracking_number=text(shipment.get("tracking_number")),
            tracking_url=shipment.get("tracking_url"),
        )
        return _done(row)

    return handle


def _printful_changed(tx: Tx, event: Event) -> Outcome:
    """``order_updated``, ``order_put_hold`` …: a status without details."""
    data = _data(event)
    row, name = _printful_order(tx, data)
    if row is None:
        return Outcome("parked", waits_for=name)
    status = (text(mapping(data.get("order")).get("status")) or "").lower()
    step = printful.STATUS.get(status)
    if step == "processing":
        row = orders.note_provider_status(tx, row, status)
        following.take(tx, row, PRINTFUL, step, event.occurred_at, provider_order_id=name)
    elif step is not None and step != "submitted":
        following.look(tx, row)
    return _done(row)


def _printful_returned(tx: Tx, event: Event) -> Outcome:
    data = _data(event)
    row, name = _printful_order(tx, data)
    if row is None:
        return Outcome("parked", waits_for=name)
    shipment = text(mapping(data.get("shipment")).get("id")) or event.event_id
    following.returned(tx, row, PRINTFUL, shipment, event.occurred_at, text(data.get("reason"), 500))
    return _done(row)


def _printful_hint(tx: Tx, event: Event) -> Outcome:
    """Somebody says that something happened to an order: look."""
    row, name = _printful_order(tx, _data(event))
    if row is None:
        return Outcome("parked", waits_for=name)
    following.look(tx, row)
    return _done(row)


def _printful_order(tx: Tx, data: Mapping[str, Any]) -> tuple[Row[Any] | None, str]:
    told = mapping(data.get("order"))
    return _order_of(tx, PRINTFUL, told.get("id"), text(told.get("external_id")))


def _data(event: Event) -> dict[str, Any]:
    return mapping(_decoded(event.body.encode()).get("data"))


# -- both -----------------------------------------------------------------------------------------------


class NoOrderError(ValueError):
    """An event about an order that does not say about which."""


def _order_of(tx: Tx, known: Known, given: object, number: str | None) -> tuple[Row[Any] | None, str]:
    """The order that an event is about, and the name that it waits for when there is none."""
    name = text(given)
    if name is None:
        raise NoOrderError
    inbox.alone(tx, known.name, name)
    return following.of_provider(tx, known, name, number), name


def _products(known: Known) -> senders.Handler:
    def handle(tx: Tx, event: Event) -> Outcome:
        del event
        if registry.connection(tx, known) is None:
            return Outcome("ignored")
        sync.want(tx, known)
        return Outcome()

    return handle


def _done(row: Row[Any]) -> Outcome:
    return Outcome(order_id=row.id, person_id=row.person_id)


def _tell(known: Known, event_type: str) -> Callable[[Tx, Event], None]:
    def tell(tx: Tx, event: Event) -> None:
        activity.log(
            tx,
            event_type,
            params={
                "provider": known.label,
                "event_type": event.type.removeprefix(HINT),
                "event_id": event.event_id,
            },
            identity=(known.name, event.connection, event.event_id, event_type),
            actor=Actor("provider", name=known.label),
        )

    return tell


def _sender(known: Known, handlers: Mapping[str, senders.Handler]) -> Sender:
    return Sender(
        known.name,
        handlers,
        gave_up=_tell(known, "webhook.failed"),
        unmatched=_tell(known, "webhook.unmatched"),
    )


_of_printify: Final = _products(PRINTIFY)
_of_printful: Final = _products(PRINTFUL)
SENDERS: Final = (
    _sender(
        PRINTIFY,
        {
            "order:sent-to-production": _printify_step("processing"),
            "order:shipment:created": _printify_step("shipped"),
            "order:shipment:delivered": _printify_step("delivered"),
            "order:updated": _printify_changed,
            "product:updated": _of_printify,
            "product:deleted": _of_printify,
            "product:publish:started": _of_printify,
        },
    ),
    _sender(
        PRINTFUL,
        {
            "shipment_sent": _printful_step("shipped"),
            "shipment_delivered": _printful_step("delivered"),
            "shipment_returned": _printful_returned,
            "order_canceled": _printful_step("cancelled"),
            "order_failed": _printful_step("failed"),
            "order_updated": _printful_changed,
            "order_put_hold": _printful_changed,
            "order_remove_hold": _printful_changed,
            **{
                HINT + name: _printful_hint
                for name in (
                    "package_shipped",
                    "package_returned",
                    "order_failed",
                    "order_canceled",
                    "order_updated",
                    "order_put_hold",
                    "order_remove_hold",
                )
            },
            **{
                name: _of_printful
                for event in ("product_synced", "product_updated", "product_deleted")
                for name in (event, HINT + event)
            },
        },
    ),
)
for _one in SENDERS:
    senders.register(_one)
