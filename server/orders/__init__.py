"""Orders: what was bought, whether it is paid, how far it is on its way."""
