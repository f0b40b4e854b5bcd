"""The practice shop: an invented shop with 90 days behind it and a life that goes on.

Everything in it came about the way it does in a real shop: through signed webhooks and API calls to the running
server. ``life`` decides what happens, from a seed and nothing else; ``driver`` makes it happen; ``clock`` lets it
happen at its own time.
"""
