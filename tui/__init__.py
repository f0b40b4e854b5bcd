"""shopbell: the terminal client of a shop."""
