"""What every room stands on: store, clock, ids, money, paging, refusals. Knows no room above it."""
