"""Pages that a shop's customers see: small, without a script, and asking nobody else for anything.

A room's templates stand in its own ``templates/`` and are named ``room/name.html``. Every value in them is escaped, and
letters that nobody sees (control characters, turns of the direction of writing) are taken out of it first. A room that
declares its router here gets forms instead of JSON, a check of where a form was sent from, and refusals as pages.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request, Response

from server.kit.problems import ProblemError
from server.kit.route import Route

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
MAX_FORM: Final = 8 * 1024
"""Bytes of a form."""
_MOST_FIELDS: Final = 20
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_ORIGIN: Final = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_LONGEST_ADDRESS: Final = 2048
_paths: list[str] = []


@dataclass(frozen=True, slots=True)
class Shop:
    """Whose page it is: the shop's name, and its address if that is known."""

    name: str
    url: str | None = None


# -- declaring


class PageRoute(Route):
    """A route of pages: a form that changes something must come from a page of this server."""

    any_site = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.method not in ("GET", "HEAD"):
                _check_form(request, self.any_site)
            return await handle(request)

        return checked


class AnySiteRoute(PageRoute):
    """A route whose address itself is the permission, so that it matters to nobody where the form comes from."""

    any_site = True


def page_router(*prefixes: str, any_site: bool = False) -> APIRouter:
    """A room's router for pages, whose paths all begin with one of ``prefixes``; refusals below them are pages too.

    Args:
        prefixes: ``/orders`` stands for itself and everything below it.
        any_site: programs of mail services and pages of other sites may send its forms (no cookie may count there).
    """
    _paths.extend(prefix for prefix in prefixes if prefix not in _paths)
    return APIRouter(route_class=AnySiteRoute if any_site else PageRoute, include_in_schema=False)


def is_page(path: str) -> bool:
    """Whether an address belongs to the pages."""
    return shown_path(path) != path or path in _paths


def shown_path(path: str) -> str:
    """What of an address may be written to a log: of a page's only its beginning, for the rest may open something."""
    for prefix in _paths:
        if path.startswith(f"{prefix}/"):
            return f"{prefix}/…"
    return path


def _check_form(request: Request, any_site: bool) -> None:
    """Refuse a form of another site, or of another kind.

    Our own pages send no referrer, so their forms come with ``Origin: null``; then ``Sec-Fetch-Site`` must say that
    they are ours.

    Raises:
        ProblemError: 403 ``forbidden``; 415 ``unsupported_media_type``.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not any_site:
        sites = {site.lower() for site in request.headers.getlist("sec-fetch-site")}
        host = request.headers.get("host", "").lower()
        ours = {f"http://{host}", f"https://{host}"} | ({"null"} if sites == {"same-origin"} else set())
        origins = {origin.lower() for origin in request.headers.getlist("origin")}
        if sites - {"same-origin", "none"} or origins - ours:
            raise ProblemError(
                403, "forbidden", "This form was not sent from a page of this server.", reason="foreign_site"
            )
    if kind not in ((FORM, MULTIPART, "") if any_site else (FORM,)):
        raise ProblemError(415, "unsupported_media_type", "Send the form as a browser does.")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form; of a field sent twice the first.

    Raises:
        ProblemError: 400 ``invalid_request`` for what is no form.
    """
    body = await request.body()
    try:
        found = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise ProblemError(400, "invalid_request", "This form cannot be read.") from None
    fields: dict[str, str] = {}
    for name, value in found:
        fields.setdefault(name, value)
    return fields


def peer(request: Request) -> str:
    """Who asks, for counting: the address of the other end.

    A proxy on this machine is believed about whom it asks for (the last ``X-Forwarded-For``, which it wrote itself).
    """
    near = request.client.host if request.client else ""
    if near in ("", "127.0.0.1", "::1"):
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        return forwarded[:64] or near or "local socket"
    return near


# -- answering


def html(
    template: str,
    shop: Shop | None,
    *,
    status: int = 200,
    images: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page.

    Args:
        template: ``room/name.html``.
        shop: whose page; None where nobody could be asked.
        status: HTTP status.
        images: addresses of the pictures on it; nothing else is loaded, and they only from these hosts.
        headers: more headers.
        values: what the template shows.
    """
    text = _templates().get_template(template).render(shop=shop, style=_style(), **values)
    return Response(
        text.encode(),
        status,
        {
            "Content-Security-Policy": _policy(images),
            "Cross-Origin-Opener-Policy": "same-origin",
            **(headers or {}),
        },
        "text/html; charset=utf-8",
    )


def see(path: str) -> Response:
    """Send the browser on to another page of this server, to be asked for with GET."""
    return Response(status_code=303, headers={"Location": path})


def problem_page(problem: ProblemError) -> Response:
    """A refusal as a page. It says what to do next, and nothing that a program needs."""
    title, text = _SENTENCES.get(problem.status, _SENTENCES[500])
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return html(
        "kit/problem.html",
        None,
        status=problem.status,
        headers=headers,
        title=title,
        text=text,
        minutes=None if problem.retry_after is None else -(-problem.retry_after // 60),
    )


_SENTENCES: Final = {
    400: ("This cannot be read", "Something in the address or the form is not right. Go back and try again."),
    403: (
        "Sent from somewhere else",
        "This form was not sent from our own page. Open the page again, and use its button.",
    ),
    404: (
        "Nothing here",
        "There is no such page, or it is not yours to see. Check the address for a missing end.",
    ),
    405: ("Nothing here", "This address does not work in this way. Open the page again, and use its button."),
    408: ("That took too long", "Your connection was too slow for us. Please try again."),
    413: ("Too much", "What was sent is too large. Go back and try again with less."),
    415: (
        "This cannot be read",
        "This is not what a browser sends. Open the page again, and use its button.",
    ),
    421: ("Not here", "This server does not answer to that name. Check the address."),
    422: ("This cannot be read", "Something in the address or the form is not right. Go back and try again."),
    429: ("Too many tries", "Please wait a little before you try again."),
    500: ("Something went wrong here", "This is our mistake, not yours. Please try again in a while."),
    503: ("Not available now", "The shop cannot answer at the moment. Please try again in a while."),
}


def clean(text: str) -> str:
    """A stranger's text without letters that nobody sees."""
    return _UNSEEN.sub("", text)


def web_address(text: str | None) -> str | None:
    """An address that may stand behind a link: absolute, ``http`` or ``https``; else None."""
    if (
        not text
        or len(text) > _LONGEST_ADDRESS
        or clean(text) != text
        or any(sign.isspace() for sign in text)
    ):
        return None
    return text if origin(text) else None


def origin(address: str) -> str | None:
    """Scheme and host of a web address, as a policy names them; None for anything else."""
    try:
        parts = urlsplit(address)
        found = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return None
    return found if _ORIGIN.fullmatch(found) else None


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - not needed to serve

    return Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> str:
    """The text of ``room/name.html``; names come from our own sources."""
    room, _, file = name.partition("/")
    return (resources.files(f"server.{room}") / "templates" / file).read_text(encoding="utf-8")


@cache
def _style() -> Markup:
    """The style of all pages: our own text, so it is not escaped."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja2

    text = (resources.files("server.kit") / "templates" / "style.css").read_text(encoding="utf-8")
    return Markup(text.strip())  # noqa: S704


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode("ascii")


def _policy(images: Iterable[str]) -> str:
    """What the page may load: its own style and icon, and pictures of the hosts named."""
    hosts = sorted({found for address in images if (found := origin(address))})
    return (
        f"default-src 'none'; style-src 'sha256-{_style_hash()}'; img-src {' '.join(['data:', *hosts])}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
