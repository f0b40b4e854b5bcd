"""Payments: what Stripe tells the shop, checked, kept and turned into what it does to an order."""
