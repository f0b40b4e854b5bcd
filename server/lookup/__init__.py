"""A customer finds their own orders: a link by mail, then the pages it opens."""
