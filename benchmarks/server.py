"""The server against raw sqlite3 doing the same work and against a bare ASGI hello, in the same run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.data import INSERT, activity_rows, make_shop
from benchmarks.load import Result, load, request
from benchmarks.report import Report
from server.activity.service import log
from server.kit.clock import parse_instant
from server.kit.db import open_store
from server.kit.sqlite import driver

_SERVER_CPU, _LOAD_CPU = "0", 1
WALKED = 100
"""Pages that are walked through when each is to be new."""
ROUNDS = 3
"""How often what is compared is measured in turn: a machine that others use, too, is not as fast all the time."""
_PAGE = (
    "SELECT entry.id, type, level, category, internal, order_id, entry.person_id, actor_kind, actor_user_id,"
    " actor_name, params, group_key, occurred_at, inserted_at, resolved_at, resolved_by, shop_order.number"
    " FROM activity AS entry LEFT JOIN shop_order ON shop_order.id = order_id"
    " WHERE internal = 0 AND (occurred_at, entry.id) < (?, ?)"
    " ORDER BY occurred_at DESC, entry.id DESC LIMIT 50"
)
_TOP = (2**62, "")
_THESE = "(SELECT value FROM json_each(?))"
_JOINED = {
    # whom the sentence names; what the provider said; what can be done about the mail or the failed submission
    ("order.email.confirmation_sent", 6): f"SELECT id, email, name, mark FROM person WHERE id IN {_THESE}",  # noqa: S608
    (
        "order.submission_failed",
        0,
    ): f"SELECT activity_id, name, value FROM activity_text WHERE activity_id IN {_THESE}",  # noqa: S608
    ("order.email.confirmation_sent", 5): (
        "SELECT shop_order.id, payment_status, fulfilment_status, email"  # noqa: S608 - constants only
        f" FROM shop_order LEFT JOIN person ON person.id = person_id WHERE shop_order.id IN {_THESE}"
    ),
    ("order.submission_failed", 5): f"SELECT id, fulfilment_status FROM shop_order WHERE id IN {_THESE}",  # noqa: S608
}
"""By the type of the entries and the column of `_PAGE` that says what is looked up: what else a page shows."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pinned(command: list[str]) -> list[str]:
    return ["taskset", "-c", _SERVER_CPU, *command] if shutil.which("taskset") else command


