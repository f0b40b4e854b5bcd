"""Money as integers of minor units, and how a sentence writes it."""

from __future__ import annotations

# ISO 4217: currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪", "UAH": "₴"}


def exponent(currency: str) -> int:
    """How many decimals the currency has."""
    return _EXPONENTS.get(currency, 2)


def money_text(amount: int, currency: str) -> str:
    """Write an amount of minor units as a sentence has it: ``£43.00``, ``¥1,200``, ``CHF 9.50``."""
    digits = exponent(currency)
    whole, rest = divmod(abs(amount), 10**digits)
    number = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{currency} {number}"
