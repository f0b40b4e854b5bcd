"""Search means the same on both databases, whether it walks or asks an index."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from server.activity import lookup, search
from server.activity import service as activity
from server.activity.models import activity as entry_table
from server.activity.models import activity_text
from server.activity.service import FeedQuery
from server.kit.clock import FrozenClock
from server.kit.db import Store
from server.kit.folding import fold, fold_email, mark_words
from server.kit.paging import PageRequest, Position
from server.kit.problems import ProblemError
from server.kit.tx import Tx
from server.orders.models import order
from server.people.models import person
from tests.server.activity.making import GBP, OWNER, START, feed, make_order, messages, told

TINY_WINDOW = 2


@pytest.fixture(params=["walking", "by index"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same searches, once found by walking and once by the index."""
    if request.param == "by index":
        monkeypatch.setattr(search, "WINDOW", TINY_WINDOW)
        monkeypatch.setattr(search, "_FIRST_CHUNK", 2)
        monkeypatch.setattr(search, "_WORTH_WALKING", 1)
    return str(request.param)


@pytest.fixture
def shop(store: Store) -> Store:
    """Entries that differ in the words they can be found by."""

    def unit(tx: Tx) -> None:
        tom, _ = make_order(tx)
        zoe, _ = make_order(tx, "SS-260223-0047", "zoe_b@example.org", "Zoë Brûlé")
        activity.log(tx, "order.created", order_id=tom, params={"amount": GBP, "via": "Stripe"})
        activity.log(tx, "order.created", order_id=zoe, params={"amount": GBP, "via": "PayPal"})
        activity.log(
            tx, "order.shipped", order_id=tom, params={"carrier": "DHL", "tracking_number": "1Z-999"}
        )
        activity.log(
            tx, "order.shipped", order_id=zoe, params={"carrier": "100% Post", "note": "under_score"}
        )
        activity.log(
            tx, "order.submission_failed", order_id=zoe, texts={"reason": "Variant 'Größe 50%' sold_out"}
        )
        activity.log(tx, "sync.failed", texts={"reason": "connection to 日本 lost"})
        activity.log(tx, "custom.gift_card", texts={"message": "Card for 5_00 wrapped"})
        for number in range(5):
            activity.log(tx, "order.delivered", params={"provider": f"Filler{number}"})

    store.write(unit)
    return store


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("stripe", ["Order placed — £43.00 via Stripe"]),
        ("STRIPE placed", ["Order placed — £43.00 via Stripe"]),
        ("order placed paypal", ["Order placed — £43.00 via PayPal"]),
        ("paypal stripe", []),
        ("£43", ["Order placed — £43.00 via PayPal", "Order placed — £43.00 via Stripe"]),
        ("43.00", ["Order placed — £43.00 via PayPal", "Order placed — £43.00 via Stripe"]),
        ("order.shipped", ["Shipped via 100% Post", "Shipped via DHL — tracking: 1Z-999"]),
        ("shipped 0046", ["Shipped via DHL — tracking: 1Z-999"]),
        ("ss-260223-0046 dhl", ["Shipped via DHL — tracking: 1Z-999"]),
        ("1z-9", ["Shipped via DHL — tracking: 1Z-999"]),
        ("999", ["Shipped via DHL — tracking: 1Z-999"]),
        ("99", ["Shipped via DHL — tracking: 1Z-999"]),
        ("tripe", []),
        ("100%", ["Shipped via 100% Post"]),
        ("1%", []),
        ("%", ["Submission failed: Variant 'Größe 50%' sold_out", "Shipped via 100% Post"]),
        ("under_score", ["Shipped via 100% Post"]),
        ("underxscore", []),
        ("sold_out", ["Submission failed: Variant 'Größe 50%' sold_out"]),
        ("grosse", ["Submission failed: Variant 'Größe 50%' sold_out"]),
        ("GRÖSSE 50%'", ["Submission failed: Variant 'Größe 50%' sold_out"]),
        ("日本", ["Product sync failed: connection to 日本 lost"]),
        ("日", ["Product sync failed: connection to 日本 lost"]),
        ("本", []),
        ("5_00", ["Card for 5_00 wrapped"]),
        ("custom.gift_card", ["Card for 5_00 wrapped"]),
        ("card sync", []),
        ("\\", []),
        ('"', []),
        ("*", []),
        ("nothing", []),
        ("NOT AND OR", []),
        ("tom@example.com created", ["Order placed — £43.00 via Stripe"]),
        ("avery dhl", ["Shipped via DHL — tracking: 1Z-999"]),
        ("ZOE_B shipped", ["Shipped via 100% Post"]),
        ("zoexb shipped", []),
        ("brule grosse", ["Submission failed: Variant 'Größe 50%' sold_out"]),
        ("brûlé post", ["Shipped via 100% Post"]),
        ("example.org created", ["Order placed — £43.00 via PayPal"]),
    ],
)
def test_what_a_search_finds(shop: Store, q: str, found: list[str]) -> None:
    assert messages(shop, FeedQuery(q=q)) == found


