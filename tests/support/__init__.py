"""What several tests stand on: a throw-away PostgreSQL, a pseudo-terminal, a pinned environment."""
