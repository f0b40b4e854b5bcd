"""What happened: one table, two views (an order's timeline and the shop's feed)."""
