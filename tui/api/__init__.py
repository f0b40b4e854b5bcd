"""What the client knows of the server and of its own machine: calls, cleaned answers, credentials.

No user interface in here: neither Textual nor Rich is imported.
"""
