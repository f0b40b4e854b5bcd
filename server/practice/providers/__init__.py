"""Printify and Printful on this machine: small servers that speak their protocols, for practising and for tests."""
