"""The shop's settings: one typed registry, one table."""
