"""Webhooks received: stored first, then worked on, kept until their retention ends."""
