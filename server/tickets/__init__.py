"""Tickets: what customers ask, beside the order they speak of, and what staff answer."""
