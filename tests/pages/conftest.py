"""What the pages' tests stand on: a served shop with a mail server, and a browser that hides nothing it does."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from server.app import create_app
from server.kit.clock import FrozenClock
from server.kit.config import ServerConfig
from server.kit.db import open_store
from server.practice.mail_server import MailServer
from tests.pages.pictures import PICTURE
from tests.server.conftest import START, let_staff_in, migrated
from tests.support.chromium import ARGUMENTS, chromium
from tests.support.customers import Counter
from tests.support.serving import serving
from tests.support.stripe_events import SECRET


@pytest.fixture(scope="session")
def prepare_database() -> Callable[[str], None]:
    """Every shop begins with its tables."""
    return migrated


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; ends with the module, because its driver keeps an event loop in this thread."""
    program = chromium()
    if program is None:
        said = "NO BROWSER: the pages that customers see are not tested here. Install chromium."
        warnings.warn(said, stacklevel=1)
        pytest.skip(said)
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield running
        running.close()


@dataclass
class Elsewhere:
    """Another host of the web: pictures of products, and a page of a mail program with links in it."""

    url: str
    site: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """A server of somebody else's; what it was asked for is kept."""
    asked: list[tuple[str, dict[str, str]]] = []
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers)))
            page = pages.get(self.path)
            body = PICTURE if page is None else page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "image/svg+xml" if page is None else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = server.server_address[1]
        yield Elsewhere(f"http://127.0.0.1:{port}", f"http://localhost:{port}", asked, pages)
        server.shutdown()
        thread.join(10)


@dataclass
class Town:
    """A shop that is served, its counter, and its address."""

    counter: Counter
    url: str


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path) -> Iterator[Town]:
    """The shop: served on the loopback, with cart recovery switched on."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = ServerConfig(data_dir=data, variables={"SHOPBELL_STRIPE_WEBHOOK_SECRETS": SECRET})
    clock = FrozenClock(START)
    with contextlib.closing(open_store(sqlite_url, Path(), clock)) as store, MailServer() as post:
        staff = let_staff_in(store)
        with serving(create_app(store, config), config) as served, served.client() as http:
            counter = Counter(http, staff, store, clock, post)
            counter.open(served.url, recovery__enabled="on")
            yield Town(counter, served.url)


@dataclass
class Visit:
    """A browser's visit, and all that happened in it behind the pages."""

    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(browser: Browser, town: Town, elsewhere: Elsewhere) -> Iterator[Visiting]:
    """Begins visits. At the end none of them asked anybody but the shop (and its pictures' host) for anything,
    none ran a script, and no console complained."""
    visits: list[Visit] = []

    def begin(width: int = 1100, height: int = 800, **options: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        context.set_default_timeout(10_000)
        visit = Visit(context, context.new_page())
        context.on("request", lambda request: visit.requests.append(request.url))
        context.on("weberror", lambda error: visit.complaints.append(str(error.error)))
        context.on("console", lambda said: visit.complaints.append(f"{said.text} {said.location.get('url')}"))
        visits.append(visit)
        return visit

    yield begin
    for visit in visits:
        visit.context.close()
        ours = (town.url, elsewhere.url, elsewhere.site, "data:", "about:")
        assert [url for url in visit.requests if not url.startswith(ours)] == []
        # a page that says 404 or 410 is one; the console repeats its status
        expected = "Failed to load resource: the server responded with a status of 4"
        assert [said for said in visit.complaints if not said.startswith(expected)] == []
