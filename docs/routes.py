"""The part of ``api.md`` that follows from the routes: each by its room, then the models that travel."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from docs.markdown import lines, table
from server.app.assembly import create_app
from server.app.reference import describe
from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import open_store
from server.kit.migrate import migrate

Schema = Mapping[str, Any]

_ROOMS: Final = {
    "orders": "Orders",
    "fulfilment": "Providers and syncs",
    "activity": "Activity",
    "catalogue": "The catalogue",
    "mails": "Mail",
    "jobs": "Jobs and queues",
    "people": "People",
    "deletion": "Deletion",
    "tickets": "Tickets",
    "customers' own": "Customers' own tickets",
    "shop carts": "Carts",
    "carts": "Abandoned carts and the checkout",
    "billing": "Invoices",
    "content": "Posts, comments, files",
    "pulse": "The poll",
    "events": "The stream",
    "settings": "Settings",
    "access": "Accounts, tokens, audit",
    "webhooks": "Webhooks",
    "health": "Health",
    "reference": "Reference",
}
_EVERYWHERE: Final = frozenset(
    {
        "unauthenticated", "forbidden", "rate_limited", "misdirected_request", "internal_error", "unavailable",
        "invalid_json", "invalid_request", "payload_too_large", "unsupported_media_type", "idempotency_conflict",
    }
)  # fmt: skip
"""Refusals that the page explains once for all routes."""
_PAGE: Final = re.compile(r"Page_(\w+)_")
_PAGE_QUERY: Final = ("cursor", "limit", "edge")


def api_part() -> str:
    """Every route by room, then every model."""
    reference = _reference()
    by_room: dict[str, list[str]] = {}
    for path, methods in reference["paths"].items():
        for method, route in methods.items():
            room = _ROOMS[route["tags"][0]]
            by_room.setdefault(room, []).extend(_route(f"{method.upper()} {path}", route))
    told: list[str] = []
    for room in _ROOMS.values():
        told += [f"## {room}", "", *by_room.get(room, [])]
    schemas = {
        name: schema
        for name, schema in sorted(reference["components"]["schemas"].items())
        if not _PAGE.fullmatch(name)
    }
    sent = set(_sent(reference))
    told += ["## What callers send", "", "A field with `?` may be left out.", ""]
    for name in filter(sent.__contains__, schemas):
        told += _model(name, schemas[name], sent=True)
    told += [
        "## What the server answers",
        "",
        "Every field is there, and there may be more than a client knows.",
        "",
    ]
    for name, schema in schemas.items():
        if name not in sent:
            told += _model(name, schema, sent=False)
    return lines(told)


def _sent(reference: Schema) -> Iterator[str]:
    """The models that callers send, and those within them."""
    schemas = reference["components"]["schemas"]
    bodies = [
        route["requestBody"]
        for methods in reference["paths"].values()
        for route in methods.values()
        if "requestBody" in route
    ]
    names = set(_references(bodies))
    while names:
        name = names.pop()
        yield name
        names.update(_references(schemas[name]))


def _references(part: object) -> Iterator[str]:
    """The models that are named somewhere in a description."""
    if isinstance(part, Mapping):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _reference() -> dict[str, Any]:
    """The application's OpenAPI description."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(None, Path(folder), FrozenClock("2026-02-23T10:00:00Z"))
        try:
            migrate(store)
            return describe(create_app(store, ServerConfig(data_dir=Path(folder))))
        finally:
            store.close()


def _route(name: str, route: Schema) -> Iterator[str]:
    description, _, told = _spelled(route.get("description", "")).partition("Errors:")
    summary = _spelled(route["summary"])
    stop = "" if summary.endswith((".", "?")) else "."
    yield f"### {name}"
    yield ""
    yield f"{summary}{stop} {' '.join(description.split())}".strip()
    yield ""
    yield f"* Who: {_whom(route)}"
    if "requestBody" in route:
        yield f"* Body: {_type(_content(route['requestBody']))}"
    query = [parameter for parameter in route.get("parameters", ()) if parameter["in"] == "query"]
    for parameter in query:
        if parameter["name"] not in _PAGE_QUERY:
            yield f"* `?{parameter['name']}=` {_parameter(parameter)}"
    if any(parameter["name"] == "cursor" for parameter in query):
        yield "* Paged: `?cursor=` `?limit=` `?edge=`"
    for status, answer in route["responses"].items():
        if status.startswith("2"):
            yield f"* {status}: {_type(_content(answer)) if _content(answer) else ', '.join(answer['content'])}"
    if errors := sorted({*_errors(route["responses"]), *_told_errors(told)}):
        yield f"* Errors of its own: {', '.join(errors)}"
    yield ""


