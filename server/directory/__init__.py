"""The people of the shop, staff and customers, with all that is known of each."""
