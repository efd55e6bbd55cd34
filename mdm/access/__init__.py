"""Operators, roles bound to places, sessions, one-time links, API tokens."""
