"""Our own agent's language: resources for Debian-like Linux."""