def _whom(route: Schema) -> str:
    if "x-permission" in route:
        return f"`{route['x-permission']}`: {', '.join(route['x-roles'])}"
    return f"no token; {route['x-open-because']}"


def _errors(responses: Mapping[str, Schema]) -> Iterator[str]:
    """The refusals of a route that are not those of all routes like it."""
    for status, answer in responses.items():
        for code in re.findall(r"`(\w+)`", answer["description"].rpartition(": ")[2]):
            if code not in _EVERYWHERE:
                yield f"{status} `{code}`"


def _told_errors(told: str) -> Iterator[str]:
    """Those that the route's own words name: ``409 `conflict`, `email_taken`; 404 …``."""
    for found in re.finditer(r"(\d{3}) (`\w+`(?:, `\w+`)*)", told):
        for code in re.findall(r"\w+", found[2]):
            if code not in _EVERYWHERE:
                yield f"{found[1]} `{code}`"


def _spelled(text: str) -> str:
    """A docstring's words in Markdown, and as JSON knows them."""
    return re.sub(r"\bNone\b", "null", text.replace("``", "`"))


def _content(part: Schema) -> Schema:
    content: Schema = next(iter(part.get("content", {}).values()), {})
    schema: Schema = content.get("schema", {})
    return schema


def _parameter(parameter: Schema) -> str:
    schema = parameter["schema"]
    parts = [_type(schema), _spelled(parameter.get("description", "")), _default(schema)]
    return "; ".join(part for part in parts if part)


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value is None or value in ("", [], {}):
        return ""
    return f"default `{str(value).lower() if isinstance(value, bool) else value}`"


def _type(schema: Schema) -> str:
    """A field's type in a few words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(part) for part in schema["anyOf"]))
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return " · ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type", "anything")
    return _WORDS[kind](schema) if kind in _WORDS else str(kind)


def _list(schema: Schema) -> str:
    return f"list{_limits(schema, 'minItems', 'maxItems')} of {_type(schema.get('items', {}))}"


def _object(schema: Schema) -> str:
    inner = schema.get("additionalProperties")
    return f"object of {_type(inner)}" if isinstance(inner, dict) and inner else "object"


def _text(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "time"
    pattern = f" like `{schema['pattern']}`" if "pattern" in schema else ""
    return f"text{_limits(schema, 'minLength', 'maxLength')}{pattern}"


def _limits(schema: Schema, least: str, most: str) -> str:
    """`` (1 to 255)``, or nothing."""
    low, high = (None if name not in schema else f"{int(schema[name]):,}" for name in (least, most))
    if high is not None:
        return f" ({low} to {high})" if low is not None else f" (up to {high})"
    return f" ({low} or more)" if low is not None else ""


_WORDS: Final[Mapping[str, Callable[[Schema], str]]] = {
    "array": _list,
    "object": _object,
    "string": _text,
    "integer": lambda schema: f"integer{_limits(schema, 'minimum', 'maximum')}",
    "boolean": lambda _: "true or false",
}


def _link(name: str) -> str:
    page = _PAGE.fullmatch(name)
    return f"page of {_link(page[1])}" if page else f"[{name}](#{name.lower()})"


def _model(name: str, schema: Schema, *, sent: bool) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    if "description" in schema:
        yield " ".join(_spelled(schema["description"]).split())
        yield ""
    required = schema.get("required", ())
    rows = [
        [
            f"`{field}{'?' if sent and field not in required else ''}`",
            _type(part),
            "; ".join(filter(None, [_spelled(part.get("description", "")), _default(part)])),
        ]
        for field, part in schema.get("properties", {}).items()
    ]
    noted = any(row[2] for row in rows)
    yield from table(["field", "type", "notes"][: 2 + noted], [row[: 2 + noted] for row in rows])
