"""Invoices, billing profiles and what was paid."""