def test_a_blank_search_is_none(shop: Store) -> None:
    assert messages(shop, FeedQuery(q="  \t ")) == messages(shop, FeedQuery())


def test_there_is_an_end_to_words(store: Store) -> None:
    for q in ("a " * 100 + "b", " ".join("abcdefghi")):
        with pytest.raises(ProblemError) as refused:
            feed(store, FeedQuery(q=q))
        assert refused.value.code == "invalid_request"


@pytest.mark.usefixtures("way")
def test_more_people_than_fit_a_list_are_all_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MANY_PEOPLE", 3)

    def unit(tx: Tx) -> None:
        for number in range(8):
            order_id, _ = make_order(tx, f"SS-{number}", f"{number}@example.com", None)
            activity.log(tx, "order.created", order_id=order_id, params={"via": "Stripe"})
            activity.log(tx, "order.delivered")

    store.write(unit)
    assert len(feed(store, FeedQuery(q="example.com"))) == 8
    assert len(feed(store, FeedQuery(q="example.com stripe"))) == 8
    assert len(feed(store, FeedQuery(q="7@example.com"))) == 1


@pytest.mark.usefixtures("way")
def test_an_erased_text_is_not_found_any_more(shop: Store) -> None:
    assert len(feed(shop, FeedQuery(q="grosse"))) == 1

    def erase(tx: Tx) -> None:
        tx.execute(delete(activity_text).where(activity_text.c.name == "reason"))

    shop.write(erase)
    assert feed(shop, FeedQuery(q="grosse")) == []
    assert messages(shop, FeedQuery(q="submission"))[0] == "Submission failed: ⟨erased⟩"


@pytest.mark.parametrize("upwards", [False, True])
def test_sources_that_end_at_different_moments_leave_nothing_out(
    store: Store, monkeypatch: pytest.MonkeyPatch, upwards: bool
) -> None:
    """One word in sentences, in strangers' texts and in an e-mail, each in its own rhythm."""
    monkeypatch.setattr(search, "WINDOW", 0)
    monkeypatch.setattr(search, "_FIRST_CHUNK", 1)
    monkeypatch.setattr(search, "_LARGEST_CHUNK", 2)

    def unit(tx: Tx) -> list[str]:
        order_id, _ = make_order(tx, email="pigeon@example.com", name=None)
        ids = []
        for at, where in enumerate("wwwwwtpppppptwwwwwtppppptttttw"):
            entry_id = activity.log(
                tx,
                "order.shipped",
                order_id=order_id if where == "p" else None,
                params={"carrier": "Pigeon" if where == "w" else "DHL"},
                texts={"reason": "a pigeon"} if where == "t" else None,
                occurred_at=START - 1000 + at,
            )
            ids.append(str(entry_id))
        return ids

    ids = store.write(unit)
    expected = ids if upwards else ids[::-1]
    for limit in (1, 3, 50):
        assert _walk(store, FeedQuery(q="pigeon"), limit, upwards=upwards) == expected


WORDS = [
    "alpha",
    "Alphabet",
    "beta",
    "be",
    "a_b",
    "axb",
    "100%",
    "%",
    "x-1",
    "ä",
    "日本",
    "tom",
    "o'neil",
    ".",
]
PEOPLE = [("tom@example.com", "Tom Alpha"), ("beta_b@example.org", None), ("zoe@example.com", "Zoë %")]
words = st.sampled_from(WORDS)
events = st.lists(
    st.tuples(
        st.integers(0, 6),  # when
        st.lists(words, max_size=3),  # in the sentence
        st.lists(words, max_size=2),  # in a stranger's text
        st.sampled_from([None, 0, 1, 2]),  # whom it is about
        st.booleans(),  # whether it is a problem
    ),
    max_size=14,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    told=events,
    asked=st.lists(words, min_size=1, max_size=3),
    folded=st.booleans(),
    attention=st.booleans(),
    limit=st.integers(1, 4),
    upwards=st.booleans(),
    window=st.integers(1, 4),
)
def test_a_search_finds_what_a_plain_look_at_every_row_finds(
    store: Store,
    told: list[Any],
    asked: list[str],
    folded: bool,
    attention: bool,
    limit: int,
    upwards: bool,
    window: int,
) -> None:
    store.write(lambda tx: _fill(tx, told))
    query = FeedQuery("attention" if attention else "all", q=" ".join(asked), internal=True, folded=folded)
    expected = store.read(lambda tx: _plain_look(tx, query))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "WINDOW", window)
        patched.setattr(search, "_FIRST_CHUNK", 1)
        patched.setattr(search, "_WORTH_WALKING", 1 if folded else 100)
        patched.setattr(search, "MANY_PEOPLE", 1)
        patched.setattr(lookup, "_FEW_WORDS", window)
        found = _walk(store, query, limit, upwards=upwards)
    assert found == (list(reversed(expected)) if upwards else expected)


