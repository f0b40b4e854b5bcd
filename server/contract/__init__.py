"""What travels between a shopbell server and its clients: pydantic models, nothing else.

Every other room may import this one; it imports pydantic alone. A client in another process, on another
machine or in another language could stand on either side of it.
"""
