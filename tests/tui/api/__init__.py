"""Tests of what the client knows of the server and of its own machine."""
