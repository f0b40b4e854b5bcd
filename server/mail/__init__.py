"""Mail to customers: what is written, how it leaves, and what became of it."""
