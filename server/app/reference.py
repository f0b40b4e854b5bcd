"""The reference: every route with its permission, its parameters and its refusals, for programs and for people.

``/v1/openapi.json`` is OpenAPI 3.1; ``/v1/docs`` is the same as one plain page, without a script.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from server.contract.base import Problem
from server.kit.access import PERMISSIONS, RANK
from server.kit.web import Open, Permit, answer, declared, open_to_all, router

_WHY: Final = "tells programs and people how to ask, and nothing else"
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ALWAYS: Final = {421: "misdirected_request", 500: "internal_error", 503: "unavailable"}
_MEANING: Final = {
    400: "The request cannot be read",
    401: "No good token; `reason` is missing, wrong, expired or revoked",
    403: "Not allowed",
    404: "There is no such thing, or not for this caller",
    409: "It does not go with how things stand",
    413: "The body is larger than 256 KiB",
    415: "The body is not application/json",
    421: "The Host header names another server",
    422: "Fields are wrong; `fields` says which",
    429: "Too often; see Retry-After",
    500: "A mistake of the server",
    503: "The store is not available now; `reason` says why; see Retry-After",
}
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
h2 { border-top: 1px solid; padding-top: 1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .15rem 1rem .15rem 0; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } a { color: #9cf; } }
"""
_INTRO: Final = (
    "Authorization: Bearer TOKEN. Bodies are JSON; times are RFC 3339 in UTC; money is an integer of minor units with "
    "a currency. Lists answer items, next and prev, and take limit (1 to 200) and cursor. Every changing route takes "
    "an Idempotency-Key. Refusals are application/problem+json with a stable code."
)


def build(app: FastAPI) -> APIRouter:
    """The two routes. What they answer is made when somebody first asks."""
    routes = router("/v1", "reference")
    made: dict[str, bytes] = {}

    @routes.get(
        "/openapi.json",
        response_model=dict[str, Any],
        summary="The reference as OpenAPI 3.1",
        dependencies=[open_to_all(_WHY)],
    )
    def openapi() -> Response:
        """Every route, its permission and its refusals."""
        if "json" not in made:
            made["json"] = bytes(answer(describe(app)).body)
        return answer(made["json"])

    @routes.get(
        "/docs",
        response_class=Response,
        summary="The reference as a page",
        dependencies=[open_to_all(_WHY)],
        responses={200: {"content": {"text/html": {}}, "description": "The page"}},
    )
    def docs() -> Response:
        """The same for people, without a script."""
        if "html" not in made:
            made["html"] = page(describe(app)).encode()
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
        return Response(
            made["html"], media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy}
        )

    return routes


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    document = get_openapi(title="shopbell", version="1", description=_INTRO, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for context in iter_route_contexts(app.routes):
        what = declared(context)
        for method in context.methods or ():
            operation = document["paths"].get(context.path, {}).get(method.lower())
            if operation is not None and what is not None:
                _complete(operation, what, changes=method != "GET")
    return document


def _complete(operation: dict[str, Any], what: Permit | Open, *, changes: bool) -> None:
    if isinstance(what, Permit):
        roles = [role for role in RANK if role in PERMISSIONS[what.permission]]  # in one order, whoever asks
        operation["security"] = [{"token": []}]
        operation["x-permission"] = what.permission
        operation["x-roles"] = roles
        if changes:
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    else:
        operation["security"] = []
        operation["x-open-because"] = what.why
    codes = _codes(operation, closed=isinstance(what, Permit), changes=changes)
    responses = operation["responses"]
    for status, names in sorted(codes.items()):
        given = responses.get(str(status), {})
        names += [name for name in given.pop("x-codes", []) if name not in names]
        listed = ", ".join(f"`{name}`" for name in names)
        responses[str(status)] = {"description": f"{_MEANING[status]}: {listed}", "content": _PROBLEM}


_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 200 printable ASCII signs; the same key again within a day gets the first answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


def _codes(operation: dict[str, Any], *, closed: bool, changes: bool) -> dict[int, list[str]]:
    """The refusals of a route, by status: those that follow from what it is, and its own."""
    codes: dict[int, list[str]] = {status: [code] for status, code in _ALWAYS.items()}
    parameters = {parameter["name"]: parameter["in"] for parameter in operation.get("parameters", [])}
    if closed:
        codes[401] = ["unauthenticated"]
        codes[403] = ["forbidden"]
        codes[429] = ["rate_limited"]
    if closed and changes:
        codes.setdefault(409, []).append("idempotency_conflict")
    if "path" in parameters.values():
        codes[404] = ["not_found"]
    if "cursor" in parameters:
        codes.setdefault(400, []).append("invalid_cursor")
    if parameters:
        codes[422] = ["invalid_request"]
    if changes:
        codes.setdefault(400, []).append("invalid_json")
        codes |= {413: ["payload_too_large"], 415: ["unsupported_media_type"], 422: ["invalid_request"]}
    for status, given in operation["responses"].items():
        if given.get("x-codes"):
            codes.setdefault(int(status), [])
    if "422" in operation["responses"] and 422 not in codes:
        codes[422] = ["invalid_request"]
    return codes


def page(document: dict[str, Any]) -> str:
    """The document as one HTML page."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>shopbell: reference</title><style>{_STYLE}</style><h1>shopbell: reference</h1>",
        f"<p>{escape(document['info']['description'])}</p><p><a href='openapi.json'>OpenAPI</a></p><ul>",
    ]
    listed = [
        (method.upper(), path, operation)
        for path, methods in sorted(document["paths"].items())
        for method, operation in methods.items()
    ]
    parts += [
        f"<li><a href='#{escape(operation['operationId'])}'><code>{method} {escape(path)}</code></a> "
        f"{escape(operation['summary'])}"
        for method, path, operation in listed
    ]
    parts.append("</ul>")
    parts += [_section(method, path, operation) for method, path, operation in listed]
    parts.append("<h2>Shapes</h2>")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(
            f"<h3 id='{escape(name)}'>{escape(name)}</h3><p>{escape(schema.get('description', ''))}</p>"
        )
        parts.append(_table([(key, _type(value)) for key, value in schema.get("properties", {}).items()]))
    return "\n".join(parts)


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    if "x-permission" in operation:
        who = f"Needs <code>{operation['x-permission']}</code>: {', '.join(operation['x-roles'])}."
    else:
        who = f"Open: {escape(operation['x-open-because'])}."
    given = [
        (item["name"], f"{item['in']}. {item.get('description', '')}")
        for item in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        given.append(("body", _type(body)))
    answers = []
    for status, answered in sorted(operation["responses"].items()):
        shape = answered.get("content", {}).get("application/json", {}).get("schema")
        answers.append((status, _type(shape) if shape else answered.get("description", "")))
    return (
        f"<h2 id='{escape(operation['operationId'])}'><code>{method} {escape(path)}</code></h2>"
        f"<p><b>{escape(operation['summary'])}.</b> {escape(operation.get('description', ''))}</p><p>{who}</p>"
        f"{_table(given)}{_table(answers)}"
    )


def _table(rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    cells = [f"<tr><td><code>{escape(name)}</code><td>{escape(text)}" for name, text in rows]
    return f"<table>{''.join(cells)}</table>"


def _type(schema: dict[str, Any]) -> str:
    """What a JSON schema says, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    several = schema.get("anyOf") or schema.get("oneOf")
    if several:
        return " or ".join(_type(one) for one in several)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    words = [str(schema.get("const", schema.get("type", "anything")))]
    words += [f"({schema['format']})"] if "format" in schema else []
    words += [f"- {schema['description']}"] if "description" in schema else []
    return " ".join(words)
