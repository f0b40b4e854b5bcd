"""Providers that make and send the goods: submitting orders, following them, reading their catalogues."""
