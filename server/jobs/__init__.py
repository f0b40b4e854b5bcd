"""Work that is done later: one table, leases, retries, schedules; nothing is lost when a process dies."""