def as_installed() -> dict[str, str]:
    """The environment of the programs that are measured: this one, but they keep their byte code.

    An installed program's is there. Without it each start compiles every source, which takes seconds and leaves memory
    behind that the program never needed.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that accepts connections, pinned to one core; ended afterwards."""
    process = subprocess.Popen(
        _pinned(command), env=as_installed(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start: " + " ".join(command))
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def rss_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _raw_pages_per_second(path: Path, seconds: float = 3.0) -> float:
    """The first pages in turn, with all that they show, for as long and on the same core as the server's."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(_SERVER_CPU)})
    done, place = 0, _TOP
    with driver.connect(path) as connection:
        begin = time.perf_counter()
        while (now := time.perf_counter()) < begin + seconds:
            rows = connection.execute(_PAGE, place).fetchall()
            for (kind, column), joined in _JOINED.items():
                if these := [row[column] for row in rows if row[1] == kind]:
                    connection.execute(joined, (json.dumps(these),)).fetchall()
            done += 1
            place = (rows[-1][12], rows[-1][0]) if done % WALKED else _TOP
    connection.close()
    os.sched_setaffinity(0, cores)
    return done / (now - begin)


def _raw_commits_per_second(folder: Path, source: Path) -> float:
    """Single-row commits of activity rows into the same table, with the same settings and indexes."""
    copy = folder / "raw.db"
    shutil.copy(source, copy)
    connection = driver.connect(copy, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    order = connection.execute("SELECT id, person_id FROM shop_order LIMIT 1").fetchone()
    rows = activity_rows(3_000, orders=[order], last=parse_instant("2026-03-01T10:00:00Z"))
    begin = time.perf_counter()
    for number, row in enumerate(rows):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(INSERT, (*row[:11], f"raw-{number}", *row[12:]))
        connection.execute("UPDATE topic SET counter = counter + 1 WHERE name = 'activity'")
        connection.execute("COMMIT")
    taken = time.perf_counter() - begin
    connection.close()
    copy.unlink()
    return 3_000 / taken


def _shopbelld(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "server.cli", *arguments]


def _get(address: tuple[str, int], path: str, token: str) -> tuple[dict[str, str], Any]:
    from http.client import HTTPConnection

    connection = HTTPConnection(*address)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    body = response.read()
    return {key.lower(): value for key, value in response.getheaders()}, json.loads(body) if body else None


def served_copy(folder: Path, entries: int) -> tuple[Path, str]:
    """A fresh copy of the large shop with an Owner: its data directory and the Owner's token."""
    source = make_shop(folder, entries)
    data = folder / "served"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(source, data)
    data.chmod(0o700)
    made = subprocess.run(
        _shopbelld("init", "--data", str(data), "--owner-email", "owner@example.com"),
        check=True,
        capture_output=True,
        text=True,
    )
    return data, made.stdout.strip()


def measure(folder: Path, entries: int, report: Report) -> None:
    """Measure and report everything about the server."""
    data, token = served_copy(folder, entries)
    raw_commits = _raw_commits_per_second(folder, data / "shop.db")
    port = free_port()
    serve = _shopbelld("serve", "--data", str(data), "--port", str(port))
    with running(serve, port):
        pass  # the first start writes the byte code of what changed since the last one
    begin = time.perf_counter()
    with running(serve, port) as process:
        report.row("server: first answer", f"{time.perf_counter() - begin:.2f} s", "<= 1.5 s")
        report.row("server: RSS idle", f"{rss_mib(process.pid):.0f} MiB", "<= 80 MiB")
        address = ("127.0.0.1", port)
        auth = {"Authorization": f"Bearer {token}"}
        _report_pulse(report, address, auth, token)
        _report_pages(report, address, auth, token, data / "shop.db")
        events = _measure_inserts(address, auth)
        report.row("server: RSS after load", f"{rss_mib(process.pid):.0f} MiB", "<= 100 MiB")
    # Only now: what it writes stands at the top of the feed, and its pages would be none of a shop's.
    _report_inserts(report, events, raw_commits, _stored_per_second(data))
    shutil.rmtree(data)


def _middle(results: list[Result]) -> Result:
    """The one of several that is neither fast nor slow; what any of them answered wrongly counts."""
    middle = sorted(results, key=lambda one: one.per_second)[len(results) // 2]
    return replace(middle, bad=sum(one.bad for one in results))


def _report_pulse(report: Report, address: tuple[str, int], auth: dict[str, str], token: str) -> None:
    headers, _ = _get(address, "/v1/pulse", token)
    poll = [request("GET", "/v1/pulse", {**auth, "If-None-Match": headers["etag"]})]
    greeting = [request("GET", "/", {})]
    port = free_port()
    there = ("127.0.0.1", port)
    hellos, polls = [], []
    with running([sys.executable, "-m", "benchmarks.apps.hello_asgi", str(port)], port):
        load(there, greeting, seconds=1, cpu=_LOAD_CPU)
        for _ in range(ROUNDS):
            hellos.append(load(there, greeting, cpu=_LOAD_CPU))
            polls.append(load(address, poll, cpu=_LOAD_CPU))
    hello, unchanged = _middle(hellos), _middle(polls)
    report.row("bare ASGI hello", f"{hello.per_second:,.0f}/s, p99 {hello.p99_ms:.1f} ms", "baseline")
    report.row(
        "unchanged pulse / bare hello",
        f"{unchanged.per_second / hello.per_second:.2f} ({unchanged.per_second:,.0f}/s, p99 {unchanged.p99_ms:.1f} ms)",
        ">= 0.8",
        bad=unchanged.bad,
    )


def _walk(address: tuple[str, int], token: str, path: str, pages: int = WALKED) -> list[str]:
    """The addresses of so many pages of 50, one after the other from ``path`` on, in its direction."""
    found = [path]
    onwards = "prev" if "edge=oldest" in path else "next"
    for _ in range(pages - 1):
        _, page = _get(address, found[-1], token)
        found.append(f"/v1/activity?limit=50&cursor={page[onwards]}")
    return found


def _down(address: tuple[str, int], token: str, steps: int) -> str:
    """The address of the page ``steps`` pages of 200 down."""
    path = "/v1/activity?limit=200"
    for _ in range(steps):
        _, page = _get(address, path, token)
        path = f"/v1/activity?limit=200&cursor={page['next']}"
    return path.replace("limit=200", "limit=50")


def _fresh(paths: list[str], auth: dict[str, str], count: int = 20_000) -> list[bytes]:
    """Requests that nobody asked before: a parameter that means nothing keeps answers from being given again.

    They go through all the pages in turn.
    """
    ways = [path + ("&" if "?" in path else "?") for path in paths]
    return [request("GET", f"{ways[n % len(ways)]}new={n}", auth) for n in range(count)]


def _report_pages(
    report: Report, address: tuple[str, int], auth: dict[str, str], token: str, path: Path
) -> None:
    page = "/v1/activity?limit=50"
    begins = {
        "the first": page,
        "50 pages down": _down(address, token, 50),
        "the far end": f"{page}&edge=oldest",
    }
    asked = {name: _fresh(_walk(address, token, begin), auth) for name, begin in begins.items()}
    raws: list[float] = []
    found: dict[str, list[Result]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        raws.append(_raw_pages_per_second(path))
        for name, requests in asked.items():
            found[name].append(load(address, requests, cpu=_LOAD_CPU))
    raw = statistics.median(raws)
    report.row("raw sqlite3 pages of 50", f"{raw:,.0f}/s", "baseline")
    again = load(address, [request("GET", page, auth)], cpu=_LOAD_CPU)
    report.row(
        "feed page, asked again / raw page",
        f"{again.per_second / raw:.2f} ({again.per_second:,.0f}/s, p99 {again.p99_ms:.0f} ms)",
        ">= 0.20",
        bad=again.bad,
    )
    results = {name: _middle(each) for name, each in found.items()}
    first = results.pop("the first")
    report.row(
        f"feed page, never asked before (the first {WALKED}) / raw page",
        f"{first.per_second / raw:.2f} ({first.per_second:,.0f}/s, p99 {first.p99_ms:.0f} ms)",
        ">= 0.20",
        bad=first.bad,
    )
    for name, result in results.items():
        report.row(
            f"first pages / pages at {name}, all new",
            f"{first.per_second / result.per_second:.2f} ({result.per_second:,.0f}/s)",
            "<= 1.3",
            bad=result.bad,
        )


def _stored_per_second(data: Path, threads: int = 16, each: int = 250) -> float:
    """Events logged through the store by several threads, each waiting until its own is on disk."""
    store = open_store(None, data)

    def work(_: int) -> None:
        for _number in range(each):
            store.write(lambda tx: log(tx, "sync.completed", params={"products": 47, "updated": 3}))

    begin = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    taken = time.perf_counter() - begin
    store.close()
    return threads * each / taken


def _measure_inserts(address: tuple[str, int], auth: dict[str, str]) -> Result:
    """Events written through the API, each answered when it is on disk."""
    bodies = [
        json.dumps({"type": "custom.bench.note", "message": f"note {number}", "dedupe_key": None}).encode()
        for number in range(64)
    ]
    return load(address, [request("POST", "/v1/activity", auth, body) for body in bodies], cpu=_LOAD_CPU)


def _report_inserts(report: Report, events: Result, raw: float, stored: float) -> None:
    report.row("raw sqlite3 single-row commits (FULL)", f"{raw:,.0f}/s", "baseline")
    report.row(
        "durable event insert, 16 writers / raw single-row commits",
        f"{stored / raw:.2f} ({stored:,.0f}/s)",
        ">= 1.0",
    )
    report.row(
        "durable event insert by HTTP / raw single-row commits",
        f"{events.per_second / raw:.2f} ({events.per_second:,.0f}/s, p99 {events.p99_ms:.0f} ms)",
        ">= 0.5",
        bad=events.bad,
    )
