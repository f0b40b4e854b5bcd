"""The carts of the shop's front, and what becomes of them."""
