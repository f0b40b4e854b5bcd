"""Carts that were left at the payment page: one mail an hour later to those who may want it, and no second one."""