def _fill(tx: Tx, told: list[Any]) -> None:
    for table in (activity_text, entry_table, order, person):
        tx.execute(delete(table))
    made = [make_order(tx, f"SS-{n}", email, name) for n, (email, name) in enumerate(PEOPLE)]
    for at, said, text, who, problem in told:
        assert activity.log(
            tx,
            "sync.failed" if problem else "order.delivered",
            order_id=None if who is None else made[who][0],
            params={"provider": " ".join(said)},
            texts={"reason": " ".join(text)} if text else None,
            occurred_at=START - 1000 + at,
        )


def _plain_look(tx: Tx, query: FeedQuery) -> list[str]:
    """The ids that match, newest first, found by comparing everything in Python."""
    persons = {row.id: row for row in tx.execute(select(person))}
    texts: dict[str, list[str]] = {}
    for row in tx.execute(select(activity_text)):
        texts.setdefault(row.activity_id, []).append(mark_words(row.value))

    def holds(row: Any, word: str) -> bool:
        who = persons.get(row.person_id)
        return (
            mark_words(word) in row.words
            or any(mark_words(word) in text for text in texts.get(row.id, []))
            or (who is not None and fold_email(word) in (who.email_key or ""))
            or (who is not None and fold(word) in (who.name_key or ""))
        )

    rows = [
        row
        for row in tx.execute(select(entry_table))
        if all(holds(row, word) for word in query.q.split())
        and (query.tab == "all" or (row.level != "info" and row.resolved_at is None))
    ]
    rows.sort(key=lambda row: (row.occurred_at, row.id), reverse=True)
    seen: set[str] = set()
    found = []
    for row in rows:
        if query.folds and row.level != "info":
            if row.group_key in seen:
                continue
            seen.add(row.group_key)
        found.append(row.id)
    return found


def _walk(store: Store, query: FeedQuery, limit: int, *, upwards: bool) -> list[str]:
    """All ids, page by page, from one end to the other."""
    request = PageRequest(limit, edge="oldest" if upwards else "newest")
    found: list[str] = []
    while True:
        page = store.read(lambda tx, request=request: activity.feed(tx, query, request, OWNER))  # type: ignore[misc]
        rows = list(page.rows.rows)
        ids = [row[0] for row in rows]
        found += reversed(ids) if upwards else ids
        if not (page.rows.newer if upwards else page.rows.older):
            return found
        last = rows[0] if upwards else rows[-1]
        request = PageRequest(limit, Position(last[12], last[0], "newer" if upwards else "older"))


def test_a_rare_word_far_back_is_found_with_every_other_filter(store: Store, clock: FrozenClock) -> None:
    told(store, "order.shipped", params={"carrier": "Pigeon"}, occurred_at=START - 10_000_000)

    def unit(tx: Tx) -> None:
        for number in range(1_700):
            activity.log(tx, "order.delivered", params={"provider": "DHL"}, occurred_at=START - number)

    store.write(unit)
    for query in (
        FeedQuery(q="pigeon"),
        FeedQuery(q="pig"),
        FeedQuery(q="pigeon", category="orders"),
        FeedQuery(q="pigeon", level="info", folded=True),
        FeedQuery(q="pigeon", type="order.shipped"),
        FeedQuery(type="order.shipped"),
    ):
        assert messages(store, query) == ["Shipped via Pigeon"]
    assert feed(store, FeedQuery(q="pigeon", category="syncs")) == []
    assert feed(store, FeedQuery(q="pigeon", level="error")) == []
    assert feed(store, FeedQuery(q="pigeon dhl")) == []
