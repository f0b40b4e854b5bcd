"""shopbell: the terminal client of a shop."""

__version__ = "0.1.0"
